"""The content of a readout (IEC 62056-21, 6.5; IEC 62056-61): current registers, identity and time of the meter.

    1.8.0, 1.8.0*255           current
    1.8.0*01, 1.8.0&07         history, left out
    1.8.0*00                   current (Pafal, Apator) if the code has no other form, else an empty slot of history

Of two values for one code the first one counts, and the reading names the code (`Reading.repeated`). A heat or water
meter sends codes without a medium; a volume, a temperature or joules reveal it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from iskra_server.codecs.text import identity
from iskra_server.codecs.text.entries import Entry
from iskra_server.codecs.text.times import moment
from iskra_server.meter.identity import UNKNOWN, Identity
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Protection, Reading, Register
from iskra_server.meter.units import unit_named

PROTOCOL = "d0"
# they send energies without a unit
ASSUMES_KWH = frozenset(("EMH", "PAF", "APA"))
# meters differ in the groups A and B of identities and clocks, so only C, D and E are compared
_Groups = tuple[int, int, int]
_DIN_CODES: tuple[_Groups, ...] = ((0, 0, 1), (96, 1, 1), (96, 1, 0), (96, 1, 255), (0, 0, 0), (0, 0, 9))
_NAME_CODES: tuple[_Groups, ...] = ((96, 1, 0), (0, 0, 0), (96, 1, 1), (96, 1, 255))
_CLOCK, _DATE = bytes((0, 9, 1)), bytes((0, 9, 2))
# group C of all of them
_NAMING = frozenset((0, 96))
_HEAT = 6
_HEAT_UNITS = frozenset(map(unit_named, ("m³", "m³/h", "J", "°C")))


def current(entries: Iterable[Entry]) -> list[Entry]:
    """The entries with current values, each code once."""
    first: dict[Obis, Entry] = {}
    for entry in _all_current(list(entries)):
        first.setdefault(entry.code.obis, entry)
    return list(first.values())


def repeated(entries: Iterable[Entry]) -> tuple[Obis, ...]:
    """The codes with several current values, of which `current` has the first."""
    first: dict[Obis, Entry] = {}
    others = (entry for entry in _all_current(list(entries)) if first.setdefault(entry.code.obis, entry) is not entry)
    differing = (entry.code.obis for entry in others if entry.register != first[entry.code.obis].register)
    return tuple(dict.fromkeys(differing))


def _all_current(entries: list[Entry]) -> Iterator[Entry]:
    periods: dict[Obis, int] = {}
    others: set[Obis] = set()
    if any(entry.code.period is not None for entry in entries):
        periods = Counter(entry.code.obis for entry in entries if entry.code.period is not None)
        others = {entry.code.obis for entry in entries if entry.code.period is None}
    for entry in entries:
        obis, period = entry.code.obis, entry.code.period
        if period is None or (period == 0 and periods[obis] == 1 and obis not in others):
            yield entry


def clock(entries: list[Entry]) -> list[Entry]:
    """The entries whose contents are the meter's time (`moment`): date and time of day, or none."""
    first = {entry.code.obis[2:5]: entry for entry in reversed(entries)}
    return [first[_DATE], first[_CLOCK]] if first.keys() >= {_DATE, _CLOCK} else []


def reading(ident: str, entries: list[Entry], length: int, *, protection: Protection = "checksum") -> Reading:
    """`entries` are those of `current`; `ident` is the identification line without its "/", "" if there was none."""
    by_groups: dict[_Groups, str] = {}
    for entry in entries:
        _, _, c, d, e, _ = entry.code.obis
        if c in _NAMING:
            by_groups.setdefault((c, d, e), entry.sent.contents[0])
    meter = identify(ident, by_groups)
    dated = [entry.sent.contents[0] for entry in clock(entries)]
    return Reading(
        meter.meter_id,
        meter.server_id,
        _registers(entries),
        moment(*dated) if dated else None,
        PROTOCOL,
        length,
        protection=protection,
    )


def identify(ident: str, names: dict[_Groups, str]) -> Identity:
    """The identity of the meter: by DIN 43863-5, else its number with the maker's letters, else its identification."""
    din = next((names[code] for code in _DIN_CODES if code in names and identity.is_din(names[code])), "")
    numbers = (din, *(names[code] for code in _NAME_CODES if code in names))
    maker = identity.maker_of(ident)
    named = next((meter for name in numbers if (meter := identity.identity(name, maker))), None)
    return named or identity.of_ident(ident) or UNKNOWN


def _registers(entries: list[Entry]) -> tuple[Register, ...]:
    sent = [(entry, register) for entry in entries if (register := entry.register) is not None]
    if not any(_has_no_medium(entry) and register.unit in _HEAT_UNITS for entry, register in sent):
        return tuple(register for _, register in sent)
    return tuple(
        replace(register, obis=Obis(bytes((_HEAT,)) + register.obis[1:]))
        if _has_no_medium(entry) and register.obis[0] == 1
        else register
        for entry, register in sent
    )


def _has_no_medium(entry: Entry) -> bool:
    return "-" not in entry.sent.code
