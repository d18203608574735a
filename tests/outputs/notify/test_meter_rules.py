"""Silent, another failed check, locked again: told once, also when it comes and goes, and over a restart."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from diagnosis.well import facts, quality
from iskra_server.diagnosis.facts import CounterViolation, Facts
from iskra_server.diagnosis.status import run_checks
from iskra_server.outputs.notify.memory import Memory, encoded
from iskra_server.outputs.notify.messages import MeterMessage
from iskra_server.outputs.notify.meter_rules import MeterRules

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 11, 27, 14, 0, tzinfo=BERLIN)
LIMIT_S, REPEAT_S = 600.0, 3600.0
NAME = "House"


class Watching:
    """The rules from START on; `at` is in seconds."""

    def __init__(self, memory: Memory | None = None, begin_s: float = 0.0) -> None:
        self.memory = memory or Memory()
        self.rules = MeterRules(self.memory, LIMIT_S, REPEAT_S)
        self.at_s = begin_s
        self.told: list[tuple[str, str]] = []
        self.messages: list[MeterMessage] = []

    def restarted(self) -> "Watching":
        """With what was stored."""
        return Watching(msgspec.json.decode(encoded(self.memory), type=Memory), self.at_s)

    def watch(self, seconds: float, *sources: Facts, every_s: float = 5.0) -> list[tuple[str, str]]:
        """The events of so many seconds, with sources that stay as they are; silent ones grow older."""
        before, begin_s = len(self.told), self.at_s
        while self.at_s < begin_s + seconds:
            statuses = [run_checks(aged(source, self.at_s - begin_s)) for source in sources]
            for message in self.rules.observe(statuses, self.at_s, START + timedelta(seconds=self.at_s)):
                self.told.append((message.event, message.phase))
                self.messages.append(message)
            self.at_s += every_s
        return self.told[before:]


def aged(source: Facts, by_s: float) -> Facts:
    if source.age_s is None or source.age_s < 1:
        return source
    return msgspec.structs.replace(source, age_s=source.age_s + by_s, data_age_s=(source.data_age_s or 0.0) + by_s)


WELL = facts(name=NAME)
SILENT = facts(name=NAME, age_s=1.0, data_age_s=1.0)
NEVER: dict[str, Any] = {"meter_id": None, "age_s": None, "telegrams": 0, "faults": {}, "data_age_s": None}
DAMAGED = facts(name=NAME, last_5min=quality(50, 50))


@pytest.fixture
def watching() -> Iterator[Watching]:
    yield Watching()


def test_a_meter_that_falls_silent_is_told_once_and_its_return_once(watching: Watching) -> None:
    assert watching.watch(60, WELL) == []
    assert watching.watch(590, SILENT) == []
    assert watching.watch(7200, facts(name=NAME, age_s=590.0, data_age_s=590.0)) == [("silent", "begin")]
    assert watching.watch(55, WELL) == []
    assert watching.watch(600, WELL) == [("silent", "end")]
    begin, end = watching.messages
    assert begin.texts["en"].title == "House: no reading since 14:01"
    assert begin.texts["de"].title == "House: seit 14:01 Uhr kein Wert"
    assert begin.texts["de"].body.startswith("An /dev/ttyUSB0 kommen seit 600 s keine Daten mehr an.")
    assert "from 14:01 to 16:10 (2 h 10 min)" in end.texts["en"].body
    assert "Von 14:01 bis 16:10 Uhr (2 Std. 10 Min.) kam kein Wert an." in end.texts["de"].body
    assert (begin.meter, begin.meter_name) == ("1 ISK 00 12345678", NAME)


def test_short_silence_is_not_told(watching: Watching) -> None:
    for _ in range(20):
        assert watching.watch(500, SILENT) == []
        assert watching.watch(30, WELL) == []


def test_one_that_comes_and_goes_is_told_once_an_hour(watching: Watching) -> None:
    events = [event for _ in range(12) for event in (*watching.watch(700, SILENT), *watching.watch(100, WELL))]
    # 12 times within 9,600 s
    assert events == [("silent", "begin"), ("silent", "end")] * 3


def test_over_a_restart_neither_is_told_twice(watching: Watching) -> None:
    watching.watch(30, WELL)
    assert watching.watch(700, SILENT) == [("silent", "begin")]
    again = watching.restarted()
    unread = facts(**NEVER)
    assert again.watch(2000, unread) == []
    assert again.restarted().watch(100, WELL) == [("silent", "end")]


def test_one_that_is_never_read_is_told_with_its_fault(watching: Watching) -> None:
    missing = facts(**NEVER, is_open=False, problem="missing", port="/dev/ttyUSB0")
    assert watching.watch(1200, missing) == [("silent", "begin")]
    (message,) = watching.messages
    assert message.texts["en"].title == "/dev/ttyUSB0: no reading yet"
    assert message.texts["en"].body.startswith("/dev/ttyUSB0")


def test_a_check_that_fails_while_values_arrive_is_a_fault(watching: Watching) -> None:
    assert watching.watch(590, DAMAGED) == []
    assert watching.watch(3000, DAMAGED) == [("fault", "begin")]
    assert watching.watch(600, WELL) == [("fault", "end")]
    assert watching.messages[0].texts["de"].title == "House: Störung"
    assert "50 %" in watching.messages[0].texts["de"].body
    assert "Sie dauerte von" in watching.messages[1].texts["de"].body


def test_a_fault_that_becomes_silence_ends_with_it(watching: Watching) -> None:
    assert watching.watch(700, DAMAGED) == [("fault", "begin")]
    assert watching.watch(700, SILENT) == [("silent", "begin")]
    assert watching.watch(100, WELL) == [("silent", "end")]


def test_held_back_readings_are_a_fault(watching: Watching) -> None:
    violation = CounterViolation("1-0:1.8.0", "10 Wh", "5 Wh", 3, is_decrease=True)
    assert watching.watch(700, facts(counter_violation=violation)) == [("fault", "begin")]


def test_a_meter_that_locks_again_is_told_once(watching: Watching) -> None:
    locked = facts(name=NAME, locked=True, has_power=False, locked_at=START)
    assert watching.watch(300, locked) == []
    assert watching.watch(120, WELL) == []
    assert watching.watch(3000, locked) == [("locked", "begin")]
    assert watching.messages[0].texts["de"].title == "House: wieder gesperrt"
    assert "PIN" in watching.messages[0].texts["de"].body
    # also one that was unlocked before a restart
    assert watching.watch(3000, WELL) == []
    assert watching.restarted().watch(120, locked) == [("locked", "begin")]


def test_of_two_heads_on_one_meter_one_may_fail(watching: Watching) -> None:
    other = facts(source="/dev/ttyUSB1", name=NAME)
    broken = facts(source="/dev/ttyUSB1", name=NAME, age_s=700.0, data_age_s=700.0)
    assert watching.watch(60, WELL, other) == []
    assert watching.watch(700, WELL, broken) == []
    assert watching.watch(700, SILENT, broken) == [("silent", "begin")]


def test_simulated_meters_say_so(watching: Watching) -> None:
    watching.watch(700, facts(name=NAME, simulated=True, age_s=1.0, data_age_s=1.0))
    assert watching.messages[0].simulated
