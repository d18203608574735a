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
from collections.abc import Callable, Collection, Iterable
from functools import lru_cache

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
_NUMBER_FORM = re.compile(rb"[ -~]{6,}")
_NAME_FORM = re.compile(rb"[A-Z]{3}\d{13}")
# from a scaler to thousandths: mV, mWh, mW, mA
_FACTORS: dict[int | None, int] = {None: 1000, **{scaler: 10 ** (scaler + 3) for scaler in range(-3, 7)}}
_LOW_MAINS, _MAINS = range(90_000, 150_001), range(180_000, 280_001)
_TARIFF_TOLERANCE = 2_000
_PHASE_TOLERANCE = 3_000
_MAX_POWER = 69_000_000
_FACTOR = 3
# below, the steps of current and power hide everything
_MIN_CURRENT = 500
_CLOCK_TOLERANCE_S = 2


class ListFacts:
    """What a layout makes of a list; the telegram's own time, and the system title. Numbers are in thousandths."""

    def __init__(self, registers: Iterable[Register], time: MeterTime | None, title: bytes) -> None:
        self.time = time
        self.title = title
        self.numbers: dict[Obis, int] = {}
        self.texts: dict[Obis, bytes] = {}
        for register in registers:
            raw = register.raw
            if isinstance(raw, bytes):
                self.texts[register.obis] = raw
            elif (factor := _FACTORS.get(register.scaler)) is not None:
                self.numbers[register.obis] = raw * factor

    def power(self, imported: Obis, exported: Obis) -> int | None:
        """Import less export, in mW; None where neither is there."""
        first, second = self.numbers.get(imported), self.numbers.get(exported)
        return None if first is None and second is None else (first or 0) - (second or 0)


def tariffs(facts: ListFacts) -> bool:
    for total, *parts in _ENERGIES:
        first, *rest = (facts.numbers.get(obis) for obis in (total, *parts))
        if first is None or None in rest:
            continue
        if abs(first - sum(value or 0 for value in rest)) > _TARIFF_TOLERANCE:
            return False
    return True


def phases(facts: ListFacts) -> bool:
    total = facts.power(*_TOTALS)
    powers = [power for first, second, *_ in _PHASES if (power := facts.power(first, second)) is not None]
    return total is None or not powers or abs(sum(powers) - total) <= _PHASE_TOLERANCE


def voltages(facts: ListFacts) -> bool:
    values = [value for *_, obis, _ in _PHASES if (value := facts.numbers.get(obis))]
    return all(value in _MAINS or value in _LOW_MAINS for value in values)


def currents(facts: ListFacts) -> bool:
    for imported, exported, volts, amperes in _PHASES:
        power, voltage, current = facts.power(imported, exported), facts.numbers.get(volts), facts.numbers.get(amperes)
        if power is None or voltage is None or current is None or current < _MIN_CURRENT:
            continue
        if 1000 * abs(power) > _FACTOR * voltage * current:
            return False
    return True


def power(facts: ListFacts) -> bool:
    total = facts.power(*_TOTALS)
    return total is None or abs(total) <= _MAX_POWER


def clock(facts: ListFacts) -> bool:
    value = facts.texts.get(CLOCK)
    return is_near(facts.time, meter_time(value) if value else None)


def is_near(sent: MeterTime | None, listed: MeterTime | None) -> bool:
    """Whether two times are the same within 2 s; True where they cannot be compared."""
    if sent is None or listed is None or sent.kind != listed.kind:
        return True
    return abs(listed.seconds - sent.seconds) <= _CLOCK_TOLERANCE_S


def name(facts: ListFacts) -> bool:
    number, name = facts.texts.get(_NUMBER), facts.texts.get(NAME)
    if number is not None and not _NUMBER_FORM.fullmatch(number):
        return False
    return name is None or _has_title(name, facts.title)


# a meter sends the same name each time
@lru_cache(maxsize=16)
def _has_title(name: bytes, title: bytes) -> bool:
    if not is_name(name) or identity.maker_of(title, ()) != ISKRA:
        return is_name(name)
    return identity.identify((Register(NAME, name),), b"") == identity.from_title(title)


def is_name(data: bytes) -> bool:
    """Whether bytes have the form of a logical device name."""
    return _NAME_FORM.fullmatch(data) is not None


CHECKS: dict[str, Callable[[ListFacts], bool]] = {
    check.__name__: check for check in (tariffs, phases, voltages, currents, power, clock, name)
}
# what a list has to carry, one of each, for a check to have something to do
_NEEDED: dict[str, frozenset[Obis]] = {
    "tariffs": frozenset(obis for _, *parts in _ENERGIES for obis in parts),
    "phases": frozenset(obis for imported, exported, *_ in _PHASES for obis in (imported, exported)),
    "voltages": frozenset(volts for *_, volts, _ in _PHASES),
    "currents": frozenset(amperes for *_, amperes in _PHASES),
    "power": frozenset(_TOTALS),
    "clock": frozenset((CLOCK,)),
    "name": frozenset((NAME, _NUMBER)),
}


def applicable(names: Iterable[str], codes: Collection[Obis]) -> tuple[str, ...]:
    """Those of the checks for which a list of these codes has something."""
    return tuple(name for name in names if not _NEEDED[name].isdisjoint(codes))
