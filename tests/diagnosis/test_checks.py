"""Limits of every check."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import structs

from diagnosis.well import facts, quality
from iskra_server.diagnosis.advice import Advice
from iskra_server.diagnosis.checks import CHECKS
from iskra_server.diagnosis.facts import StreamQuality, UnreadableTelegram
from iskra_server.diagnosis.notices import notices
from iskra_server.diagnosis.stream_guess import StreamGuess

JUDGE = dict(CHECKS)
LOCKED_AT = datetime(2026, 11, 26, 14, 5, tzinfo=UTC)


def fault(check: str, **changes: Any) -> str | bool | None:
    """The fault of a check, True where it passes, None where it is unknown."""
    verdict = JUDGE[check](facts(**changes))
    return verdict.fault if isinstance(verdict, Advice) else verdict


@pytest.mark.parametrize(
    ("valid", "damaged", "expected"),
    [(0, 0, None), (95, 5, True), (94, 6, "checksums"), (1, 2, True), (1, 3, "checksums"), (0, 1, "checksums")],
)
def test_more_than_five_in_a_hundred_damaged_are_too_many_but_one_or_two_say_nothing(
    valid: int, damaged: int, expected: object
) -> None:
    assert fault("checksums", last_5min=quality(valid, damaged)) == expected


@pytest.mark.parametrize(("damaged", "expected"), [(1, "first_telegram"), (2, "no_valid_telegram")])
def test_telegrams_that_only_begin_are_never_whole(damaged: int, expected: str | None) -> None:
    assert fault("telegrams", telegrams=0, faults={"cut": damaged, "noise": 9}) == expected


@pytest.mark.parametrize(
    "seems", ["first_telegram", "no_valid_telegram", "telnet", "line_ends", "characters", "seven_bits"]
)
@pytest.mark.parametrize("damaged", [0, 1])
def test_bytes_of_telegrams_tell_what_is_wrong_with_them(seems: str, damaged: int) -> None:
    facts = {"telegrams": 0, "faults": {"cut": damaged, "noise": 9}, "stream_guess": StreamGuess(seems)}
    assert fault("telegrams", **facts) == seems


def test_a_capture_without_a_valid_telegram_is_told_of_by_its_bytes() -> None:
    ended = {"is_open": False, "problem": "ended", "data_age_s": 3600.0, "stream_guess": StreamGuess("telnet")}
    assert [fault(name, telegrams=0, **ended) for name in ("port", "data", "signal")] == [True] * 3
    assert fault("telegrams", telegrams=0, faults={"checksum": 3}, **ended) == "telnet"
    assert fault("port", telegrams=3, **ended) == fault("port", telegrams=0, **(ended | {"byte_count": 0})) == "ended"
    # how fast it is read is no property of its meter
    zeros = StreamGuess("flat", {"percent": "100", "byte": "00"})
    as_fast = StreamQuality(300, 0, 0, 0, 40_000, None, bytes_per_s=9_600.0)
    assert fault("signal", telegrams=0, **(ended | {"last_5min": as_fast, "stream_guess": zeros})) == "flat"


@pytest.mark.parametrize(
    "more",
    [
        {"faults": {"cut": 1}},
        {"protocol": "d0", "faults": {}},
        # it was said as long as the telegrams were new
        {"faults": {}, "unreadable": {"encrypted": 3}},
    ],
)
def test_a_capture_with_a_part_of_a_telegram_has_ended_and_brings_no_more(more: dict[str, Any]) -> None:
    ended = {"is_open": False, "problem": "ended", "data_age_s": 3600.0, "telegrams": 0}
    assert fault("port", **(ended | more)) == "ended"


@pytest.mark.parametrize(("quarantined", "expected"), [(0, "no_values"), (2, "held_back")])
def test_telegrams_without_a_reading_are_said_to_arrive_only_where_some_did(quarantined: int, expected: str) -> None:
    assert fault("telegrams", telegrams=3, age_s=None) is True
    assert fault("values", telegrams=3, age_s=None, quarantined=quarantined) == expected


@pytest.mark.parametrize(
    ("locked_at", "unlocked_for_s", "expected"),
    [
        (None, None, "locked"),
        (LOCKED_AT, None, "relocked"),
        (LOCKED_AT, 121.0, "inf_off"),
        (LOCKED_AT, 5000.0, "relocked"),
        (LOCKED_AT, 20.0, "relocked"),
    ],
)
def test_how_long_it_was_unlocked_tells_why_it_locked(
    locked_at: datetime | None, unlocked_for_s: float | None, expected: str
) -> None:
    assert fault("unlocked", locked=True, locked_at=locked_at, unlocked_for_s=unlocked_for_s) == expected


def test_the_time_of_relocking_is_told() -> None:
    verdict = JUDGE["unlocked"](facts(locked=True, locked_at=LOCKED_AT))
    assert isinstance(verdict, Advice)
    assert "2026-11-26 14:05 UTC" in verdict.en.sentence
    assert "2026-11-26 14:05 UTC" in verdict.de.sentence


def test_a_meter_without_a_total_is_neither_locked_nor_unlocked() -> None:
    assert fault("unlocked", locked=None) is None


@pytest.mark.parametrize("kind", ["encrypted", "wrong_key", "not_authentic", "replayed", "layout"])
def test_a_whole_telegram_that_cannot_be_used(kind: str) -> None:
    """It is neither damaged nor missing, so the values are; beside other telegrams it is a notice."""
    telegram = UnreadableTelegram(kind, "unknown list of 17 elements", "1 ISK 00 70000001", ("u4 8",))
    facts_of_it = {"telegrams": 0, "age_s": None, "last_unreadable": telegram, "last_5min": quality()}
    assert fault("telegrams", **facts_of_it) is True
    assert fault("values", **facts_of_it) == kind
    assert fault("fresh", age_s=75.0, last_unreadable=telegram) == kind
    assert [notice.fault for notice in notices(facts(last_unreadable=telegram))] == [kind]


def test_an_unknown_list_says_how_long_it_is_and_whose() -> None:
    telegram = UnreadableTelegram("layout", "unknown list of 17 elements")
    advice = JUDGE["values"](facts(age_s=None, telegrams=0, last_unreadable=telegram))
    assert isinstance(advice, Advice)
    assert "a list of 17 values" in advice.en.sentence
    assert "/dev/ttyUSB0" in advice.de.sentence
    assert "support bundle" in advice.en.next_step


@pytest.mark.parametrize(
    ("line", "rate", "expected"),
    [("9600 8N1", 901.0, "no_pause"), ("115200 8N1", 1300.0, None), ("", 901.0, "no_pause"), ("", 900.0, None)],
)
def test_a_faster_line_carries_more(line: str, rate: float, expected: object) -> None:
    silent = structs.replace(quality(), byte_count=9000, bytes_per_s=rate)
    assert fault("signal", last_5min=silent, telegrams=0, line=line, stream_guess=None) == expected
