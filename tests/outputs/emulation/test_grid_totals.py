"""Voltage and current of all phases together, from those that the meter sends."""

from decimal import Decimal

from emulating import grid_reading
from iskra_server.outputs.emulation.grid_totals import mean_voltage_v, total_current_a


def test_a_meter_that_sends_neither_has_neither() -> None:
    assert mean_voltage_v(grid_reading()) is None
    assert total_current_a(grid_reading()) is None


def test_phases_that_the_meter_does_not_send_do_not_count() -> None:
    reading = grid_reading(
        voltages_v=(Decimal(229), None, Decimal("229.5")), currents_a=(Decimal("1.5"), None, Decimal(0))
    )
    assert mean_voltage_v(reading) == Decimal("229.25")
    assert total_current_a(reading) == Decimal("1.5")
