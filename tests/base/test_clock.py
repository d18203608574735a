import time

import pytest

from iskra_server.base import clock
from iskra_server.base.clock import (
    DAY_S,
    SETTLE_S,
    STEP_S,
    WAIT_S,
    Clock,
    Doubt,
    Step,
    boottime_s,
    possible_pause_s,
    wall_ahead_s,
)
from iskra_server.base.system_clock import FIRST_MOMENT_S


def test_boot_time_is_the_systems_and_runs_forward() -> None:
    first = boottime_s()
    assert first <= boottime_s()
    if hasattr(time, "CLOCK_BOOTTIME"):
        assert boottime_s() == pytest.approx(time.clock_gettime(time.CLOCK_BOOTTIME), abs=5)


@pytest.mark.parametrize(
    ("step_s", "unseen"), [(0.0, 0.0), (STEP_S, 0.0), (STEP_S + 1, STEP_S + 1), (8 * 3600.0, 8 * 3600.0), (-900.0, 0.0)]
)
def test_only_a_step_forward_may_be_a_pause(step_s: float, unseen: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "boottime_s", lambda: 1000.0)
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0)
    then = wall_ahead_s()
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0 + step_s)
    assert possible_pause_s(then) == unseen


NOW_S = FIRST_MOMENT_S + 300 * DAY_S
YEAR_S = 365 * DAY_S


class Machine:
    """Both clocks of a computer, and what its kernel says; `run` lets time pass, `set` sets the wall clock."""

    def __init__(self, ahead_s: float = NOW_S, *, has_own: bool = True, synchronised: bool | None = False) -> None:
        self.boot_s, self.ahead_s, self.synchronised = 0.0, ahead_s, synchronised
        self.clock = Clock(
            wall_s=lambda: self.boot_s + self.ahead_s,
            boot_s=lambda: self.boot_s,
            synchronised=lambda: self.synchronised,
            has_own=has_own,
        )
        self.clock.update()

    def run(self, seconds: float) -> Doubt | None:
        for _ in range(10):
            self.boot_s += seconds / 10
            self.clock.update()
        return self.clock.doubt()

    def set(self, by_s: float, *, by_network: bool = False) -> Doubt | None:
        self.ahead_s += by_s
        self.synchronised = self.synchronised or by_network
        self.clock.update()
        return self.clock.doubt()


def test_a_computer_with_a_hardware_clock_is_trusted_from_the_start() -> None:
    machine = Machine()
    assert (machine.run(10), machine.clock.pop_step(), machine.clock.is_settled) == (None, None, True)


@pytest.mark.parametrize("ahead_s", [0.0, FIRST_MOMENT_S - 3600])
def test_a_time_before_this_program_is_not_trusted_even_if_synchronised(ahead_s: float) -> None:
    assert Machine(ahead_s, synchronised=True).run(10) == "unset"


def test_an_unset_clock_is_trusted_once_it_is_set() -> None:
    machine = Machine(0.0)
    machine.run(100)
    assert machine.clock.pop_step() is None
    assert machine.set(NOW_S) is None
    assert machine.clock.pop_step() == Step(100.0, NOW_S + 100, "unset")
    assert machine.clock.pop_step() is None


@pytest.mark.parametrize("by_s", [3.0, 3600.0])
def test_a_computer_without_a_hardware_clock_waits_for_time_synchronisation(by_s: float) -> None:
    """The correction may be too small to be a step."""
    machine = Machine(has_own=False)
    assert machine.run(3600) == "unset"
    assert machine.set(by_s, by_network=True) is None or machine.run(2) is None


def test_a_computer_without_a_hardware_clock_is_trusted_after_a_day_without_synchronisation() -> None:
    machine = Machine(has_own=False, synchronised=None)
    assert machine.run(WAIT_S - 1) == "unset"
    assert machine.run(2) is None


@pytest.mark.parametrize("by_s", [YEAR_S, 3600.0, -3600.0, 61.0])
def test_a_clock_is_trusted_again_two_minutes_after_a_step(by_s: float) -> None:
    machine = Machine()
    machine.run(100)
    assert machine.set(by_s) == "stepped"
    assert machine.run(SETTLE_S - 1) == "stepped"
    assert machine.run(2) is None
    assert machine.clock.pop_step() == Step(NOW_S + 101 + SETTLE_S, NOW_S + by_s + 101 + SETTLE_S, "stepped")
    assert not machine.clock.is_settled
    assert machine.run(DAY_S) is None
    assert machine.clock.is_settled


def test_a_clock_that_is_set_back_to_the_old_time_is_trusted_at_once() -> None:
    machine = Machine(synchronised=True)
    assert machine.set(YEAR_S) == "stepped"
    machine.run(30)
    assert machine.set(-YEAR_S) is None
    assert machine.clock.pop_step() is None


def test_late_time_synchronisation_is_trusted_at_once() -> None:
    machine = Machine()
    machine.run(100)
    assert machine.set(7200, by_network=True) is None
    step = machine.clock.pop_step()
    assert step is not None
    assert step.to_s - step.from_s == 7200


@pytest.mark.parametrize(("lived_s", "doubt"), [(61, "behind"), (DAY_S, "behind"), (60, None), (DAY_S + 1, None)])
def test_a_clock_earlier_than_recorded_times_is_not_trusted(lived_s: float, doubt: Doubt | None) -> None:
    """More than a day ahead, it was the other clock that was wrong."""
    machine = Machine()
    machine.clock.note_recorded(NOW_S + lived_s)
    assert machine.clock.doubt() == doubt
    machine.run(lived_s + 1)
    assert machine.clock.doubt() is None


def test_a_meters_clock_shows_that_the_wall_clock_stood_still() -> None:
    machine = Machine()
    machine.clock.note_standstill()
    assert machine.run(3600) == "stood"
    assert machine.set(3600) is None


def test_a_step_that_a_meters_clock_confirms_is_trusted() -> None:
    machine = Machine()
    assert machine.set(8 * 3600) == "stepped"
    machine.clock.accept_step()
    assert machine.clock.doubt() is None


def test_after_a_long_gap_the_clock_is_settled_only_after_a_day() -> None:
    machine = Machine()
    machine.clock.restart_settling()
    assert (machine.run(DAY_S - 1), machine.clock.is_settled) == (None, False)
    assert (machine.run(2), machine.clock.is_settled) == (None, True)


def test_a_restart_of_the_program_does_not_wait_another_day() -> None:
    clock = Clock(wall_s=lambda: NOW_S, boot_s=lambda: WAIT_S + 1, synchronised=lambda: False, has_own=False)
    clock.update()
    assert clock.doubt() is None
    # that the meter counted on is known since this program runs
    clock.note_standstill()
    assert clock.doubt() == "stood"
