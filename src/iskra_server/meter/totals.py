"""The totals 1.8.0 and 2.8.0 of meters that do not send them under these codes.

    1-1:1.8.0 or 1-2:2.8.0       the only total of another channel is the total; so is its power, 1-1:1.7.0
    1.8.1, 1.8.2, ...            two tariffs or more, and every one that the meter has ever sent, are added up

If a meter sends a total itself, none is derived.

DLMS meters of ISKRA, Landis+Gyr and Kamstrup number all or some of their registers 1-1 where others use 1-0, so each of
these that the register table has under 1-0 is that register, unless the list has it too.
"""

from collections.abc import Iterable
from functools import reduce

from msgspec.structs import replace

from iskra_server.meter.obis import EXPORT, IMPORT, Obis
from iskra_server.meter.reading import Register, on_one_scale
from iskra_server.meter.registers import describe

SUM_OF_TARIFFS = "sum of tariffs"
TOTALS = (IMPORT, EXPORT)
# of meters that send no power of channel 0
_POWERS = Obis.parse("1.7.0"), Obis.parse("2.7.0")
_NET_POWER = Obis.parse("16.7.0")
_CHANNEL_0, _CHANNEL_1 = bytes((1, 0)), bytes((1, 1))
# the parts of a sum
MAX_TARIFFS = 8
_MIN_TARIFFS = 2
_NOW = 255

Found = dict[Obis, Register]


class TotalMemory:
    """Which totals one meter has sent, and which tariffs of each."""

    def __init__(self) -> None:
        self.sent: set[Obis] = set()
        self.tariffs: dict[Obis, set[Obis]] = {obis: set() for obis in TOTALS}
        # codes of a telegram from which no total follows: most telegrams have the same codes
        self.without: dict[Obis, frozenset[Obis]] = {}

    def note_rejected(self, obis: Obis) -> None:
        """The meter sends this one: no total is derived without it."""
        if obis in TOTALS:
            self.sent.add(obis)
        for total in TOTALS:
            if _is_tariff(obis, total):
                self.tariffs[total].add(obis)


def add_totals(found: Found, memory: TotalMemory) -> None:
    """Add the totals that the meter does not send to the registers of a telegram."""
    for obis in TOTALS:
        if obis in memory.sent:
            continue
        if obis in found:
            memory.sent.add(obis)
        elif memory.without.get(obis) == found.keys():
            continue
        elif (total := _of_channel(found, obis) or _of_tariffs(found, obis, memory.tariffs[obis])) is not None:
            found[obis] = total
        else:
            _note_without(found, obis, memory)
    if _NET_POWER not in found:
        _add_powers_of_channel(found, memory)


def is_sum_with(register: Register, parts: Iterable[Obis]) -> bool:
    """Whether a register is the sum of tariffs of which one is among `parts`."""
    return register.derived == SUM_OF_TARIFFS and any(_is_tariff(obis, register.obis) for obis in parts)


def add_aliases(found: Found) -> None:
    """Add the registers that the table has under 1-0 and a list has under 1-1 alone."""
    for code, register in tuple(found.items()):
        if code[:2] == _CHANNEL_1 and (obis := Obis(_CHANNEL_0 + code[2:])) not in found and describe(obis):
            found[obis] = replace(register, obis=obis, derived=f"from {code.short}")


def _add_powers_of_channel(found: Found, memory: TotalMemory) -> None:
    for obis in _POWERS:
        if obis in found or memory.without.get(obis) == found.keys():
            continue
        if (power := _of_channel(found, obis)) is not None:
            found[obis] = power
        else:
            _note_without(found, obis, memory)


def _note_without(found: Found, obis: Obis, memory: TotalMemory) -> None:
    """No total follows from these codes, unless one is without a number only now: `(ERROR)`, or damaged."""
    parts = (register for code, register in found.items() if _is_tariff(code, obis) or _is_of_channel(code, obis))
    if all(map(_is_number, parts)):
        memory.without[obis] = frozenset(found)


def _of_channel(found: Found, obis: Obis) -> Register | None:
    sent = [register for code, register in found.items() if _is_of_channel(code, obis)]
    if len(sent) != 1 or not _is_number(sent[0]):
        return None
    return replace(sent[0], obis=obis, derived=f"from {sent[0].obis.short}")


def _of_tariffs(found: Found, obis: Obis, known: set[Obis]) -> Register | None:
    tariffs = [register for code, register in found.items() if _is_tariff(code, obis) and _is_number(register)]
    known.update(register.obis for register in tariffs)
    if len(tariffs) < max(_MIN_TARIFFS, len(known)):
        return None
    return replace(reduce(_added, tariffs), obis=obis, derived=SUM_OF_TARIFFS)


def _is_of_channel(code: Obis, total: Obis) -> bool:
    return bool(code[1]) and code[0] == 1 and code[2:] == total[2:]


def _is_tariff(code: Obis, total: Obis) -> bool:
    return code[:4] == total[:4] and 1 <= code[4] <= MAX_TARIFFS and code[5] == _NOW


def _is_number(register: Register) -> bool:
    return not isinstance(register.raw, (bytes, bool))


def _added(first: Register, second: Register) -> Register:
    left, right, scaler = on_one_scale(first, second)
    return replace(first, raw=left + right, scaler=scaler)
