"""The data sets of a telegram as registers.

A meter repeats most of its lines, so what those of the telegram before have said is remembered.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from iskra_server.codecs.errors import Malformed
from iskra_server.codecs.text import codes, registers
from iskra_server.codecs.text.codes import Code
from iskra_server.codecs.text.lines import DataSet, data_sets
from iskra_server.meter.reading import Register

# a full list of an MT174 has 343 lines; what is remembered of it is not worth the memory
_MOST_REMEMBERED = 64
_LONGEST_REMEMBERED = 128


class Entry(Struct, frozen=True, gc=False):
    """A data set; `register` is None for an error text of the meter."""

    sent: DataSet
    code: Code
    register: Register | None


class Entries:
    """One per stream."""

    def __init__(self, *, assumes_kwh: bool = False) -> None:
        self.assumes_kwh = assumes_kwh
        self._remembered: dict[str, tuple[Entry, ...]] = {}

    def read(self, text: str, *, is_strict: bool = False) -> list[Entry]:
        """All data sets in order. What is none, or has no code, is passed over; where `is_strict` it raises Malformed.

        Either always strict or never: what was passed over once is not looked at again.
        """
        found: list[Entry] = []
        remembered: dict[str, tuple[Entry, ...]] = {}
        before = self._remembered
        # a line that begins with a content goes on with the data set before
        for line in text.replace("\r\n", "\n").replace("\n(", "(").split("\n"):
            entries = before.get(line)
            if entries is None:
                if not line or line.isspace():
                    continue
                entries = self._entries(line, is_strict=is_strict)
            if entries and len(line) <= _LONGEST_REMEMBERED and len(remembered) < _MOST_REMEMBERED:
                remembered[line] = entries
            found += entries
        self._remembered = remembered
        return found

    def _entries(self, line: str, *, is_strict: bool) -> tuple[Entry, ...]:
        found: list[Entry] = []
        try:
            for sent in data_sets(line):
                code = codes.parse(sent.code)
                if code:
                    register = registers.register(code.obis, sent.contents, assumes_kwh=self.assumes_kwh)
                    found.append(Entry(sent, code, register))
                elif is_strict:
                    raise Malformed(f"{sent.code!r} is no code")
        except Malformed:
            if is_strict:
                raise
        return tuple(found)


def now(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The entries that say how it is now: those with a group F are history."""
    return (entry for entry in entries if entry.code.period is None)
