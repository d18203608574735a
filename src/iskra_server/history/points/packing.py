"""Packing: a column of numbers in few bytes, and bytes that are deflated and read on with bounds.

    series      first value (8 bytes), width of a step (0, 1, 2, 4, 8), steps: all lowest bytes first, then the
                next ones, as zlib finds more among bytes of one kind

Numbers are integers of 64 bits, little-endian; steps wrap around. Damage is a ValueError.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise, repeat
from typing import Any

# more than a block can need; it bounds the memory that damaged bytes can ask for
MAX_BYTES = 8 << 20

_SERIES = "<qB"
_CODES = {1: "b", 2: "h", 4: "i", 8: "q"}
_SIGN, _WRAP = 1 << 63, 1 << 64


def is_storable(value: int) -> bool:
    """Whether a number has 64 bits at most, one of them the sign."""
    return -_SIGN <= value < _SIGN


def encode_series(values: Sequence[int]) -> bytes:
    """A series of one or more storable numbers."""
    steps = [_wrapped(after - before) for before, after in pairwise(values)]
    largest = max((step if step >= 0 else ~step for step in steps), default=0)
    width = next(width for width in (1, 2, 4, 8) if largest < 1 << 8 * width - 1) if any(steps) else 0
    packed = struct.pack(f"<{len(steps)}{_CODES[width]}", *steps) if width else b""
    return struct.pack(_SERIES, values[0], width) + b"".join(packed[byte::width] for byte in range(width))


def decode_series(packed: bytes, count: int) -> Iterable[int]:
    """The `count` numbers of a series."""
    first, width = struct.unpack_from(_SERIES, packed)
    if not width:
        return repeat(first, count)
    steps = bytearray(width * (count - 1))
    for byte in range(width):
        begin = struct.calcsize(_SERIES) + byte * (count - 1)
        steps[byte::width] = packed[begin : begin + count - 1]
    values = accumulate(struct.unpack(f"<{count - 1}{_CODES[width]}", steps), initial=first)
    # most series stay far from the ends of what 64 bits hold
    farthest = abs(first) + (count - 1 << 8 * width - 1)
    return map(_wrapped, values) if farthest >= _SIGN else values


def _wrapped(value: int) -> int:
    return (value + _SIGN) % _WRAP - _SIGN


def compress(data: bytes) -> bytes:
    return zlib.compress(data, 9)


def decompress(data: bytes) -> bytes:
    """The inverse of `deflated`; ValueError for damage, and for more than MAX_OCTETS."""
    stream = zlib.decompressobj()
    try:
        body = stream.decompress(data, MAX_BYTES)
    except zlib.error as error:
        raise ValueError(f"the block of points is damaged: {error}") from None
    if not stream.eof or stream.unused_data:
        raise ValueError("the block of points is damaged: it does not end where it should")
    return body


class Cursor:
    """Reads on; ValueError where the bytes end too early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise ValueError("the block of points is damaged: it ends too early")
        self._at += count
        return taken

    def numbers(self, form: str) -> tuple[Any, ...]:
        return struct.unpack(form, self.take(struct.calcsize(form)))

    def rows(self, form: str, count: int) -> Iterator[tuple[Any, ...]]:
        return struct.iter_unpack(form, self.take(count * struct.calcsize(form)))

    def folded(self, count: int) -> bytes:
        head = self.take(struct.calcsize(_SERIES))
        width = head[-1]
        if width and width not in _CODES:
            raise ValueError(f"the block of points is damaged: no number has {width} bytes")
        return head + self.take(width * (count - 1))

    def end(self) -> None:
        if self._at != len(self._data):
            raise ValueError("the block of points is damaged: something follows its end")
