"""What some meters send is not what they mean. Each correction names the meter and the evidence it acts on.

DZG: power as a signed value of two octets that is meant unsigned. Wrong only while the status word says
import (bit 11 clear) and the value says export; with bit 11 set the negative value is right.
"""

from msgspec.structs import replace

from iskra_server.meter.identity import maker
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading, Register

_POWER = Obis.parse("16.7.0")
_IMPORT = Obis.parse("1.8.0")
_EXPORTING = 1 << 11
_TWO_OCTETS = 1 << 16


def corrected(reading: Reading) -> Reading:
    """The reading as it is meant; the same object where there is nothing to correct."""
    power, total = reading.get(_POWER), reading.get(_IMPORT)
    if power is None or total is None or total.status is None or maker(reading) != "DZG":
        return reading
    overflown = isinstance(power.raw, int) and -(_TWO_OCTETS // 2) <= power.raw < 0
    if not overflown or total.status & _EXPORTING:
        return reading
    return replace(reading, registers=tuple(map(_unsigned_power, reading.registers)))


def _unsigned_power(register: Register) -> Register:
    if register.obis != _POWER or not isinstance(register.raw, int):
        return register
    return replace(register, raw=register.raw + _TWO_OCTETS)
