"""Packs a column of numbers into few bytes, and reads them with bounds. docs/history-format.md describes every byte.

    series      first value (8 bytes), width of a step (0, 1, 2, 4, 8), steps from value to value: all lowest bytes
                first, then the next ones, as zlib compresses bytes of one kind better

Numbers are signed integers of 64 bits, little-endian; steps wrap around. Damage raises ValueError.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise, repeat
from typing import Any

from iskra_server.history.model.records import INT64_MAX

# more than a block can need; limits the memory that damaged bytes can claim
MAX_BYTES = 8 << 20

_SERIES = "<qB"
_CODES = {1: "b", 2: "h", 4: "i", 8: "q"}
_SIGN, _WRAP = INT64_MAX + 1, 1 << 64


def is_storable(value: int) -> bool:
    """Whether a number fits into 64 bits, one of them the sign."""
    return -_SIGN <= value < _SIGN


def encode_series(values: Sequence[int]) -> bytes:
    """One or more storable numbers as a series."""
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
    # only a series that can leave 64 bits needs to be wrapped, value by value
    farthest = abs(first) + (count - 1 << 8 * width - 1)
    return map(_wrapped, values) if farthest >= _SIGN else values


def _wrapped(value: int) -> int:
    return (value + _SIGN) % _WRAP - _SIGN


def compress(data: bytes) -> bytes:
    return zlib.compress(data, 9)


def decompress(data: bytes) -> bytes:
    """The inverse of `compress`. Raises ValueError for damage, and for more than MAX_BYTES."""
    stream = zlib.decompressobj()
    try:
        body = stream.decompress(data, MAX_BYTES)
    except zlib.error as error:
        raise ValueError(f"the block of points is damaged: {error}") from None
    if not stream.eof or stream.unused_data:
        raise ValueError("the block of points is damaged: it does not end where it should")
    return body


class Cursor:
    """Reads bytes in order. Raises ValueError where they end too early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def read(self, count: int) -> bytes:
        data = self._data[self._at : self._at + count]
        if len(data) < count:
            raise ValueError("the block of points is damaged: it ends too early")
        self._at += count
        return data

    def numbers(self, form: str) -> tuple[Any, ...]:
        return struct.unpack(form, self.read(struct.calcsize(form)))

    def rows(self, form: str, count: int) -> Iterator[tuple[Any, ...]]:
        return struct.iter_unpack(form, self.read(count * struct.calcsize(form)))

    def series(self, count: int) -> bytes:
        """The bytes of a series of `count` numbers, as `decode_series` takes them."""
        head = self.read(struct.calcsize(_SERIES))
        width = head[-1]
        if width and width not in _CODES:
            raise ValueError(f"the block of points is damaged: no number has {width} bytes")
        return head + self.read(width * (count - 1))

    def end(self) -> None:
        if self._at != len(self._data):
            raise ValueError("the block of points is damaged: bytes follow its end")
