"""A-XDR: the tagged values of DLMS (IEC 62056-5-3, table of data types; IEC 61334-6).

    02 03 | 06 00 00 00 2A | 09 02 41 42 | 00        structure of: u32 42, octet string "AB", null

A tag, then the value; octet strings, texts and bit strings have a length in between, arrays and structures the
number of their elements. Lengths: 00 to 7F as they are, 81 nn, 82 nn nn.
"""

from typing import Final

from msgspec import Struct

from iskra_server.codecs.errors import Malformed

NULL: Final = 0x00
ARRAY: Final = 0x01
STRUCTURE: Final = 0x02
BOOLEAN: Final = 0x03
BITS: Final = 0x04
OCTETS: Final = 0x09
VISIBLE: Final = 0x0A
UTF8: Final = 0x0C
INT8: Final = 0x0F
UINT8: Final = 0x11
UINT16: Final = 0x12
UINT32: Final = 0x06
ENUM: Final = 0x16

# real lists have 3 levels and fewer than 400 elements
MAX_DEPTH = 8
MAX_ELEMENTS = 512

# tag -> bytes, signed
INTEGERS = {
    0x05: (4, True),
    UINT32: (4, False),
    0x0D: (1, False),
    INT8: (1, True),
    0x10: (2, True),
    UINT8: (1, False),
    UINT16: (2, False),
    0x14: (8, True),
    0x15: (8, False),
    ENUM: (1, False),
}
# floats, date-time, date and time are kept as they were sent
RAW = {0x17: 4, 0x18: 8, 0x19: 12, 0x1A: 5, 0x1B: 4}
TEXTS = frozenset((OCTETS, VISIBLE, UTF8))
COMPOUND = frozenset((ARRAY, STRUCTURE))
NAMES = {
    **{NULL: "null", ARRAY: "array", STRUCTURE: "structure", BOOLEAN: "boolean", BITS: "bits", OCTETS: "bytes"},
    **{VISIBLE: "text", UTF8: "text", ENUM: "enum", 0x0D: "bcd", 0x19: "date-time", 0x1A: "date", 0x1B: "time"},
    **{0x05: "i4", UINT32: "u4", INT8: "i1", 0x10: "i2", UINT8: "u1", UINT16: "u2", 0x14: "i8", 0x15: "u8"},
    **{0x17: "float4", 0x18: "float8"},
}
_FIXED = {NULL: 0, BOOLEAN: 1, **{tag: width for tag, (width, _) in INTEGERS.items()}, **RAW}
_MAX_LENGTH = 2
_LENGTH_MISSING = -1


class Element(Struct, frozen=True, gc=False):
    """A value and its tag; arrays and structures hold a tuple of elements, null holds None."""

    tag: int
    value: "int | bytes | bool | tuple[Element, ...] | None"

    @property
    def items(self) -> "tuple[Element, ...]":
        """The elements of an array or a structure; none for other values."""
        return self.value if isinstance(self.value, tuple) else ()

    @property
    def data(self) -> bytes:
        """The bytes of an octet string or a text; none for other values."""
        return self.value if self.tag in TEXTS and isinstance(self.value, bytes) else b""


def parse(data: bytes, at: int = 0) -> Element:
    """The element that fills `data` from `at` to its last byte. Raises Malformed."""
    parser = _Parser(data, at)
    try:
        element = parser.element(0)
    except IndexError:
        raise Malformed("the list is cut off") from None
    if parser.at != len(data):
        raise Malformed(f"the list ends at byte {parser.at} of {len(data)}")
    return element


