"""The fast path: a telegram that differs from an earlier one in its numbers and its clock alone.

A meter sends the same lines for years. When the long way has read a telegram, `learn` notes where the numbers of
electricity and the clock lie. Another telegram with digits at the same places (its shape) and the same bytes everywhere
else (one AND and one comparison of two large integers) says the same with other numbers.

The long way is the truth: tests/codecs/text/test_fast_path.py holds the two equal.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.codecs.text.entries import Entry
from iskra_server.codecs.text.times import moment
from iskra_server.meter.reading import Reading, Register

# a meter sends one or two lists; texts in them may change
MAX_FORMS = 4
_SHAPE = bytes.maketrans(b"123456789", b"000000000")
_NUMBER = re.compile(rb"[+-]?\d+(?:\.\d+)?")
_CONTENT = re.compile(rb"[^()]*(?=\))")
_ZERO = ord("0")
_ELECTRICITY, _QUANTITIES = 1, range(1, 96)

# where it stands in the text, the index of its register, and that register as learned
_Place = tuple[slice, int, Register]


class _Form(Struct, frozen=True):
    """`mask` and `fixed` are what all telegrams of a form share; `clock` are the arguments of `moment`."""

    mask: int
    fixed: int
    numbers: list[_Place]
    clock: list[_Place]
    readings: Sequence[Reading]


class Forms:
    """The forms of the telegrams of one stream, by shape."""

    def __init__(self) -> None:
        self._forms: dict[bytes, _Form] = {}

    def clear(self) -> None:
        self._forms.clear()

    def read(self, text: bytes, length: int) -> list[Reading] | None:
        """The readings of a telegram of `length` bytes whose form was learned, else None."""
        form = self._forms.get(text.translate(_SHAPE))
        if form is None or int.from_bytes(text) & form.mask != form.fixed:
            return None
        meter, *sub_meters = form.readings
        registers = list(meter.registers)
        for place, index, before in form.numbers:
            raw = int(text[place].replace(b".", b""))
            registers[index] = Register(before.obis, raw, before.scaler, before.unit, None, before.time)
        for place, index, before in form.clock:
            registers[index] = Register(before.obis, text[place])
        time = moment(*(text[place].decode() for place, _, _ in form.clock)) if form.clock else meter.meter_time
        return [replace(meter, registers=tuple(registers), meter_time=time, byte_count=length), *sub_meters]

    def learn(self, text: bytes, entries: Sequence[Entry], clock: Sequence[Entry], readings: Sequence[Reading]) -> None:
        """Remember the form of a telegram; the time of the meter is the `moment` of the contents of `clock`."""
        # of two values for one code both may count, or the first one
        if len({entry.code for entry in entries}) < len(entries):
            return
        registers = readings[0].registers
        numbers = list(_places(text, filter(_varies, entries), registers, _NUMBER))
        times = list(_places(text, (entry for entry in clock if entry.digits is None), registers, _CONTENT))
        if len(times) < len(clock):
            times.clear()
        mask = bytearray(b"\xff" * len(text))
        for place, _, _ in (*numbers, *times):
            mask[place] = bytes(place.stop - place.start)
        for place, _, _ in numbers:
            # the first digit tells whether a number is padded with zeros, which widths.py remembers
            first = place.start + text.startswith((b"+", b"-"), place.start)
            if text[first] != _ZERO and text[first + 1 : place.stop][:1].isdigit():
                mask[first] = 0xFF
        if len(self._forms) >= MAX_FORMS:
            self._forms.clear()
        fixed, common = int.from_bytes(text), int.from_bytes(mask)
        self._forms[text.translate(_SHAPE)] = _Form(common, fixed & common, numbers, times, readings)


def _varies(entry: Entry) -> bool:
    """Whether an entry has a number of electricity: neither an identity nor a list."""
    a, _, c, *_ = entry.code.obis
    return entry.digits is not None and a == _ELECTRICITY and c in _QUANTITIES


def _places(
    text: bytes, entries: Iterable[Entry], registers: Sequence[Register], pattern: re.Pattern[bytes]
) -> Iterator[_Place]:
    """Where the pattern stands in each entry that fills a line with one content and is one of the registers."""
    index_of = {id(register): index for index, register in enumerate(registers)}
    begins = _begins(text)
    for entry in entries:
        code, contents = entry.sent.code, entry.sent.contents
        begin = begins.get(f"{code}({contents[0]})".encode("latin-1")) if len(contents) == 1 else None
        index = index_of.get(id(entry.register))
        if begin is not None and index is not None and (found := pattern.match(text, begin + len(code) + 1)):
            yield slice(*found.span()), index, registers[index]


def _begins(text: bytes) -> dict[bytes, int]:
    """Where each line begins."""
    begins, at = dict[bytes, int](), 0
    for line in text.split(b"\n"):
        begins[line.rstrip(b"\r")] = at
        at += len(line) + 1
    return begins
