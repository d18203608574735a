"""Arithmetic that a list of values must pass to be the list that a layout takes it for.

    tariffs     1.8.0 = 1.8.1 + 1.8.2, 2.8.0 likewise, within 1 Wh a tariff: each is rounded alone
    phases      the sum over the phases of import less export is that of the totals, within 3 W
    voltages    90 to 150 V, 180 to 280 V, or 0 for a phase without voltage
    currents    no phase has more than three times the power that its voltage and current make
    power       at most 69 kW: a connection of 3 x 100 A
    clock       a clock in the list is that of the telegram, within 2 s
    name        a logical device name (0-0:42.0.0) is three letters and 13 digits, with the serial of the system title;
                a device number (0-0:96.1.0) is a text of at least six characters

A check passes where the list has nothing for it.
"""

import re
from collections.abc import Callable

from msgspec import Struct

from iskra_server.codecs.dlms import identity
from iskra_server.codecs.dlms.notification import CLOCK, meter_time
from iskra_server.codecs.dlms.scales import ISKRA
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import MeterTime, Register

_ENERGIES = tuple(tuple(map(Obis.parse, (f"{c}.8.0", f"{c}.8.1", f"{c}.8.2"))) for c in (1, 2))
_TOTALS = Obis.parse("1.7.0"), Obis.parse("2.7.0")
# import, export, voltage, current of each phase
_PHASES = tuple(tuple(Obis.parse(f"{phase + c}.7.0") for c in (1, 2, 12, 11)) for phase in (20, 40, 60))
NAME = Obis.parse("0-0:42.0.0")
_NUMBER = Obis.parse("0-0:96.1.0")
_SHORTEST_NUMBER = 6
_NAME_FORM = re.compile(rb"[A-Z]{3}\d{13}")
# numbers are in thousandths: mV, mWh, mW, mA
_MAINS = ((90_000, 150_000), (180_000, 280_000))
_TARIFF_TOLERANCE = 2_000
_PHASE_TOLERANCE = 3_000
_MOST_POWER = 69_000_000
_FACTOR = 3
# below, the steps of current and power hide everything
_LEAST_CURRENT = 500
_CLOCK_TOLERANCE_S = 2


class Facts(Struct, frozen=True):
    """What a layout makes of a list; the telegram's own time, and the system title."""

    registers: dict[Obis, Register]
    time: MeterTime | None
    title: bytes

    def number(self, obis: Obis) -> int | None:
        """In thousandths of its unit; None where it is absent or no number."""
        register = self.registers.get(obis)
        if register is None or isinstance(register.raw, (bytes, bool)):
            return None
        places = (register.scaler or 0) + 3
        return register.raw * 10**places if places >= 0 else None

    def power(self, imported: Obis, exported: Obis) -> int | None:
        """Import less export, in mW; None where neither is there."""
        values = self.number(imported), self.number(exported)
        return None if values == (None, None) else (values[0] or 0) - (values[1] or 0)


def tariffs(facts: Facts) -> bool:
    for total, *parts in _ENERGIES:
        first, *rest = (facts.number(obis) for obis in (total, *parts))
        if first is None or None in rest:
            continue
        if abs(first - sum(value or 0 for value in rest)) > _TARIFF_TOLERANCE:
            return False
    return True


def phases(facts: Facts) -> bool:
    total = facts.power(*_TOTALS)
    powers = [power for first, second, *_ in _PHASES if (power := facts.power(first, second)) is not None]
    return total is None or not powers or abs(sum(powers) - total) <= _PHASE_TOLERANCE


def voltages(facts: Facts) -> bool:
    values = [value for *_, obis, _ in _PHASES if (value := facts.number(obis))]
    return all(any(low <= value <= high for low, high in _MAINS) for value in values)


def currents(facts: Facts) -> bool:
    for imported, exported, volts, amperes in _PHASES:
        power, voltage, current = facts.power(imported, exported), facts.number(volts), facts.number(amperes)
        if power is None or voltage is None or current is None or current < _LEAST_CURRENT:
            continue
        if 1000 * abs(power) > _FACTOR * voltage * current:
            return False
    return True


def power(facts: Facts) -> bool:
    total = facts.power(*_TOTALS)
    return total is None or abs(total) <= _MOST_POWER


def clock(facts: Facts) -> bool:
    register, sent = facts.registers.get(CLOCK), facts.time
    listed = meter_time(register.raw) if register and isinstance(register.raw, bytes) else None
    if sent is None or listed is None or sent.kind != listed.kind:
        return True
    return abs(listed.seconds - sent.seconds) <= _CLOCK_TOLERANCE_S


def name(facts: Facts) -> bool:
    number, register = facts.registers.get(_NUMBER), facts.registers.get(NAME)
    if number is not None and (not number.text or len(number.text) < _SHORTEST_NUMBER):
        return False
    if register is None:
        return True
    if not isinstance(register.raw, bytes) or not is_name(register.raw):
        return False
    if identity.maker_of(facts.title, ()) != ISKRA:
        return True
    return identity.identify((register,), b"") == identity.from_title(facts.title)


def is_name(data: bytes) -> bool:
    """Whether bytes have the form of a logical device name."""
    return _NAME_FORM.fullmatch(data) is not None


CHECKS: dict[str, Callable[[Facts], bool]] = {
    check.__name__: check for check in (tariffs, phases, voltages, currents, power, clock, name)
}