class _Parser:
    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at
        self._left = MAX_ELEMENTS

    def element(self, depth: int) -> Element:
        """The element at `at`, which moves behind it. Raises Malformed, or IndexError where it is cut off."""
        data, at = self.data, self.at
        tag = data[at]
        if tag in INTEGERS:
            width, signed = INTEGERS[tag]
            self.at = end = at + 1 + width
            value = data[at + 1 : end]
            if len(value) < width:
                raise IndexError
            return Element(tag, int.from_bytes(value, signed=signed))
        if tag in COMPOUND:
            return self._compound(tag, depth)
        self.at += 1
        return Element(tag, self._simple_value(tag))

    def _simple_value(self, tag: int) -> bytes | bool | None:
        """The value of what is neither a number nor compound."""
        if tag in TEXTS:
            return self._bytes(self._length())
        if tag in RAW:
            return self._bytes(RAW[tag])
        if tag == BITS:
            return self._bytes((self._length() + 7) // 8)
        if tag == BOOLEAN:
            return self._bytes(1) != b"\0"
        if tag == NULL:
            return None
        raise Malformed(f"unknown type 0x{tag:02x} at byte {self.at - 1}")

    def _compound(self, tag: int, depth: int) -> Element:
        start = self.at
        self.at += 1
        count = self._length()
        # the count is an unchecked promise: every element needs at least one byte
        if count > len(self.data) - self.at:
            raise Malformed(f"list at byte {start} claims {count} elements, {len(self.data) - self.at} bytes are left")
        self._left -= count
        if depth >= MAX_DEPTH or self._left < 0:
            raise Malformed(f"more than {MAX_DEPTH} levels or {MAX_ELEMENTS} elements at byte {start}")
        element = self.element
        return Element(tag, tuple([element(depth + 1) for _ in range(count)]))

    def _length(self) -> int:
        length, self.at = _length(self.data, self.at)
        if length == _LENGTH_MISSING:
            raise IndexError
        return length

    def _bytes(self, count: int) -> bytes:
        start = self.at
        self.at = end = start + count
        if end > len(self.data):
            raise Malformed(f"value at byte {start} claims {count} bytes, {len(self.data) - start} are left")
        return self.data[start:end]


class Extent:
    """Finds the end of an element that arrives in pieces; it looks at each head once."""

    def __init__(self, at: int) -> None:
        self._at = at
        self._left = MAX_ELEMENTS
        # how many elements are still to come, for each level that has begun
        self._open = [1]

    def end(self, data: bytes | bytearray) -> int | None:
        """The position behind the element, None while bytes are missing. Raises Malformed."""
        while self._open and self._at < len(data):
            tag = data[self._at]
            length = _FIXED.get(tag, _LENGTH_MISSING)
            start = self._at + 1
            if length == _LENGTH_MISSING:
                if tag not in TEXTS and tag not in COMPOUND and tag != BITS:
                    raise Malformed(f"unknown type 0x{tag:02x}")
                length, start = _length(data, start)
                if length == _LENGTH_MISSING:
                    return None
            self._open[-1] -= 1
            if tag in COMPOUND:
                self._left -= length
                self._open.append(length)
                length = 0
            elif tag == BITS:
                length = (length + 7) // 8
            self._at = start + length
            while self._open and self._open[-1] == 0:
                self._open.pop()
            if len(self._open) > MAX_DEPTH + 1 or self._left < 0:
                raise Malformed(f"more than {MAX_DEPTH} levels or {MAX_ELEMENTS} elements")
        return self._at if not self._open and self._at <= len(data) else None


def _length(data: bytes | bytearray, at: int) -> tuple[int, int]:
    """A length, and the position behind it; -1 where bytes of it are missing. Raises Malformed."""
    if at >= len(data):
        return _LENGTH_MISSING, at
    first = data[at]
    if first < 0x80:
        return first, at + 1
    width = first & 0x7F
    if not 1 <= width <= _MAX_LENGTH:
        raise Malformed(f"length of {width} bytes at byte {at}, expected at most {_MAX_LENGTH}")
    end = at + 1 + width
    if end > len(data):
        return _LENGTH_MISSING, at
    return int.from_bytes(data[at + 1 : end]), end


def read_length(data: bytes, at: int) -> tuple[int, int]:
    """A length (BER, as A-XDR writes it) and the position behind it. Raises Malformed, also where it is cut off."""
    length, end = _length(data, at)
    if length == _LENGTH_MISSING:
        raise Malformed("the length is cut off")
    return length, end
