"""Voltage and current of all phases together, as some devices have them beside those of each phase."""

from decimal import Decimal

from iskra_server.outputs.emulation.grid import GridReading

_DIGIT = Decimal("0.01")


def mean_voltage_v(reading: GridReading) -> Decimal | None:
    """Of the phases whose voltage the meter sends; None without one."""
    sent_v = [voltage_v for voltage_v in reading.voltages_v if voltage_v is not None]
    return (sum(sent_v, Decimal(0)) / len(sent_v)).quantize(_DIGIT) if sent_v else None


def total_current_a(reading: GridReading) -> Decimal | None:
    """The sum over the phases whose current the meter sends; None without one."""
    sent_a = [current_a for current_a in reading.currents_a if current_a is not None]
    return sum(sent_a, Decimal(0)) if sent_a else None
