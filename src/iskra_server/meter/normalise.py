"""What a telegram says becomes one record, before anything else sees it: guard, hub, history, outputs and page.

    parts         the lists of one telegram are one record
    units         as sent, else from the register table; an entry in another unit than the table's is not that register
    duplicates    equal values of one code are one register; of different ones nobody knows which is right: none counts
    corrections   by maker (corrections.py)
    totals        1.8.0 and 2.8.0 where the meter sends them under other codes (totals.py)
    power         16.7.0 with its sign, and that of each phase (power.py)

What was not sent as it stands is marked (`Register.derived`). What is left out is reported with the reason. A record
that is normalised already stays as it is.
"""

from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.meter.corrections import CORRECTIONS, correct
from iskra_server.meter.identity import maker
from iskra_server.meter.obis import Obis
from iskra_server.meter.power import EXPORTS, PowerMemory, add_powers
from iskra_server.meter.reading import Fault, Reading, Register
from iskra_server.meter.registers import unit_of
from iskra_server.meter.totals import TOTALS, TotalMemory, add_totals
from iskra_server.meter.units import NO_UNIT

Reason = Literal["sent twice with different values", "sent in a unit that it cannot have", "below 0"]
_CORRECTED = frozenset(obis for row in CORRECTIONS for obis in row.registers)


class RejectedRegister(Struct, frozen=True):
    """A register that a telegram sends and the record does not have."""

    obis: Obis
    reason: Reason


class MeterMemory:
    """What earlier telegrams of one meter have told about the meaning of the next."""

    def __init__(self) -> None:
        self.totals = TotalMemory()
        self.power = PowerMemory()


def merge_parts(results: Iterable[Reading | Fault]) -> Iterator[Reading | Fault]:
    """The lists that one telegram has of one meter as one reading."""
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
    """The record of a reading, and what it leaves out; the same object where nothing is to be done."""
    if any(register.derived for register in reading.registers):
        return reading, ()
    rejected: list[RejectedRegister] = []
    found = _unambiguous(_with_units(reading.registers, rejected), rejected)
    status = next((register.status for register in found.values() if register.status is not None), None)
    _correct(reading, found, status)
    _drop_negative_exports(found, rejected)
    memory.totals.sent.update(each.obis for each in rejected if each.obis in TOTALS)
    add_totals(found, memory.totals)
    add_powers(found, status, memory.power, reading.meter_time)
    registers = tuple(found.values())
    return (reading if registers == reading.registers else replace(reading, registers=registers)), tuple(rejected)


def _with_units(registers: Iterable[Register], rejected: list[RejectedRegister]) -> Iterator[Register]:
    for register in registers:
        unit = unit_of(register.obis)
        if register.unit == unit or isinstance(register.raw, (bytes, bool)):
            yield register
        elif register.unit is None or register.unit == NO_UNIT:
            yield replace(register, unit=unit)
        elif unit is None:
            yield register
        else:
            rejected.append(RejectedRegister(register.obis, "sent in a unit that it cannot have"))


def _unambiguous(registers: Iterable[Register], rejected: list[RejectedRegister]) -> dict[Obis, Register]:
    """One register a code, in the order of the wire; an entry without a value counts only where no other does."""
    found: dict[Obis, Register] = {}
    ambiguous: set[Obis] = set()
    for register in registers:
        before = found.setdefault(register.obis, register)
        if before is register or register.raw == b"":
            continue
        if before.raw == b"":
            found[register.obis] = register
        elif not _says_the_same(before, register):
            ambiguous.add(register.obis)
    for obis in ambiguous:
        del found[obis]
        rejected.append(RejectedRegister(obis, "sent twice with different values"))
    return found


def _says_the_same(first: Register, second: Register) -> bool:
    if first.value is None or second.value is None:
        return first.raw == second.raw
    return first.value == second.value and first.unit == second.unit


def _correct(reading: Reading, found: dict[Obis, Register], status: int | None) -> None:
    """Every correction so far is for a value below 0: seldom enough to look for the maker only then."""
    negative = [obis for obis in _CORRECTED if obis in found and _is_negative(found[obis])]
    if not negative:
        return
    widths = dict(zip((register.obis for register in reading.registers), reading.widths, strict=False))
    name = maker(reading)
    for obis in negative:
        found[obis] = correct(found[obis], widths.get(obis, 0), name, status)


def _drop_negative_exports(found: dict[Obis, Register], rejected: list[RejectedRegister]) -> None:
    """An export below 0 is no export and, other than an import below 0, no known form of a signed sum."""
    for obis in EXPORTS:
        if obis in found and _is_negative(found[obis]):
            del found[obis]
            rejected.append(RejectedRegister(obis, "below 0"))


def _is_negative(register: Register) -> bool:
    return isinstance(register.raw, int) and register.raw < 0
