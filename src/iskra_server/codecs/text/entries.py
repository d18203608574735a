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
    """A data set; `code` is None for one that is no code, `register` for those and for an error text of the meter."""

    sent: DataSet
    code: Code | None
    register: Register | None


class Entries:
    """One per stream."""

    def __init__(self, *, assumes_kwh: bool = False) -> None:
        self.assumes_kwh = assumes_kwh
        self._remembered: dict[str, tuple[Entry, ...]] = {}

    def read(self, lines: Iterable[str], *, is_strict: bool = False) -> list[Entry]:
        """All data sets in order; a line that is none is passed over.

        Where `is_strict`, it raises Malformed, and so does a code that is none.
        """
        found: list[Entry] = []
        remembered: dict[str, tuple[Entry, ...]] = {}
        for line in lines:
            entries = self._remembered.get(line)
            if entries is None:
                entries = self._entries(line, is_strict=is_strict)
            if entries and len(remembered) < _MOST_REMEMBERED and len(line) <= _LONGEST_REMEMBERED:
                remembered[line] = entries
            for entry in entries:
                if entry.sent.code or not found:
                    found.append(entry)
                else:
                    # a content without a code goes on with the data set before
                    before = found.pop().sent
                    found.append(self._entry(DataSet(before.code, before.contents + entry.sent.contents)))
        self._remembered = remembered
        if is_strict and (strange := next((entry for entry in found if entry.code is None), None)):
            raise Malformed(f"{strange.sent.code!r} is no code")
        return found

    def _entries(self, line: str, *, is_strict: bool) -> tuple[Entry, ...]:
        try:
            return tuple(map(self._entry, data_sets(line)))
        except Malformed:
            if is_strict:
                raise
            return ()

    def _entry(self, sent: DataSet) -> Entry:
        code = codes.parse(sent.code)
        if code is None:
            return Entry(sent, None, None)
        return Entry(sent, code, registers.register(code.obis, sent.contents, assumes_kwh=self.assumes_kwh))


def now(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The entries that say how it is now: those with a group F are history."""
    return (entry for entry in entries if entry.code and entry.code.period is None)
