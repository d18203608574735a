"""Shelly Pro 3EM by Modbus TCP, as Sigenergy's Sigenstor reads it, at any unit, by function 3 or 4.

    0     MAC address (6 registers of text)     6     model (8)
    1000  time     1007 A of the neutral     1011 A     1013 W     1015 VA
    1020, 1040, 1060  of a phase: +0 V, +2 A, +4 W, +6 VA, +8 power factor, +13 Hz
    1160  time     1162 Wh import            1164 Wh export
    1182, 1202, 1222  of a phase: +0 Wh import, +2 Wh export

Two registers each, low word first: floats, and unix time as a whole number. The values are those of EM.GetStatus and
EMData.GetStatus (shelly_measurements.py); what is null there is 0, as are registers between the ones above.
"""

import time
from collections.abc import Callable, Iterator
from struct import pack

from msgspec import Raw
from msgspec.structs import replace

from iskra_server.diagnosis.advice import Advice, advise
from iskra_server.outputs.emulation.clients import Clients
from iskra_server.outputs.emulation.grid import GridReading
from iskra_server.outputs.emulation.last_counters import LastCounters
from iskra_server.outputs.emulation.modbus_listener import NO_ANSWER_OF_TARGET, ModbusDevice, ModbusError
from iskra_server.outputs.emulation.shelly_identity import PRO_3EM
from iskra_server.outputs.emulation.shelly_measurements import em_data, em_status

NAME = "shelly_modbus"
_IDENTITY, _STATUS, _DATA = range(14), range(1000, 1080), range(1160, 1240)
_PHASE = {"voltage": 0, "current": 2, "act_power": 4, "aprt_power": 6, "pf": 8, "freq": 13}
# key of the result -> register
STATUS = {"n_current": 1007, "total_current": 1011, "total_act_power": 1013, "total_aprt_power": 1015} | {
    f"{phase}_{key}": first + offset
    for phase, first in (("a", 1020), ("b", 1040), ("c", 1060))
    for key, offset in _PHASE.items()
}
DATA = {"total_act": 1162, "total_act_ret": 1164} | {
    f"{phase}_total_{key}": first + offset
    for phase, first in (("a", 1182), ("b", 1202), ("c", 1222))
    for key, offset in (("act_energy", 0), ("act_ret_energy", 2))
}


class ShellyModbus(ModbusDevice):
    """`mac` gives its number, None before the meter is known; `typical` as in shelly_measurements.py.

    `is_alone`: the Shelly is not there by HTTP, where Sigenstor looks for it first.
    """

    blocks = (_IDENTITY, _STATUS, _DATA)
    power = STATUS["total_act_power"]
    input_registers = True

    def __init__(
        self, clients: Clients, mac: Callable[[], str | None], *, typical: bool, is_alone: bool = False
    ) -> None:
        super().__init__(NAME, clients)
        self._is_alone = is_alone
        self._mac = mac
        self._typical = typical
        self._counters = LastCounters(NAME)

    def _notices(self) -> Iterator[Advice]:
        # a program that was given the address needs no more
        if self._is_alone and not self.clients.requests:
            yield advise("modbus_alone")
        yield from super()._notices()

    async def read(self, addresses: range, client: str) -> bytes:
        mac = self._mac()
        if mac is None:
            raise ModbusError(NO_ANSWER_OF_TARGET)
        if addresses.start in _IDENTITY:
            return _part(identity(mac), _IDENTITY, addresses)
        reading = await self.reading_for(addresses, client)
        at_s = int(time.time() - self.clients.grid.age_s(reading))
        if addresses.start in _STATUS:
            return _part(status(reading, at_s, typical=self._typical), _STATUS, addresses)
        if (counters_wh := self._counters.of(reading)) is None:
            raise ModbusError(NO_ANSWER_OF_TARGET)
        import_wh, export_wh = counters_wh
        return _part(energies(replace(reading, import_wh=import_wh, export_wh=export_wh), at_s), _DATA, addresses)


def identity(mac: str) -> bytes:
    return mac.upper().encode() + PRO_3EM.number.encode().ljust(16, b"\0")


def status(reading: GridReading, at_s: int, *, typical: bool) -> bytes:
    """The registers from 1000 on; `at_s` is unix time."""
    return _registers(_STATUS, at_s, em_status(reading, typical=typical), STATUS)


def energies(reading: GridReading, at_s: int) -> bytes:
    """The registers from 1160 on."""
    return _registers(_DATA, at_s, em_data(reading), DATA)


def _registers(block: range, at_s: int, result: dict[str, object], places: dict[str, int]) -> bytes:
    registers = bytearray(2 * len(block))
    registers[:4] = _low_word_first(pack(">I", at_s))
    for key, value in _floats(result, places):
        at = 2 * (places[key] - block.start)
        registers[at : at + 4] = _low_word_first(pack(">f", value))
    return bytes(registers)


def _floats(result: dict[str, object], keys: dict[str, int]) -> Iterator[tuple[str, float]]:
    for key in keys:
        if isinstance(value := result[key], Raw):
            yield key, float(bytes(value))


def _low_word_first(value: bytes) -> bytes:
    return value[2:] + value[:2]


def _part(registers: bytes, block: range, addresses: range) -> bytes:
    return registers[2 * (addresses.start - block.start) : 2 * (addresses.stop - block.start)]
