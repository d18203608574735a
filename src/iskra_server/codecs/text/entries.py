"""The data sets of a telegram as registers.

A meter repeats most of its lines, so the results of the previous telegram's lines are cached.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from iskra_server.codecs.errors import Malformed
from iskra_server.codecs.text import codes, registers
from iskra_server.codecs.text.codes import Code
from iskra_server.codecs.text.lines import DataSet, data_sets
from iskra_server.codecs.text.numbers import number
from iskra_server.meter.reading import Register

# a full list of an MT174 has 343 lines; caching all would cost 250 kB for each meter
_MAX_CACHED = 64
_MAX_CACHED_LENGTH = 128


class Entry(Struct, frozen=True, gc=False):
    """A data set with its code; `register` is None for an error text of the meter.

    `digits` counts those of a number before and after the point; None where the register has none.
    """

    sent: DataSet
    code: Code
    register: Register | None
    digits: tuple[int, int] | None = None


class Entries:
    """One per stream."""

    def __init__(self, *, assumes_kwh: bool = False) -> None:
        self.assumes_kwh = assumes_kwh
        self._cached: dict[str, tuple[Entry, ...]] = {}

    def read(self, text: str, *, is_strict: bool = False) -> list[Entry]:
        """All data sets in order. Skips lines without a data set and unknown codes; raises Malformed if `is_strict`.

        Use one instance either always strict or never: skipped codes are cached as skipped.
        """
        result: list[Entry] = []
        cached: dict[str, tuple[Entry, ...]] = {}
        previous = self._cached
        # a line that begins with a parenthesis continues the data set before it
        for line in text.replace("\r\n", "\n").replace("\n(", "(").split("\n"):
            entries = previous.get(line)
            if entries is None:
                if not line or line.isspace():
                    continue
                entries = self._entries(line, is_strict=is_strict)
            if entries and len(line) <= _MAX_CACHED_LENGTH and len(cached) < _MAX_CACHED:
                cached[line] = entries
            result += entries
        self._cached = cached
        return result

    def _entries(self, line: str, *, is_strict: bool) -> tuple[Entry, ...]:
        entries: list[Entry] = []
        try:
            for sent in data_sets(line):
                code = codes.parse(sent.code)
                if code:
                    entries.append(self._entry(sent, code))
                elif is_strict:
                    raise Malformed(f"{sent.code!r} is no code")
        except Malformed:
            if is_strict:
                raise
        return tuple(entries)

    def _entry(self, sent: DataSet, code: Code) -> Entry:
        register = registers.register(code.obis, sent.contents, assumes_kwh=self.assumes_kwh)
        if register is None or isinstance(register.raw, (bytes, bool)):
            return Entry(sent, code, register)
        value = next(value for content in sent.contents if (value := number(content)))
        return Entry(sent, code, register, value.digits)


def now(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The current entries, without history."""
    return (entry for entry in entries if entry.code.period is None)
