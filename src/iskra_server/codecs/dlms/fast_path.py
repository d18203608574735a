"""The fast path: a list whose form was seen before is read without parsing it again.

A meter sends the same one to three lists for years: codes, types, scalers, texts and names stay, numbers and times
change. When the long way has read a telegram, `learn` notes where its numbers lie. A telegram of the same length whose
other bytes are all the same (one AND and one comparison of two large integers) says the same with other numbers.

The long way is the truth: tests/codecs/dlms/test_fast_path.py holds the two equal.
"""

from collections.abc import Iterator, Sequence
from struct import Struct as Packing

from msgspec import Struct

from iskra_server.codecs.dlms import axdr
from iskra_server.codecs.dlms.axdr import Element
from iskra_server.codecs.dlms.checks import is_near
from iskra_server.codecs.dlms.identity import CODES
from iskra_server.codecs.dlms.layouts import Layout
from iskra_server.codecs.dlms.notification import CLOCKS, DATE_TIME_LENGTH, Notification, is_date_time, meter_time
from iskra_server.meter.identity import Identity
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import MeterTime, Register
from iskra_server.meter.units import unit_named

# a meter sends up to three lists; texts in them may change
MAX_FORMS = 16
_INVOKE_ID = slice(1, 5)
_TIMES = frozenset((*CLOCKS, *map(Obis.parse, ("0.9.1", "0.9.2"))))
_VOLT = unit_named("V")
_STRUCT_CODES = {1: "b", 2: "h", 4: "i", 8: "q"}
# (element, position of its value)
Place = tuple[Element, int]


class DecodedList(Struct, frozen=True, gc=False):
    """What a list says. `layout` is that of a list of values alone, whose checks are still to be passed."""

    registers: tuple[Register, ...]
    time: MeterTime | None
    who: Identity
    layout: Layout | None


class Forms:
    """The forms of the lists of one stream."""

    def __init__(self) -> None:
        self._by_key: dict[tuple[int, bytes], list[_Form]] = {}
        self._count = 0

    def read(self, apdu: bytes, title: bytes) -> DecodedList | None:
        """What a telegram of a known form says; None where the long way decides."""
        forms = self._by_key.get((len(apdu), title))
        if forms is None:
            return None
        number = int.from_bytes(apdu, "little")
        return next((form.read(apdu) for form in forms if number & form.mask == form.fixed), None)

    def learn(
        self, apdu: bytes, title: bytes, sent: Notification, said: DecodedList, elements: Sequence[Element]
    ) -> None:
        """Remember the form of a telegram; `elements` are those of the registers, in their order."""
        places = dict(_places(sent.body, sent.body_at))
        if sent.body_at + _size(sent.body) != len(apdu) or any(map(_is_unsettled, said.registers)):
            return
        if self._count >= MAX_FORMS:
            self._by_key.clear()
            self._count = 0
        self._by_key.setdefault((len(apdu), title), []).append(_Form(apdu, sent, said, elements, places))
        self._count += 1


class _Form:
    def __init__(
        self, apdu: bytes, sent: Notification, said: DecodedList, elements: Sequence[Element], places: dict[int, int]
    ) -> None:
        self._said = said
        self._clock_at = sent.body_at - DATE_TIME_LENGTH if sent.has_time else 0
        # index of a register -> place of its value
        varying = {
            index: (element, places[id(element)])
            for index, (register, element) in enumerate(zip(said.registers, elements, strict=True))
            if _varies(register)
        }
        self._constant = [None if index in varying else each for index, each in enumerate(said.registers)]
        self._frames = [(index, said.registers[index]) for index in sorted(varying, key=lambda each: varying[each][1])]
        ordered = [varying[index] for index, _ in self._frames]
        self._unpack = _packing(ordered).unpack_from
        self._clocks = [index for index, (_, register) in enumerate(self._frames) if isinstance(register.raw, bytes)]
        mask = bytearray(b"\xff" * len(apdu))
        mask[_INVOKE_ID] = bytes(4)
        # a number that is no register may change, too
        known = set(map(id, elements))
        others = [each for each in sent.body.items if each.tag in axdr.INTEGERS and id(each) not in known]
        for element, at in (*ordered, *((each, places[id(each)]) for each in others)):
            mask[at : at + _width(element)] = bytes(_width(element))
        if sent.has_time:
            mask[self._clock_at : sent.body_at] = bytes(DATE_TIME_LENGTH)
        self.mask = int.from_bytes(mask, "little")
        self.fixed = int.from_bytes(apdu, "little") & self.mask

    def read(self, apdu: bytes) -> DecodedList | None:
        """What a telegram of this form says; None where a date-time in it is impossible, or two of them differ."""
        said = self._said
        values = self._unpack(apdu)
        registers = list(self._constant)
        for (index, register), value in zip(self._frames, values, strict=True):
            registers[index] = Register(register.obis, value, register.scaler, register.unit)
        clocks = [values[index] for index in self._clocks if len(values[index]) == DATE_TIME_LENGTH]
        sent = apdu[self._clock_at : self._clock_at + DATE_TIME_LENGTH] if self._clock_at else b""
        if not all(map(is_date_time, (*clocks, sent) if sent else clocks)):
            return None
        times = [time for clock in (*((sent,) if sent else ()), *clocks) if (time := meter_time(clock)) is not None]
        time = times[0] if times else None
        if not all(is_near(time, each) for each in times[1:]):
            return None
        return DecodedList(tuple(each for each in registers if each is not None), time, said.who, said.layout)


def _varies(register: Register) -> bool:
    if isinstance(register.raw, bytes):
        return register.obis in _TIMES
    return not isinstance(register.raw, bool) and register.obis not in CODES


def _is_unsettled(register: Register) -> bool:
    """Whether the scaler of a voltage may still change: 0 V tells none (scales.py)."""
    return register.unit == _VOLT and register.raw == 0 and register.scaler == 0


def _places(element: Element, at: int) -> Iterator[tuple[int, int]]:
    """The id of each element below, and the position of its value."""
    start = at + _head(element)
    yield id(element), start
    for item in element.items:
        yield from _places(item, start)
        start += _size(item)


def _size(element: Element) -> int:
    return _head(element) + (sum(map(_size, element.items)) if element.items else _width(element))


def _head(element: Element) -> int:
    """Bytes of tag and length, each length in as few bytes as it needs."""
    if element.tag not in axdr.TEXTS and element.tag not in axdr.COMPOUND and element.tag != axdr.BITS:
        return 1
    length = len(element.items) or _width(element)
    return 2 if length < 0x80 else 3 if length <= 0xFF else 4


def _width(element: Element) -> int:
    """Bytes of the value of what is not compound."""
    if isinstance(element.value, bytes):
        return len(element.value)
    if element.tag == axdr.BOOLEAN:
        return 1
    return axdr.INTEGERS[element.tag][0] if element.tag in axdr.INTEGERS else 0


def _packing(places: Sequence[Place]) -> Packing:
    """Gives the values at these places, which are in the order of the telegram."""
    form, position = ">", 0
    for element, at in places:
        width = _width(element)
        code = f"{width}s"
        if not isinstance(element.value, bytes):
            code = _STRUCT_CODES[width]
            code = code if axdr.INTEGERS[element.tag][1] else code.upper()
        form += f"{at - position}x{code}"
        position = at + width
    return Packing(form)
