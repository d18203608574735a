"""An uplink against a real broker; the central server is a hand that answers, or does not."""

import random
import time
from pathlib import Path

import msgspec
import pytest

from fleet.centre import Centre, Heard, keep
from fleet.conftest import MakeReader
from fleet.field import RESEND_S, FieldReader
from iskra_server.fleet.edge import uplink, uplink_health
from iskra_server.fleet.edge.reader_messages import live
from iskra_server.fleet.edge.uplink import WINDOW
from iskra_server.fleet.edge.uplink_queue import UplinkQueue
from iskra_server.fleet.protocol import Correlation, Receipt
from outputs.mqtt.broker import Mosquitto, Subscriber
from outputs.mqtt.old import OldDoor
from outputs.mqtt.secured import guarded
from running import DEADLINE_S, until
from samples import IMPORT, METER_ID, energy, power, sample

QUARTERS = "iskra/v1/cellar/quarters"


@pytest.fixture(autouse=True)
def counted_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uplink, "_COUNT_EVERY_S", 0.1)
    monkeypatch.setattr(uplink_health, "_RIVAL_AFTER_S", 0.0)


def test_a_closed_quarter_is_sent_at_once_and_again_until_it_is_answered(broker: Mosquitto, reader: MakeReader) -> None:
    """The broker has acknowledged it each time: that is not enough."""
    cellar = reader("cellar")
    with Subscriber(broker.port, QUARTERS) as network:
        cellar.live_through(1)
        first, second = network.wait_for(QUARTERS, 2)[:2]
        assert first == second
        assert [row[0] for row in msgspec.json.decode(first)["counters"][str(IMPORT)]] == [cellar.quarter]
        assert cellar.waiting == 1


def test_without_answers_messages_are_sent_one_at_a_time(broker: Mosquitto, reader: MakeReader) -> None:
    cellar = reader("cellar", meters=3 * WINDOW)
    with Subscriber(broker.port, QUARTERS) as network:
        began_s = time.monotonic()
        cellar.live_through(1)
        network.wait_for(QUARTERS, WINDOW + 2)
        # jitter takes at most half of the delays of 1 and 2 RESEND_S
        assert time.monotonic() - began_s > 1.4 * RESEND_S
        assert len({msgspec.json.decode(payload)["meter"] for payload in network.all_of(QUARTERS)}) <= WINDOW


def test_live_values_are_throttled_for_each_meter(broker: Mosquitto, reader: MakeReader) -> None:
    cellar = reader("cellar", live_every_s=10)
    other = "1 ISK 00 12345679"
    with Subscriber(broker.port, "iskra/v1/cellar/live") as network:
        until(cellar.hub.subscriptions)
        for second in range(25):
            for meter in (METER_ID, other):
                cellar.hub.publish(sample(energy(5 + second), power(300), at_s=float(second), meter_id=meter))
        said = [msgspec.json.decode(each) for each in network.wait_for("iskra/v1/cellar/live", 6)]
    assert [each["counters"]["1-0:1.8.0*255"] for each in said] == [[5 + s, -1] for s in (0, 0, 10, 10, 20, 20)]
    assert {each["power_mw"] for each in said} == {300_000}


def test_a_live_value_without_power_has_none() -> None:
    assert live(sample(energy(5))).power_mw is None


def test_a_reader_sends_its_status_and_is_offline_when_it_ends(broker: Mosquitto, reader: MakeReader) -> None:
    with Subscriber(broker.port, "iskra/v1/cellar/status") as network:
        cellar = reader("cellar")
        (status,) = network.wait_for("iskra/v1/cellar/status", 1)
        assert msgspec.json.decode(status)["sources"] == []
        cellar.stop()
        assert network.wait_for("iskra/v1/cellar/status", 2)[1] == b"offline"


def test_messages_and_the_will_carry_the_session_of_the_reader(broker: Mosquitto, reader: MakeReader) -> None:
    with Centre(broker.port) as centre:
        cellar = reader("cellar", resend_s=DEADLINE_S)
        cellar.live_through(1)
        until(lambda: cellar.waiting == 0)
        cellar.stop()
        until(lambda: len(centre.of("status")) == 2)
        first, offline = (message.correlation for message in centre.of("status"))
        (sent,) = centre.of("quarters")
        assert (first.number, sent.correlation.number, offline.number) == (0, 1, 0)
        assert len(first.session) == 8
        assert first.session == sent.correlation.session == offline.session
        assert len(sent.content["ledger"]) == 32
        before = sent
        cellar.start()
        cellar.live_through(1)
        until(lambda: len(centre.of("quarters")) == 2)
        again = centre.of("quarters")[1]
        assert again.content["ledger"] == before.content["ledger"]
        assert again.correlation.session != first.session


