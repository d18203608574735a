"""What the route `counters` answers, as the sensors show it."""

from decimal import Decimal

from iskra_server.homeassistant.gaps import QUARTER_S, CounterState, PowerRange
from iskra_server.homeassistant.recorded import half, quarters_of, readings_of

BEGIN = 1_795_600_800  # 2026-11-25 10:00 UTC
ANSWER = {
    "begin": "2026-11-25T11:00:00+01:00",
    "counters": [
        {"name": "energy_import", "shown_wh": [1000, None, 100], "total_wh": [1000, None, 1300]},
        {"name": "1-0:1.8.9*255", "shown_wh": [5, 6, 7]},
    ],
    "power": {"min_w": [None, -300], "mean_w": [None, Decimal("-200.5")], "max_w": [None, -100]},
}


def quarter(low: int, mean: int, high: int) -> PowerRange:
    return PowerRange(BEGIN, *(Decimal(value) / 1000 for value in (low, mean, high)))


def test_readings_are_in_the_unit_of_the_sensor_and_know_restarts() -> None:
    found = readings_of([ANSWER], "energy_import", "kWh")
    assert found == {
        BEGIN: CounterState(Decimal(1), Decimal(1)),
        BEGIN + 2 * QUARTER_S: CounterState(Decimal("0.1"), Decimal("1.3")),
    }
    assert found[BEGIN + 2 * QUARTER_S].restarts == Decimal("1.2")


def test_a_register_outside_the_table_is_named_by_its_code() -> None:
    assert len(readings_of([ANSWER], "1_0_1_8_9_255", "Wh")) == 3
    assert readings_of([ANSWER], "energy_export", "Wh") == {}


def test_power_of_one_direction() -> None:
    at, values = BEGIN + QUARTER_S, (Decimal("-0.3"), Decimal("-0.2005"), Decimal("-0.1"))
    assert quarters_of([ANSWER], "power", "kW") == {at: PowerRange(at, *values)}
    assert quarters_of([ANSWER], "power_export", "W")[at].mean == Decimal("200.5")
    assert quarters_of([ANSWER], "power_import", "W")[at].max == 0


def test_half_of_the_power_is_known_unless_the_direction_changed() -> None:
    imported, exported, both = quarter(100, 200, 300), quarter(-300, -200, -100), quarter(-10, 0, 10)
    assert half(imported, 1) == imported
    assert half(imported, -1) == quarter(0, 0, 0)
    assert half(exported, -1) == quarter(100, 200, 300)
    assert half(exported, 1) == quarter(0, 0, 0)
    assert half(both, 1) is half(both, -1) is None
