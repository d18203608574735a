"""Fronius Smart Meter, or any other SunSpec meter of three phases: registers that inverters read by Modbus TCP.

    40000  "SunS"
    40002  1, 65: who it is    Mn 16, Md 16, Opt 8, Vr 8, SN 16 registers of text, DA 1
    40069  213, 124: floats    A, V, Hz, W, VA, VAR, PF, Wh export, Wh import, VAh, VArh; high word first
    40195  0xFFFF, 0: end

What the meter does not send is NaN, which is SunSpec's "not implemented". Power is + for import. A float has 24 bits:
a counter moves in steps of 2 Wh from 16.8 MWh on, of 4 Wh from 33.6 MWh on.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from math import isnan, nan
from struct import pack

from iskra_server import __version__
from iskra_server.outputs.emulation.clients import Clients
from iskra_server.outputs.emulation.grid import GridReading
from iskra_server.outputs.emulation.grid_totals import mean_voltage_v, total_current_a
from iskra_server.outputs.emulation.last_counters import LastCounters
from iskra_server.outputs.emulation.modbus_listener import NO_ANSWER_OF_TARGET, ModbusDevice, ModbusError

NAME = "sunspec"
FIRST = 40_000
# the first register that is measured
_MEASURED = 40_071
_MAKER, _MODEL = "Fronius", "Smart Meter 63A"
_END = b"\xff\xff\0\0"

_ZERO = Decimal(0)
Value = Decimal | None


class SunSpec(ModbusDevice):
    """`mac` is its serial number, None before the meter is known; `zero_if_missing`: 0 where it would be NaN."""

    blocks = (range(FIRST, 40_197),)
    power = 40_097

    def __init__(
        self, clients: Clients, mac: Callable[[], str | None], *, unit: int, zero_if_missing: bool = False
    ) -> None:
        super().__init__(NAME, clients)
        self.unit = unit
        self._mac = mac
        self._missing = 0.0 if zero_if_missing else nan
        self._counters = LastCounters(NAME)

    async def read(self, addresses: range, client: str) -> bytes:
        mac = self._mac()
        if mac is None:
            raise ModbusError(NO_ANSWER_OF_TARGET)
        registers = identity(mac, self.unit or 0)
        if addresses.stop > _MEASURED:
            reading = await self.reading_for(addresses, client)
            if (counters_wh := self._counters_wh(reading)) is None:
                raise ModbusError(NO_ANSWER_OF_TARGET)
            registers += measurements(reading, counters_wh, self._missing) + _END
        return registers[2 * (addresses.start - FIRST) : 2 * (addresses.stop - FIRST)]

    def _counters_wh(self, reading: GridReading) -> tuple[Value, Value] | None:
        # 0 must not stand for a counter that this telegram alone lacks
        return (reading.import_wh, reading.export_wh) if isnan(self._missing) else self._counters.of(reading)


def identity(serial: str, unit: int) -> bytes:
    """The registers before those that are measured."""
    texts = ((_MAKER, 32), (_MODEL, 32), ("", 16), (__version__, 16), (serial, 32))
    content = b"".join(text.encode().ljust(size, b"\0")[:size] for text, size in texts)
    return b"SunS" + pack(">HH", 1, 65) + content + pack(">HHH", unit, 213, 124)


def measurements(reading: GridReading, counters_wh: tuple[Value, Value], missing: float) -> bytes:
    """The content of model 213; `missing` stands for what is not measured."""
    values = (missing if value is None else float(value) for value in _values(reading, counters_wh))
    # and no events
    return b"".join(pack(">f", value) for value in values) + bytes(4)


def _values(reading: GridReading, counters_wh: tuple[Value, Value]) -> Iterator[Value]:
    """In the order of the registers: total or mean, then each phase. A power without phases is shown on L1."""
    import_wh, export_wh = counters_wh
    yield from (total_current_a(reading), *reading.currents_a)
    yield from (mean_voltage_v(reading), *reading.voltages_v)
    # between phases
    yield from (None,) * 4
    yield reading.frequency_hz
    yield from (reading.power_w, *(reading.phases_w or (reading.power_w, _ZERO, _ZERO)))
    # apparent and reactive power, power factor
    yield from (None,) * 12
    yield from (export_wh, None, None, None)
    yield from (import_wh, None, None, None)
    # apparent energy of both directions, reactive energy of four quadrants
    yield from (None,) * (8 + 16)
