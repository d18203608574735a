"""What a receiver makes of bytes that were sent at another speed, or upside down.

    sent      8N1: a start bit 0, eight bits, the lowest first, a stop bit 1; the line rests at 1
    received  a start bit is a fall to 0; bits are read in the middle of their own length; where no stop bit stands,
              chips differ: one waits until the line rests again, another takes the missing stop bit for a start bit

A line is text of "0" and "1", `_BIT` characters to a bit of the receiver.
"""

from collections.abc import Iterator
from functools import lru_cache

READ_AT = 9600
# every speed below is a whole number of these
_TICKS_PER_S = 460_800
_BIT = _TICKS_PER_S // READ_AT
# a line rests for longer than a frame between telegrams
_REST = "1" * (12 * _BIT)


@lru_cache(maxsize=32)
def seen(data: bytes, speed: int, *, is_inverted: bool = False, waits: bool = True) -> bytes:
    """What is read at 9600 baud of bytes that were sent at `speed`, out of a rest and back to one."""
    line = _REST + "".join(map(_frame, data)).translate(_widened(speed)) + _REST
    return bytes(_received(line.translate(_FLIPPED) if is_inverted else line, waits=waits))


_FLIPPED = str.maketrans("01", "10")


def _frame(byte: int) -> str:
    return f"0{f'{byte:08b}'[::-1]}1"


def _widened(speed: int) -> dict[int, str]:
    ticks = _TICKS_PER_S // speed
    return str.maketrans({"0": "0" * ticks, "1": "1" * ticks})


def _received(line: str, *, waits: bool) -> Iterator[int]:
    at = 0
    while (start := line.find("0", at)) >= 0 and start + 9 * _BIT + _BIT // 2 < len(line):
        bits = line[start + _BIT + _BIT // 2 : start + 10 * _BIT : _BIT]
        yield int(bits[7::-1], 2)
        at = start + 9 * _BIT + _BIT // 2
        if bits[8] == "0" and (waits or "1" not in bits):
            at = line.find("1", at)
            if at < 0:
                return
