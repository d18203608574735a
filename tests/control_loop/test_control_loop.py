"""Batteries that follow the real server: they keep the household at zero, and stop where the meter does not send.

Seconds are those of the household, which runs faster than real time.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec import Struct

from control_loop.batteries import (
    B2500,
    HOYMILES,
    HOYMILES_DAMPED,
    JUPITER,
    JUPITER_ECOTRACKER,
    VENUS,
    VENUS_D,
    Model,
)
from control_loop.control_loop import Loop, run
from control_loop.devices import ECOTRACKER, SHELLY_HTTP, SHELLY_UDP, SHELLY_WEBSOCKET, Device
from control_loop.figures import BAND_W, between
from control_loop.household import Household
from control_loop.scenario import STEP_W, Report, scenario
from running import DEADLINE_S

SPEED = 5.0
# the quick test waits until it has seen what it wants, so that a disturbance only costs time
QUICK_SPEED = 8.0
TOGETHER = 3
# a busy machine disturbs a run; a loop that swings does so in each of them
RUNS = 3
STALE_AFTER_S = 6.0
PERIODS = {"IES_EMULATION_STALE_AFTER_S": STALE_AFTER_S, "IES_EMULATION_WAIT_FRESH_S": 2.0}
SETTLED_S, STILL_S = 4.0, 3.0
# real seconds, from the telegram to the answer on a busy machine
LATE_S = 2.0
OLDEST_S = STALE_AFTER_S + LATE_S * QUICK_SPEED


async def until_settled(household: Household) -> None:
    """Until the power at the meter has stayed within the band for a while."""
    while True:
        end_s = household.clock.now_s() + SETTLED_S
        await household.run_until(end_s)
        if all(abs(moment.grid_w) <= BAND_W for moment in between(household.record, end_s - SETTLED_S, end_s)):
            return
        assert end_s < DEADLINE_S * QUICK_SPEED, household.record[-100:]


async def step_and_pull(household: Household) -> None:
    """A step of the load, and when it is balanced, no telegrams any more until nothing moves."""
    await until_settled(household)
    household.load_w += STEP_W
    await until_settled(household)
    household.is_silent = True
    pulled_s = household.clock.now_s()
    await household.run_until(pulled_s + OLDEST_S)
    while any(battery.power_w for battery in household.batteries):
        await household.run_until(household.clock.now_s() + 1)
        assert household.clock.now_s() < DEADLINE_S * QUICK_SPEED, household.record[-100:]
    household.record.clear()
    await household.run_until(household.clock.now_s() + STILL_S)


def test_batteries_keep_a_household_at_zero_and_stop_without_telegrams() -> None:
    """One that asks an EcoTracker and one that asks a Shelly by UDP share the power; both stop and stay so."""
    followers = (ECOTRACKER, VENUS_D), (SHELLY_UDP, VENUS)
    household = run(Loop(followers, 1.0, {"IES_EMULATION_BATTERIES": "2"}, PERIODS, QUICK_SPEED), step_and_pull)
    assert {moment.batteries_w for moment in household.record} == {(0.0, 0.0)}
    last_s, _ = household.sent[-1]
    for battery in household.batteries:
        assert battery.failures > 0
        # a battery goes on with its last target, so the last answer says how old a value can be; a busy machine may
        # hand it over late
        assert battery.asked_s - last_s < OLDEST_S


class Case(Struct, frozen=True):
    """As `scenario` is called."""

    followers: Sequence[tuple[Device, Model]]
    interval_s: float = 1.0
    wait_fresh_s: float = 2.0
    batteries: int = 1

    def report(self) -> Report:
        return scenario(
            self.followers, self.interval_s, SPEED, wait_fresh_s=self.wait_fresh_s, batteries=self.batteries
        )

    def is_steady(self) -> bool:
        """Settles after each step and does not swing, in one of a few runs; without telegrams nothing moves."""
        return any(is_steady(self.report()) for _ in range(RUNS))


def is_steady(report: Report) -> bool:
    settled = report.up.settled_s is not None and report.down.settled_s is not None
    return settled and report.up.crossings == 0 and report.beyond_wh == 0


STEADY = [
    Case([(device, model)], interval_s)
    for device, models in (
        (ECOTRACKER, (VENUS, VENUS_D)),
        (SHELLY_UDP, (VENUS, VENUS_D, B2500, JUPITER)),
        # Growatt asks every three seconds
        (SHELLY_HTTP, (JUPITER,)),
        (SHELLY_WEBSOCKET, (HOYMILES, HOYMILES_DAMPED)),
    )
    for model in models
    for interval_s in (1.0, 2.0)
]


@pytest.mark.slow
def test_every_device_keeps_every_battery_steady_with_meters_of_one_and_two_seconds() -> None:
    with ThreadPoolExecutor(TOGETHER) as threads:
        steady = threads.map(Case.is_steady, STEADY)
        assert [case for case, is_steady in zip(STEADY, steady, strict=True) if not is_steady] == []


@pytest.mark.slow
def test_a_battery_that_asks_more_often_than_the_meter_sends_swings_without_waiting() -> None:
    """What wait_fresh_s is for."""
    found = Case([(ECOTRACKER, HOYMILES)], wait_fresh_s=0.0).report()
    assert found.up.settled_s is None or found.down.settled_s is None
    assert found.beyond_wh == 0


@pytest.mark.slow
def test_shares_keep_a_battery_steady_that_gets_the_same_telegram_several_times() -> None:
    """A meter of ten seconds: an answer every two seconds shows a fifth of the error."""
    found = Case([(ECOTRACKER, VENUS_D)], interval_s=10.0, batteries=5).report()
    assert found.up.crossings == 0
    assert found.up.amplitude_w < STEP_W / 8
    assert found.beyond_wh == 0


@pytest.mark.slow
def test_two_batteries_are_steady_with_shares_alone() -> None:
    both = [(ECOTRACKER, VENUS_D), (ECOTRACKER, VENUS_D)]
    assert not is_steady(Case(both, batteries=1).report())
    assert Case(both, batteries=2).is_steady()


@pytest.mark.slow
def test_one_that_asks_every_13_seconds_is_steady_within_three_answers() -> None:
    found = Case([(ECOTRACKER, JUPITER_ECOTRACKER)]).report()
    assert found.up.settled_s is not None
    assert found.up.settled_s < 3 * JUPITER_ECOTRACKER.poll_s
    assert (found.up.crossings, found.beyond_wh) == (0, 0)
