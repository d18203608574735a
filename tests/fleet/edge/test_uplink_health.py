"""The one sentence of the uplink, and which of several it is."""

from datetime import UTC, datetime

import pytest

from history.entries import QUARTER
from iskra_server.fleet.edge import uplink_health
from iskra_server.fleet.edge.uplink_health import UplinkHealth
from iskra_server.fleet.edge.uplink_summary import Unconfirmed, UplinkSummary

REFUSED = Unconfirmed("1 ISK 00 12345678", "it is cut.", True, 4, QUARTER, QUARTER + 3, None)
CLAIMED = Unconfirmed("1 ISK 00 12345679", "it belongs to attic", False, 1, QUARTER, QUARTER, 1_763_805_660)
QUEUED = Unconfirmed("1 ISK 00 12345679", "", False, 2, QUARTER + 1, QUARTER + 2, None)


def test_all_is_well_while_quarters_are_on_their_way() -> None:
    health = UplinkHealth()
    health.observe(UplinkSummary("cellar", 1_763_805_600, [QUEUED]))
    state = health.state()
    assert (state.ok, state.sentence, state.waiting, state.refused) == (True, "", 2, 0)
    assert state.confirmed_at == datetime(2025, 11, 22, 10, tzinfo=UTC)


def test_refused_quarters_are_said_before_waiting_ones_with_the_next_step() -> None:
    health = UplinkHealth()
    health.observe(UplinkSummary("cellar", None, [REFUSED, CLAIMED, QUEUED]))
    state = health.state()
    assert (state.ok, state.waiting, state.refused, state.confirmed_at) == (False, 3, 4, None)
    assert state.sentence == (
        "The central server refuses 4 quarter-hours of 1 ISK 00 12345678: it is cut. Nothing is lost: when the cause "
        "is removed, run iskra-server uplink resend --from 2025-11-21."
    )
    assert state.sentence_de == (
        "Die Zentrale lehnt 4 Viertelstunden von 1 ISK 00 12345678 ab: it is cut. Nichts ist verloren: Wenn die "
        "Ursache behoben ist, rufen Sie iskra-server uplink resend --from 2025-11-21 auf."
    )
    assert state.since
    health.observe(UplinkSummary("cellar", None, [CLAIMED, QUEUED]))
    assert health.state().sentence == "1 quarter-hour of 1 ISK 00 12345679 waits: it belongs to attic."
    assert health.state().sentence_de == "1 Viertelstunde von 1 ISK 00 12345679 wartet: it belongs to attic."
    health.observe(UplinkSummary("cellar", None, [QUEUED]))
    assert (health.state().ok, health.state().since) == (True, None)


def test_a_broker_that_is_away_is_said_first_with_what_waits() -> None:
    health = UplinkHealth()
    health.observe(UplinkSummary("cellar", None, [REFUSED, QUEUED]))
    health.failed(("The central server is away.", "Die Zentrale ist nicht erreichbar."))
    assert health.state().sentence == (
        "The central server is away. 2 quarter-hours wait, the oldest of 2025-11-22 10:00 UTC."
    )
    assert health.state().sentence_de == (
        "Die Zentrale ist nicht erreichbar. 2 Viertelstunden warten, die älteste von 2025-11-22 10:00 UTC."
    )
    health.recovered()
    assert "refuses" in health.state().sentence


def test_another_reader_of_this_name_is_forgotten_when_nobody_says_so_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    health = UplinkHealth()
    health.note_rival("another reader named house-7 is connected")
    # our own run of before, whose will the broker has not published yet
    assert health.state().ok
    assert health.has_rival
    monkeypatch.setattr(uplink_health, "_RIVAL_AFTER_S", 0.0)
    for _ in range(2):
        health.note_rival("another reader named house-7 is connected")
    assert health.state().sentence == "another reader named house-7 is connected"
    monkeypatch.setattr(uplink_health, "_RIVAL_S", 0.0)
    health.observe(UplinkSummary("house-7"))
    assert health.state().ok
