"""Makes one normalised record of a telegram, which guard, hub, history, outputs and page use.

    parts         the lists of one telegram are one record
    units         as sent, else from the register table; a register in another unit than the table's is rejected
    limits        a number with a unit that no meter can show is rejected (MAX_SCALER, MAX_NUMBER)
    duplicates    equal values of one code are one register; different ones are ambiguous: all are rejected.
                  A D0 readout has the first one alone, and names the code
    corrections   by maker (corrections.py)
    totals        1.8.0 and 2.8.0 where the meter sends them under other codes; 1-1 as 1-0 in DLMS lists (totals.py)
    power         16.7.0 with its sign, and that of each phase (signed_power.py)

Derived values are marked (`Register.derived`). Rejected registers are returned with the reason. A normalised record is
returned unchanged.
"""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.meter.corrections import CORRECTIONS, correct
from iskra_server.meter.identity import maker
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Fault, Reading, Register
from iskra_server.meter.registers import may_have, unit_of
from iskra_server.meter.signed_power import EXPORTS, PowerMemory, add_powers
from iskra_server.meter.totals import TotalMemory, add_aliases, add_totals
from iskra_server.meter.units import NO_UNIT

Reason = Literal[
    "sent twice with different values",
    "sent again with another value; the first one counts",
    "sent in a unit that it cannot have",
    "below 0",
    "more than a meter can show",
    "more than the connection can carry in 50 years",
]
# What no meter can show. A scaler is one signed byte (SML: Integer8; DLMS: scal_unit_type of IEC 62056-6-2) and may be
# 127, while meters send -4 (0.1 mWh) to 6 (MWh). 10^15 Wh is what all of Germany uses in two years
MAX_SCALER = 9
MAX_NUMBER = 10**15
_ALIASED = "dlms"
_CORRECTED = frozenset(obis for row in CORRECTIONS for obis in row.registers)


class RejectedRegister(Struct, frozen=True):
    """A register of a telegram that is not in the record."""

    obis: Obis
    reason: Reason


class MeterMemory:
    """What earlier telegrams of a meter show about the meaning of its registers."""

    def __init__(self) -> None:
        self.totals = TotalMemory()
        self.power = PowerMemory()
        # codes, and which have a number and which a sign, of the last weakly protected telegram
        self._form: tuple[tuple[Obis, bool, bool], ...] = ()

    def for_telegram(self, reading: Reading) -> "MeterMemory":
        """The memory that learns from a telegram: a weakly protected one that differs from the one before
        teaches nothing. A single damaged code would be a tariff that is missing in every other telegram."""
        if not reading.is_weak:
            return self
        form = tuple((each.obis, isinstance(each.raw, (bytes, bool)), _is_negative(each)) for each in reading.registers)
        before, self._form = self._form, form
        return self if form == before else deepcopy(self)


def merge_parts(results: Iterable[Reading | Fault]) -> Iterator[Reading | Fault]:
    """Join the lists of one telegram and meter to one reading."""
    before: Reading | None = None
    for result in results:
        if isinstance(result, Reading) and result.part and before and before.server_id == result.server_id:
            before = replace(
                before, registers=before.registers + result.registers, widths=before.widths + result.widths
            )
            continue
        if before is not None:
            yield before
        before = result if isinstance(result, Reading) else None
        if before is None:
            yield result
    if before is not None:
        yield before


def normalise(reading: Reading, memory: MeterMemory) -> tuple[Reading, tuple[RejectedRegister, ...]]:
    """The record of a reading, and the rejected registers; the same object where nothing changes."""
    if any(register.derived for register in reading.registers):
        return reading, ()
    memory = memory.for_telegram(reading)
    again = (RejectedRegister(obis, "sent again with another value; the first one counts") for obis in reading.repeated)
    rejected: list[RejectedRegister] = list(again)
    found = _unambiguous(_possible(_with_units(reading.registers, rejected), rejected), rejected)
    status = next((register.status for register in found.values() if register.status is not None), None)
    _correct(reading, found, status)
    _drop_negative_exports(found, rejected)
    for register in rejected:
        memory.totals.note_rejected(register.obis)
    add_totals(found, memory.totals)
    if reading.protocol == _ALIASED:
        add_aliases(found)
    add_powers(found, status, memory.power, reading.meter_time)
    registers = tuple(found.values())
    return (reading if registers == reading.registers else replace(reading, registers=registers)), tuple(rejected)


def _with_units(registers: Iterable[Register], rejected: list[RejectedRegister]) -> Iterator[Register]:
    for register in registers:
        if isinstance(register.raw, (bytes, bool)):
            yield register
        elif register.unit is None or register.unit == NO_UNIT:
            unit = unit_of(register.obis)
            yield register if register.unit == unit else replace(register, unit=unit)
        elif may_have(register.obis, register.unit):
            yield register
        else:
            rejected.append(RejectedRegister(register.obis, "sent in a unit that it cannot have"))


def _possible(registers: Iterable[Register], rejected: list[RejectedRegister]) -> Iterator[Register]:
    """Without what no meter can show; numbers without a unit, such as counts and clocks, may have any size."""
    for register in registers:
        raw, scaler = register.raw, register.scaler or 0
        if register.unit is None or isinstance(raw, (bytes, bool)) or _can_be_shown(raw, scaler):
            yield register
        else:
            rejected.append(RejectedRegister(register.obis, "more than a meter can show"))


def _can_be_shown(raw: int, scaler: int) -> bool:
    return abs(scaler) <= MAX_SCALER and abs(raw) * 10 ** max(scaler, 0) < MAX_NUMBER * 10 ** max(-scaler, 0)


def _unambiguous(registers: Iterable[Register], rejected: list[RejectedRegister]) -> dict[Obis, Register]:
    """One register per code, in the order of the wire; an entry without a value only where no other has one."""
    found: dict[Obis, Register] = {}
    ambiguous: set[Obis] = set()
    for register in registers:
        before = found.setdefault(register.obis, register)
        if before is register or register.raw == b"":
            continue
        if before.raw == b"":
            found[register.obis] = register
        elif not _is_equal(before, register):
            ambiguous.add(register.obis)
    for obis in ambiguous:
        del found[obis]
        rejected.append(RejectedRegister(obis, "sent twice with different values"))
    return found


def _is_equal(first: Register, second: Register) -> bool:
    if first.value is None or second.value is None:
        return first.raw == second.raw
    return first.value == second.value and first.unit == second.unit


def _correct(reading: Reading, found: dict[Obis, Register], status: int | None) -> None:
    """All corrections are for values below 0, which are rare: find the maker only then."""
    negative = [obis for obis in _CORRECTED if obis in found and _is_negative(found[obis])]
    if not negative:
        return
    widths = dict(zip((register.obis for register in reading.registers), reading.widths, strict=False))
    name = maker(reading)
    for obis in negative:
        found[obis] = correct(found[obis], widths.get(obis, 0), name, status)


def _drop_negative_exports(found: dict[Obis, Register], rejected: list[RejectedRegister]) -> None:
    """Reject an export below 0: unlike an import below 0 it is no known form of a signed sum."""
    for obis in EXPORTS:
        if obis in found and _is_negative(found[obis]):
            del found[obis]
            rejected.append(RejectedRegister(obis, "below 0"))


def _is_negative(register: Register) -> bool:
    return isinstance(register.raw, int) and register.raw < 0
