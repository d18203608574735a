"""The simulated batteries without a meter: what each does with an answer, and without one."""

import pytest

from control_loop.batteries import (
    B2500,
    DEAD_TIME_S,
    IDLE_AFTER_S,
    JUPITER_ECOTRACKER,
    MODELS,
    VENUS,
    VENUS_D,
    BandAndSteps,
    Battery,
    Model,
)

STEP_S = 0.02


def after(battery: Battery, begin: float, length_s: float) -> float:
    """Its power when `length_s` have passed without an answer."""
    for number in range(1, round(length_s / STEP_S) + 1):
        battery.advance(begin + number * STEP_S, STEP_S)
    return battery.power_w


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_battery_without_a_meter_stays_idle(model: Model) -> None:
    battery = Battery(model)
    battery.answer(None, 1.0)
    assert after(battery, 0, 20) == 0
    assert battery.failures == 1


def test_an_order_waits_for_the_dead_time_and_follows_the_ramp() -> None:
    battery = Battery(VENUS_D)
    battery.answer(805, 0.0)
    assert after(battery, 0, DEAD_TIME_S - STEP_S) == 0
    assert after(battery, DEAD_TIME_S - STEP_S, 0.4 + STEP_S) == pytest.approx(400, abs=25)
    assert after(battery, DEAD_TIME_S + 0.4, 0.6) == pytest.approx(800)


def test_it_goes_idle_some_seconds_after_the_last_answer() -> None:
    battery = Battery(VENUS_D)
    battery.answer(805, 0.0)
    assert after(battery, 0, IDLE_AFTER_S - STEP_S) == pytest.approx(800)
    assert after(battery, IDLE_AFTER_S - STEP_S, 1.0) == 0


def test_one_that_polls_slowly_waits_for_its_next_poll() -> None:
    battery = Battery(JUPITER_ECOTRACKER)
    battery.answer(100, 0.0)
    assert after(battery, 0, 15) == pytest.approx(90)
    assert after(battery, 15, 2) == 0


def test_venus_ignores_its_band_and_single_spikes_and_limits_its_steps() -> None:
    rule = BandAndSteps()
    assert rule(15, 100) == 100
    assert rule(900, 100) == 100
    assert rule(900, 100) == 500
    assert rule(-40, 500) == 500
    assert rule(-40, 500) == 460


def test_rules_of_the_others() -> None:
    assert VENUS_D.rule()(105, 200) == 300
    assert B2500.rule()(100, 200) == 290


def test_a_battery_gives_what_it_can() -> None:
    battery = Battery(B2500)
    battery.answer(5000, 0.0)
    assert after(battery, 0, 2) == pytest.approx(B2500.max_discharge_w)
    battery.answer(-5000, 2.0)
    assert after(battery, 2, 2) == 0


def test_an_empty_battery_stops_and_a_full_one_does_not_charge() -> None:
    battery = Battery(VENUS, charge=0.0)
    for second in range(5):
        battery.answer(500, float(second))
        after(battery, second, 1)
    assert (battery.power_w, battery.energy_wh) == (0, 0)
    battery = Battery(VENUS_D, charge=1.0)
    battery.answer(-500, 0.0)
    assert after(battery, 0, 2) == 0


def test_discharging_takes_energy_out() -> None:
    battery = Battery(VENUS_D)
    for second in range(36):
        battery.answer(1005 if second == 0 else 5, float(second))
        after(battery, second, 1)
    assert battery.energy_wh == pytest.approx(1000 - 10, abs=0.5)