def test_the_will_carries_the_session(broker: Mosquitto, tmp_path: Path) -> None:
    with Centre(broker.port) as centre:
        with OldDoor(broker.port) as door:
            door.has_mqtt_5 = True
            cellar = FieldReader(tmp_path, "cellar", door.url)
            cellar.start()
            until(lambda: centre.of("status"))
        # the network is cut
        until(lambda: len(centre.of("status")) == 2)
        cellar.close()
        alive, will = centre.of("status")[:2]
        assert (will.payload, will.data) == (b"offline", alive.data)


def test_a_receipt_for_another_reader_of_this_name_is_ignored(broker: Mosquitto, reader: MakeReader) -> None:
    """A3: both count their messages from 1 on."""
    with Centre(broker.port, lambda _: None) as centre:
        cellar = reader("cellar")
        cellar.live_through(1)
        until(lambda: centre.of("quarters"))
        session, number = centre.of("quarters")[0].correlation.session, centre.of("quarters")[0].correlation.number
        for data in (bytes(Correlation(bytes(8), number)), number.to_bytes(4), b"x", session):
            centre.say("cellar", data, Receipt("kept"))
        # the receipts are heard in this order
        centre.say("cellar", bytes(Correlation(session, 0)), Receipt("waits", "another reader is named cellar"))
        until(lambda: "another reader is named cellar" in cellar.state.sentence)
        assert (cellar.waiting, cellar.state.delivered, cellar.state.ok) == (1, 0, False)


def test_what_waits_stays_with_its_reason_and_no_other_meter_waits_for_it(
    broker: Mosquitto, reader: MakeReader
) -> None:
    cellar = reader("cellar", meters=3)
    foreign = cellar.meters[0]
    claim = Receipt("waits", "it belongs to the reader attic")

    def decide(message: Heard) -> Receipt:
        return claim if message.content["meter"] == foreign else Receipt("kept")

    with Centre(broker.port, decide) as centre:
        cellar.stop()
        cellar.live_through(20)
        cellar.start()
        until(
            lambda: (
                cellar.summary.waiting == 20
                and [(group.meter, group.reason, group.refused) for group in cellar.summary.unconfirmed]
                == [(foreign, claim.reason, False)]
            )
        )
        until(lambda: f"20 quarter-hours of {foreign} wait: {claim.reason}." in cellar.state.sentence)
        until(lambda: cellar.state.confirmed_at)
        centre.decide = keep
        until(lambda: (cellar.state.delivered, cellar.state.waiting, cellar.state.ok) == (60, 0, True))
        sent = [each for each in centre.of("quarters") if each.content["meter"] == foreign]
        # the oldest first, and fewer: one of them may be the cause
        assert len(sent[0].quarters) == 20
        fewer = next(each for each in sent if each.quarters != sent[0].quarters)
        assert fewer.quarters == sent[0].quarters[:10]


def test_one_quarter_that_is_refused_stays_and_the_others_of_its_day_arrive(
    broker: Mosquitto, reader: MakeReader
) -> None:
    """A2: it was forgotten, and counted as delivered. A collector of the first protocol says the reason alone."""
    cellar = reader("cellar", meters=2)
    cellar.stop()
    cellar.live_through(40)
    bad, reason = cellar.quarter - 7, "it cannot be decoded"

    def decide(message: Heard) -> Receipt | bytes:
        if bad not in message.quarters:
            return Receipt("kept")
        return reason.encode() if message.content["meter"] == cellar.meters[0] else Receipt("refused", reason)

    with Centre(broker.port, decide) as centre:
        cellar.start()
        until(lambda: cellar.waiting == 2 and cellar.summary.refused == 2)
        groups = [(each.meter, each.first_quarter, each.quarters, each.reason) for each in cellar.summary.unconfirmed]
        assert groups == [(meter, bad, 1, reason) for meter in cellar.meters]
        until(lambda: (cellar.state.refused, cellar.state.waiting) == (2, 0))
        assert (cellar.state.ok, cellar.state.delivered) == (False, 78)
        assert "iskra-server uplink resend --from 2026-" in cellar.state.sentence
        # it is not tried again, and what closes later arrives
        sent = len(centre.of("quarters"))
        cellar.live_through(1)
        until(lambda: cellar.state.delivered == 80)
        assert not any(bad in each.quarters for each in centre.of("quarters")[sent:])
        centre.decide = keep
        queue = UplinkQueue(cellar.store)
        assert [queue.resend(bad, meter) for meter in (cellar.meters[0], None)] == [9, 18]
        until(lambda: cellar.waiting == 0)
        until(lambda: cellar.state.ok)


