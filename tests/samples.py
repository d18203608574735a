"""Samples for the tests, without a telegram."""

from datetime import UTC, datetime, timedelta

from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import MeterTime, Reading, Register, Sample
from iskra_server.meter.units import WATT, WATT_HOUR

IMPORT, EXPORT, POWER = Obis.parse("1.8.0"), Obis.parse("2.8.0"), Obis.parse("16.7.0")
SERVER_ID = bytes.fromhex("090149534b0000bc614e")
METER_ID = "1 ISK 00 12345678"
START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def energy(raw: int, scaler: int = -1, obis: Obis = IMPORT) -> Register:
    return Register(obis, raw, scaler, WATT_HOUR, 0x182 if obis == IMPORT else None)


def power(raw: int) -> Register:
    return Register(POWER, raw, 0, WATT)


def reading(*registers: Register, seconds: int | None = None, meter_id: str = METER_ID) -> Reading:
    time = None if seconds is None else MeterTime("sec_index", seconds)
    return Reading(meter_id, SERVER_ID, registers, time, "sml", 300)


def sample(*registers: Register, at_s: float = 0.0, seconds: int | None = None, meter_id: str = METER_ID) -> Sample:
    """A sample that arrived `at_s` seconds after START."""
    content = reading(*registers, seconds=seconds, meter_id=meter_id)
    return Sample(content, START + timedelta(seconds=at_s), at_s, simulated=False, source="test")
