"""Records for the tests, and a way to wait for what a thread does."""

import time
from collections.abc import Callable

from iskra_server.history.model.records import EpochStart, Exact, MeterInfo, PointBlock, PowerQuarter, QuarterReading
from iskra_server.meter.obis import Obis
from running import DEADLINE_S
from samples import EXPORT, IMPORT, METER_ID, SERVER_ID

QUARTER = 1_959_784
AT_S = QUARTER * 900
METER = MeterInfo(METER_ID, SERVER_ID.hex(), False, AT_S, AT_S)
OTHER = MeterInfo("1 ISK 00 87654321", "090149534b00053980b1", False, AT_S, AT_S)
SIMULATED = MeterInfo("1 ISK 00 00000001", "090149534b0000000001", True, AT_S, AT_S)


def quarter_reading(
    quarter: int = QUARTER, raw: int = 107_323_091, obis: Obis = IMPORT, meter: MeterInfo = METER
) -> QuarterReading:
    return QuarterReading(meter.meter_id, obis, quarter, Exact(raw, -1), "measured")


def power(quarter: int = QUARTER, mean_mw: int = 230_000) -> PowerQuarter:
    return PowerQuarter(METER_ID, quarter, -1_500, mean_mw, 69_000_000_000, 900)


def epoch(number: int = 1, before: Exact | None = None, obis: Obis = EXPORT) -> EpochStart:
    return EpochStart(METER_ID, obis, number, AT_S + number, before, Exact(7167, 3))


def block(first_s: int = AT_S, data: bytes = b"\0\1\2", seconds: int = 59) -> PointBlock:
    return PointBlock(METER_ID, first_s, first_s + seconds, seconds + 1, data)


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