def test_no_answer_for_long_is_a_failure(broker: Mosquitto, reader: MakeReader) -> None:
    """A9: quarters waited, and the state said that nothing did."""
    cellar = reader("cellar", silent_s=0.3)
    with Centre(broker.port, lambda _: None) as centre:
        until(lambda: cellar.state.ok)
        cellar.live_through(6)
        until(lambda: not cellar.state.ok and cellar.state.waiting == 6)
        assert "No collector has answered for" in cellar.state.sentence
        assert "6 quarter-hours wait, the oldest of 2026-" in cellar.state.sentence
        centre.decide = keep
        until(lambda: cellar.state.ok and cellar.state.confirmed_at)


def test_what_waits_is_counted_while_the_broker_is_away(
    broker: Mosquitto, reader: MakeReader, caplog: pytest.LogCaptureFixture
) -> None:
    """A10, A17"""
    with Centre(broker.port) as centre:
        cellar = reader("cellar")
        until(lambda: centre.of("status"))
        broker.kill()
        cellar.live_through(2)
        until(lambda: not cellar.state.ok and cellar.state.waiting == 2)
        assert "is away: " in cellar.state.sentence
        assert "2 quarter-hours wait, the oldest of 2026-" in cellar.state.sentence
        broker.start()
        until(lambda: cellar.state.ok and cellar.state.waiting == 0)
    assert "is away: the connection is lost. See that the broker runs. Quarter-hours wait" in caplog.text


def test_without_a_name_and_without_its_database_nothing_is_well(
    broker: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uplink, "_OPENING_S", 0.0)
    cellar = FieldReader(tmp_path, "cellar", f"mqtt://127.0.0.1:{broker.port}")
    cellar.name, cellar.is_open = "", False
    cellar.start()
    try:
        until(lambda: not cellar.state.ok)
        assert "cannot be read" in cellar.state.sentence
        assert cellar.state.since
        cellar.is_open = True
        until(lambda: cellar.state.ok)
        assert cellar.state.sentence == ""
    finally:
        cellar.close()


def test_a_broker_without_mqtt_5_is_said(broker: Mosquitto, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A9: no answer can come in MQTT 3.1.1."""
    with OldDoor(broker.port) as door:
        cellar = FieldReader(tmp_path, "cellar", door.url)
        cellar.live_through(2)
        cellar.start()
        until(lambda: not cellar.state.ok and cellar.state.waiting == 2)
        sentence = cellar.state.sentence
        cellar.close()
    assert f"The broker {door.url} cannot be used: it speaks no MQTT 5, so no answer can arrive." in sentence
    assert "Use a broker that speaks MQTT 5" in sentence
    assert "2 quarter-hours wait" in sentence
    assert "Sending to the central server" not in caplog.text


def test_a_wrong_password_is_named_and_tried_less_and_less_often(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A10"""
    with guarded(tmp_path, "cellar", "s3cret") as broker:
        url = broker.url.replace("//", "//cellar:wrong@")
        cellar = FieldReader(tmp_path, "cellar", url)
        cellar.live_through(3)
        cellar.start()
        until(lambda: cellar.state.waiting == 3 and not cellar.state.ok)
        until(lambda: broker.log.read_text().count("not authorised") >= 2)
        sentence = cellar.state.sentence
        cellar.close()
    assert "wrong user or password (it refuses the connection: Not authorized)" in sentence
    assert "uplink.password (iskra-server.toml, or the file of IES_UPLINK_PASSWORD_FILE)" in sentence
    assert "3 quarter-hours wait" in sentence
    assert caplog.text.count("wrong user or password") == 1


def test_a_quarter_that_closes_is_sent_at_a_random_moment(
    broker: Mosquitto, reader: MakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quarters close in all readers at the same second."""
    delays: list[tuple[float, float]] = []

    def uniform(least: float, most: float) -> float:
        delays.append((least, most))
        return 0.5

    monkeypatch.setattr(random, "uniform", uniform)
    # so the first summary with a confirmation is the one that is made when nothing is left
    monkeypatch.setattr(uplink, "_COUNT_EVERY_S", 600.0)
    cellar = reader("cellar", spread_s=30)
    with Centre(broker.port):
        cellar.live_through(1)
        until(lambda: cellar.waiting == 0)
        until(lambda: cellar.state.confirmed_at)
        delays.clear()
        began_s = time.monotonic()
        cellar.live_through(1)
        until(lambda: cellar.waiting == 0)
        assert time.monotonic() - began_s >= 0.5
        assert delays == [(0.0, 30)]
