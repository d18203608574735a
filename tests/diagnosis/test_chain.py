from typing import Any

import pytest

from diagnosis.well import facts, quality
from iskra_server.diagnosis.advice import LABELS
from iskra_server.diagnosis.chain import walk
from iskra_server.diagnosis.facts import CounterViolation
from iskra_server.diagnosis.stream_guess import StreamGuess

NOTHING: dict[str, Any] = {
    "data_age_s": None,
    "byte_count": 0,
    "telegrams": 0,
    "faults": {},
    "age_s": None,
    "recent": quality(),
    "meter_id": None,
    "locked": None,
}


def test_a_meter_that_is_read_has_no_broken_link() -> None:
    status = walk(facts())
    assert (status.ok, status.broken, status.sentence) == (True, None, "The meter is being read.")
    assert {link.state for link in status.links} == {"good"}
    assert status.advice.de.sentence == "Der Zähler wird gelesen."


@pytest.mark.parametrize(
    ("changes", "broken", "fault"),
    [
        ({"is_open": False, "problem": "unplugged"}, "device", "unplugged"),
        ({"is_open": False, "problem": "permission_directory"}, "permission", "permission_directory"),
        ({"is_open": False, "problem": "busy_unknown"}, "port", "busy_unknown"),
        ({"is_open": False}, "port", "opening"),
        ({"is_open": False, "problem": "silence"}, "data", "silence"),
        (NOTHING, "data", "silence"),
        ({"data_age_s": 61.0}, "data", "fell_silent"),
        ({"data_age_s": 90.0, "usual_interval_s": 61.0}, "data", "rare"),
        ({"data_age_s": 190.0, "usual_interval_s": 61.0}, "data", "fell_silent"),
        ({**NOTHING, "data_age_s": 0.1, "seems": StreamGuess("gps")}, "signal", "gps"),
        ({**NOTHING, "data_age_s": 0.1, "seems": StreamGuess("speed", {"speed": "4800"})}, "signal", "speed"),
        ({**NOTHING, "data_age_s": 0.1, "seems": StreamGuess("d0")}, "protocol", "d0"),
        ({**NOTHING, "data_age_s": 0.1, "faults": {"noise": 9}}, "telegrams", "noise"),
        ({**NOTHING, "data_age_s": 0.1, "problem": "noise", "is_open": False}, "telegrams", "noise"),
        ({**NOTHING, "data_age_s": 0.1, "seems": StreamGuess("never_whole")}, "telegrams", "never_whole"),
        ({**NOTHING, "data_age_s": 0.1, "seems": StreamGuess("first_telegram")}, "telegrams", "first_telegram"),
        ({**NOTHING, "data_age_s": 0.1, "seems": StreamGuess("telnet")}, "telegrams", "telnet"),
        ({"age_s": None}, "values", "no_values"),
        ({"age_s": None, "quarantined": 2}, "values", "held_back"),
        ({"age_s": 75.0}, "fresh", "stale"),
        ({"age_s": 75.0, "usual_interval_s": 61.0}, "fresh", "rare"),
    ],
)
def test_the_first_link_that_keeps_values_away_is_named_and_those_behind_it_are_unknown(
    changes: dict[str, Any], broken: str, fault: str
) -> None:
    status = walk(facts(**changes))
    assert (status.ok, status.broken, status.advice.fault) == (False, broken, fault)
    names = [link.name for link in status.links]
    assert names == list(LABELS)
    states = [link.state for link in status.links]
    at = names.index(broken)
    assert states[at] == "broken"
    assert "broken" not in states[:at]
    assert set(states[at + 1 :]) <= {"unknown"}


def test_a_head_that_lets_few_telegrams_through_is_not_taken_for_a_meter_that_sends_rarely() -> None:
    assert walk(facts(age_s=75.0, usual_interval_s=61.0, recent=quality(1, 11))).advice.fault == "stale"


@pytest.mark.parametrize(
    ("changes", "broken", "fault"),
    [
        ({"recent": quality(90, 10)}, "checksums", "checksums"),
        ({"recent": quality(90, 10, cut=6)}, "checksums", "cut"),
        ({"locked": True}, "unlocked", "locked"),
        ({"leap": CounterViolation("1-0:1.8.0", "500.0", "1.0", 0, True)}, "plausible", "went_back"),
        ({"leap": CounterViolation("1-0:1.8.0", "500.0", "9000.0", 1, False)}, "plausible", "jumped"),
    ],
)
def test_a_link_that_lets_values_through_is_said_while_all_else_is_judged(
    changes: dict[str, Any], broken: str, fault: str
) -> None:
    status = walk(facts(**changes))
    assert (status.ok, status.broken, status.advice.fault) == (True, broken, fault)
    assert [link.state for link in status.links if link.name != broken] == ["good"] * 11


def test_what_keeps_values_away_is_said_before_what_does_not() -> None:
    status = walk(facts(recent=quality(90, 10), age_s=75.0))
    assert (status.ok, status.broken, status.advice.fault) == (False, "checksums", "stale")


def test_a_link_says_it_in_both_languages() -> None:
    (link,) = (link for link in walk(facts(locked=True)).links if link.state == "broken")
    assert link.advice is not None
    assert (link.label.en, link.label.de) == ("Unlocked", "Freigeschaltet")
    assert link.sentence == str(link.advice.en)
    assert "PIN" in link.advice.en.next_step
    assert "gesperrt" in link.advice.de.sentence


def test_what_is_worth_knowing_is_the_sentence_where_nothing_is_broken() -> None:
    status = walk(facts(previous_meter_id="1 ISK 00 87654321", one_way=True))
    assert status.ok
    assert "iskra-server meters replace '1 ISK 00 87654321' '1 ISK 00 12345678'" in status.sentence
    assert [notice.fault for notice in status.notices] == ["other_meter", "one_way"]


def test_what_is_only_worth_knowing_aside_does_not_take_the_sentence() -> None:
    status = walk(facts(one_way=True, simulated=True, phases_missing=("L2",)))
    assert status.sentence == "The meter is being read."
    assert [notice.fault for notice in status.notices] == ["phases", "one_way", "simulated"]


def test_sources_are_judged_with_the_others_in_view() -> None:
    here, there = facts(), facts(port="/dev/ttyUSB1")
    first, second = walk(here, [there]), walk(there, [here])
    assert (first.advice.fault, second.advice.fault) == ("two_heads", "two_heads")
    assert "/dev/ttyUSB1" in first.sentence
