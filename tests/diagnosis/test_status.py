from typing import Any

import pytest

from diagnosis.well import facts, quality
from iskra_server.diagnosis.advice import LABELS
from iskra_server.diagnosis.facts import CounterViolation
from iskra_server.diagnosis.status import run_checks
from iskra_server.diagnosis.stream_guess import StreamGuess

NOTHING: dict[str, Any] = {
    "data_age_s": None,
    "byte_count": 0,
    "telegrams": 0,
    "faults": {},
    "age_s": None,
    "last_5min": quality(),
    "meter_id": None,
    "locked": None,
}


def test_a_meter_that_is_read_passes_all_checks() -> None:
    status = run_checks(facts())
    assert (status.ok, status.failed_check, status.sentence) == (True, None, "The meter is being read.")
    assert {check.state for check in status.checks} == {"passed"}
    assert status.advice.de.sentence == "Der Zähler wird gelesen."


@pytest.mark.parametrize(
    ("changes", "failed", "fault"),
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
        ({**NOTHING, "data_age_s": 0.1, "stream_guess": StreamGuess("gps")}, "signal", "gps"),
        ({**NOTHING, "data_age_s": 0.1, "stream_guess": StreamGuess("speed", {"speed": "4800"})}, "signal", "speed"),
        ({**NOTHING, "data_age_s": 0.1, "stream_guess": StreamGuess("amis")}, "protocol", "amis"),
        ({**NOTHING, "data_age_s": 0.1, "faults": {"noise": 9}}, "telegrams", "noise"),
        ({**NOTHING, "data_age_s": 0.1, "problem": "noise", "is_open": False}, "telegrams", "noise"),
        (
            {**NOTHING, "data_age_s": 0.1, "stream_guess": StreamGuess("no_valid_telegram")},
            "telegrams",
            "no_valid_telegram",
        ),
        ({**NOTHING, "data_age_s": 0.1, "stream_guess": StreamGuess("first_telegram")}, "telegrams", "first_telegram"),
        ({**NOTHING, "data_age_s": 0.1, "stream_guess": StreamGuess("telnet")}, "telegrams", "telnet"),
        ({"age_s": None}, "values", "no_values"),
        ({"age_s": None, "quarantined": 2}, "values", "held_back"),
        ({"age_s": 75.0}, "fresh", "stale"),
        ({"age_s": 75.0, "usual_interval_s": 61.0}, "fresh", "rare"),
    ],
)
def test_the_first_check_without_which_no_value_arrives_fails_and_the_next_are_unknown(
    changes: dict[str, Any], failed: str, fault: str
) -> None:
    status = run_checks(facts(**changes))
    assert (status.ok, status.failed_check, status.advice.fault) == (False, failed, fault)
    names = [check.name for check in status.checks]
    assert names == list(LABELS)
    states = [check.state for check in status.checks]
    at = names.index(failed)
    assert states[at] == "failed"
    assert "failed" not in states[:at]
    assert set(states[at + 1 :]) <= {"unknown"}


def test_a_head_that_lets_few_telegrams_through_is_not_taken_for_a_meter_that_sends_rarely() -> None:
    assert run_checks(facts(age_s=75.0, usual_interval_s=61.0, last_5min=quality(1, 11))).advice.fault == "stale"


@pytest.mark.parametrize(
    ("changes", "failed", "fault"),
    [
        ({"last_5min": quality(90, 10)}, "checksums", "checksums"),
        ({"last_5min": quality(90, 10, cut=6)}, "checksums", "cut"),
        ({"locked": True}, "unlocked", "locked"),
        ({"counter_violation": CounterViolation("1-0:1.8.0", "500.0", "1.0", 0, True)}, "plausible", "went_back"),
        ({"counter_violation": CounterViolation("1-0:1.8.0", "500.0", "9000.0", 1, False)}, "plausible", "jumped"),
    ],
)
def test_a_check_fails_although_values_arrive(changes: dict[str, Any], failed: str, fault: str) -> None:
    status = run_checks(facts(**changes))
    assert (status.ok, status.failed_check, status.advice.fault) == (True, failed, fault)
    assert [check.state for check in status.checks if check.name != failed] == ["passed"] * 11


def test_the_sentence_is_about_missing_values_first() -> None:
    status = run_checks(facts(last_5min=quality(90, 10), age_s=75.0))
    assert (status.ok, status.failed_check, status.advice.fault) == (False, "checksums", "stale")


def test_a_failed_check_has_both_languages() -> None:
    (check,) = (check for check in run_checks(facts(locked=True)).checks if check.state == "failed")
    assert check.advice is not None
    assert (check.label.en, check.label.de) == ("Unlocked", "Freigeschaltet")
    assert check.sentence == str(check.advice.en)
    assert "PIN" in check.advice.en.next_step
    assert "gesperrt" in check.advice.de.sentence


def test_a_notice_is_the_sentence_where_no_check_fails() -> None:
    status = run_checks(facts(previous_meter_id="1 ISK 00 87654321", is_import_only=True))
    assert status.ok
    assert "iskra-server meters replace '1 ISK 00 87654321' '1 ISK 00 12345678'" in status.sentence
    assert [notice.fault for notice in status.notices] == ["other_meter", "import_only"]


def test_a_minor_notice_is_not_the_sentence() -> None:
    status = run_checks(facts(is_import_only=True, simulated=True, phases_missing=("L2",)))
    assert status.sentence == "The meter is being read."
    assert [notice.fault for notice in status.notices] == ["phases", "import_only", "simulated"]


def test_two_heads_on_one_meter_are_noticed() -> None:
    here, there = facts(), facts(port="/dev/ttyUSB1")
    first, second = run_checks(here, [there]), run_checks(there, [here])
    assert (first.advice.fault, second.advice.fault) == ("two_heads", "two_heads")
    assert "/dev/ttyUSB1" in first.sentence
