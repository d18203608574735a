"""SML type-length-value fields (BSI TR-03109-1 annex IV, SML 1.04, 6.3).

    1 TTT LLLL  0 000 LLLL ...      head: more | type | four bits of length, most significant first
    type 0 octet string, 4 boolean, 5 integer, 6 unsigned, 7 list
    length counts the bytes of head and value together; for a list, its elements
    00 end of message      01 absent (and also: the empty octet string)

A field keeps the length of its head and every byte of its value, so encoding it again gives the same bytes.
"""

from typing import Final

from msgspec import Struct

from iskra_server.codecs.errors import Malformed

BYTES: Final = 0
BOOLEAN: Final = 4
INTEGER: Final = 5
UNSIGNED: Final = 6
LIST: Final = 7

# real telegrams stay below 10 levels and 3 bytes of head
MAX_DEPTH = 16
MAX_HEAD = 8
_WIDTHS = {BOOLEAN: (1, 1), INTEGER: (1, 8), UNSIGNED: (1, 8)}


class Leaf(Struct, frozen=True, gc=False):
    """A value: its type, its bytes as sent, and how many bytes its head has."""

    kind: int
    payload: bytes
    head: int = 1

    @property
    def value(self) -> int | bytes | bool:
        match self.kind:
            case 5:
                return int.from_bytes(self.payload, signed=True)
            case 6:
                return int.from_bytes(self.payload)
            case 4:
                return self.payload != b"\0"
        return self.payload


class Sequence(Struct, frozen=True):
    """A list of fields."""

    items: tuple["Node", ...]
    head: int = 1


Node = Leaf | Sequence

ABSENT = Leaf(BYTES, b"")
END_OF_MESSAGE = Leaf(BYTES, b"", head=0)


def parse(data: bytes, at: int = 0, depth: int = 0) -> tuple[Node, int]:
    """The field that begins at `at`, and the position behind it. Raises Malformed."""
    kind, length, start = _head(data, at)
    head = start - at
    if kind == LIST:
        return _sequence(data, at, start, length, depth)
    if length == 0 and head == 1 and kind == BYTES:
        return END_OF_MESSAGE, start
    low, high = _WIDTHS.get(kind, (0, length))
    if kind not in (BYTES, *_WIDTHS):
        raise Malformed(f"unknown type {kind} at byte {at}")
    if not low <= length - head <= high:
        raise Malformed(f"field at byte {at} claims {length - head} bytes of value, expected {low} to {high}")
    end = at + length
    if end > len(data):
        raise Malformed(f"field at byte {at} claims {length} bytes, {len(data) - at} are left")
    return Leaf(kind, data[start:end], head), end


def encode(node: Node) -> bytes:
    """The bytes of a field; the inverse of `parse`."""
    if isinstance(node, Sequence):
        return _encode_head(LIST, len(node.items), node.head) + b"".join(map(encode, node.items))
    if node.head == 0:
        return b"\0"
    return _encode_head(node.kind, len(node.payload) + node.head, node.head) + node.payload


def size(node: Node) -> int:
    """How many bytes `encode` makes of a field."""
    if isinstance(node, Sequence):
        return node.head + sum(map(size, node.items))
    return max(1, node.head + len(node.payload))


def octet_string(payload: bytes) -> Leaf:
    """An octet string; one without bytes is ABSENT."""
    head = 1
    while len(payload) + head >= 1 << (4 * head):
        head += 1
    return Leaf(BYTES, payload, head)


def integer(value: int, width: int) -> Leaf:
    """A signed integer of `width` bytes."""
    return Leaf(INTEGER, value.to_bytes(width, signed=True))


def unsigned(value: int, width: int) -> Leaf:
    """An unsigned integer of `width` bytes."""
    return Leaf(UNSIGNED, value.to_bytes(width))


def sequence(*items: Node) -> Sequence:
    """A list of these fields."""
    head = 1
    while len(items) >= 1 << (4 * head):
        head += 1
    return Sequence(items, head)


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """Type, length as written, and the position behind the head."""
    try:
        byte = data[at]
        kind, length, position = byte >> 4 & 7, byte & 0xF, at + 1
        while byte & 0x80:
            byte = data[position]
            if byte & 0x70:
                raise Malformed(f"the head at byte {at} goes on with a type, expected 000")
            length = length << 4 | byte & 0xF
            position += 1
            if position - at > MAX_HEAD:
                raise Malformed(f"head at byte {at} is longer than {MAX_HEAD} bytes")
    except IndexError:
        raise Malformed(f"field at byte {at} is cut off") from None
    return kind, length, position


def _sequence(data: bytes, at: int, start: int, length: int, depth: int) -> tuple[Sequence, int]:
    # the length is an unchecked promise: every element needs at least one byte
    if length > len(data) - start:
        raise Malformed(f"list at byte {at} claims {length} elements, {len(data) - start} bytes are left")
    if depth >= MAX_DEPTH:
        raise Malformed(f"list at byte {at} is nested deeper than {MAX_DEPTH} levels")
    items = []
    position = start
    for _ in range(length):
        item, position = parse(data, position, depth + 1)
        items.append(item)
    return Sequence(tuple(items), start - at), position


def _encode_head(kind: int, length: int, head: int) -> bytes:
    if head == 1:
        return bytes((kind << 4 | length,))
    nibbles = [length >> 4 * place & 0xF for place in reversed(range(head))]
    nibbles[0] |= kind << 4
    return bytes(nibble | (0x80 if place < head - 1 else 0) for place, nibble in enumerate(nibbles))
