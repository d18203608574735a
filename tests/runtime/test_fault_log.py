"""A meter that fails is in the log once, in the words of the status, and so is its recovery."""

import logging
from typing import Any

import pytest

from diagnosis.well import facts, quality
from faults.scene import FIRST_ENERGY, scene
from iskra_server.diagnosis.advice import advise
from iskra_server.diagnosis.facts import CounterViolation
from iskra_server.diagnosis.status import run_checks
from iskra_server.diagnosis.stream_guess import StreamGuess
from iskra_server.outputs.state import OutputState
from iskra_server.runtime.fault_log import FAILS_AFTER_S, HEALTHY_AFTER_S, FaultLog, log_notices
from running import until

SILENT: dict[str, Any] = {"data_age_s": 61.0}
LOCKED: dict[str, Any] = {"locked": True}


class Clock:
    """Looks at a meter every second."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, "iskra_server.runtime.fault_log")
        self._caplog = caplog
        self._now_s = 0.0
        self._log = FaultLog(lambda: self._now_s)

    def see(self, seconds: float, **changes: Any) -> list[str]:
        """What is logged within so many seconds."""
        self._caplog.clear()
        for _ in range(int(seconds)):
            self._now_s += 1
            self._log.observe(run_checks(facts(**changes)))
        return [record.getMessage() for record in self._caplog.records]


@pytest.fixture
def clock(caplog: pytest.LogCaptureFixture) -> Clock:
    """Of a server that has read the meter already."""
    clock = Clock(caplog)
    clock.see(1)
    return clock


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        (SILENT, "Nothing has arrived on /dev/ttyUSB0 for 61 s"),
        (LOCKED, "The meter sends whole kWh and no power because it is locked."),
        ({"last_5min": quality(5, 5)}, "Only 50 % of the telegrams are valid"),
        ({"telegrams": 0, "age_s": None, "stream_guess": StreamGuess("telnet"), "locked": None}, "Every byte FF"),
        ({"age_s": 99.0}, "The last reading is 99 s old."),
    ],
)
def test_a_failed_check_is_logged_once_and_its_recovery_once(clock: Clock, changes: dict[str, Any], part: str) -> None:
    assert clock.see(1000) == []
    (line,) = clock.see(1000, **changes)
    assert line.startswith(f"/dev/ttyUSB0: {part}")
    assert clock.see(1000) == ["/dev/ttyUSB0: The meter is being read again."]


def test_a_moment_is_no_fault_and_a_moment_is_no_recovery(clock: Clock) -> None:
    for _ in range(5):
        assert clock.see(FAILS_AFTER_S - 1, **SILENT) == []
        assert clock.see(1) == []
    assert len(clock.see(100, **SILENT)) == 1
    for _ in range(5):
        assert clock.see(HEALTHY_AFTER_S - 1) == []
        assert clock.see(100, **SILENT) == []


def test_the_stages_of_a_search_are_logged_once(clock: Clock) -> None:
    never: dict[str, Any] = {"telegrams": 0, "age_s": None, "data_age_s": None, "locked": None, "protocol": "",
                             "problem": "silence", "meter_id": None}  # fmt: skip
    (line,) = clock.see(100, **never, line="9600 8N1")
    assert "Nothing has arrived on /dev/ttyUSB0 so far" in line
    assert clock.see(100, **never, line="300 8N1") == []
    assert clock.see(100, **never, line="9600 8N1", poll="silent") == []


def test_a_meter_that_is_found_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "iskra_server.runtime.fault_log")
    faults = FaultLog()
    for _ in range(3):
        faults.observe(run_checks(facts(protocol="sml", line="9600 8N1")))
    (record,) = caplog.records
    assert record.getMessage() == f"/dev/ttyUSB0: reading meter {facts().meter_id}, SML, 9600 8N1"


def test_another_fault_is_logged_too(clock: Clock) -> None:
    assert len(clock.see(100, **LOCKED)) == 1
    assert len(clock.see(100, **LOCKED, **SILENT)) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"is_open": False, "problem": "unplugged"},
        {"is_open": False, "problem": "permission_directory"},
        {"is_open": False},
        {"age_s": None, "quarantined": 2},
        {"counter_violation": CounterViolation("1.8.0", "2", "1", 0, is_decrease=True)},
        {"telegrams": 0, "age_s": None, "stream_guess": StreamGuess("first_telegram"), "locked": None},
    ],
)
def test_what_others_log_is_not_logged_twice(clock: Clock, changes: dict[str, Any]) -> None:
    assert clock.see(100, **changes) == []
    assert clock.see(100) == []


def test_a_name_with_a_percent_sign_is_logged_as_it_is(clock: Clock) -> None:
    assert clock.see(100, name="50 %s", **LOCKED)[0].startswith("50 %s: The meter sends whole kWh")


@pytest.mark.slow
def test_the_server_logs_a_silent_head_and_a_locked_meter() -> None:
    with scene() as staged:
        other = staged.plug(staged.folder, "second-head")
        staged.serve(staged.head.link, other.link)
        locked = staged.good(energy=FIRST_ENERGY // 10_000, scaler=3, power=None)

        def is_logged() -> bool:
            other.send(locked)
            log = staged.server.log
            return (
                f"{staged.head.link}: Nothing has arrived on" in log
                and f"{other.link}: The meter sends whole kWh" in log
            )

        until(is_logged, every_s=1.0)


def test_a_notice_of_an_output_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "iskra_server.runtime.fault_log")
    notice = advise("nothing_asks", {"minutes": "10"})
    ecotracker, vzlogger, sunspec = (
        OutputState(name, ok=True, notices=(notice,)) for name in ("ecotracker", "vzlogger", "sunspec")
    )
    outputs = [OutputState("mqtt", ok=True), ecotracker, vzlogger]
    logged = set(log_notices(outputs, ()))
    assert logged == {("ecotracker", "nothing_asks"), ("vzlogger", "nothing_asks")}
    assert set(log_notices(outputs, logged)) == set()
    assert set(log_notices([*outputs, sunspec], logged)) == {("sunspec", "nothing_asks")}
    assert [line.getMessage() for line in caplog.records] == [
        f"ecotracker, vzlogger: {notice.en}",
        f"sunspec: {notice.en}",
    ]
