"""What a receiver reads of bytes that were sent at another speed or inverted.

    sent      8N1: a start bit 0, eight bits, the lowest first, a stop bit 1; the line rests at 1
    received  a start bit is a change to 0; bits are sampled in the middle; after a missing stop bit, chips differ: some
              wait until the line is idle, others take the 0 as the next start bit (`resyncs` False)

A line is text of "0" and "1", `_TICKS_PER_S` characters per second.
"""

from collections.abc import Iterator
from functools import lru_cache

READ_AT = 9600
# a multiple of every speed
_TICKS_PER_S = 460_800
# idle for longer than a frame between telegrams
_IDLE_BITS = 12


@lru_cache(maxsize=32)
def received(
    data: bytes, speed: int, *, read_at: int = READ_AT, is_inverted: bool = False, resyncs: bool = True
) -> bytes:
    """What a receiver reads at one speed, in baud, of bytes that were sent at another between two idle times."""
    bit = _TICKS_PER_S // read_at
    idle = "1" * (_IDLE_BITS * bit)
    line = idle + "".join(map(_frame, data)).translate(_scaled(speed)) + idle
    return bytes(_decode(line.translate(_FLIPPED) if is_inverted else line, bit, resyncs=resyncs))


_FLIPPED = str.maketrans("01", "10")


def _frame(byte: int) -> str:
    return f"0{f'{byte:08b}'[::-1]}1"


def _scaled(speed: int) -> dict[int, str]:
    ticks = _TICKS_PER_S // speed
    return str.maketrans({"0": "0" * ticks, "1": "1" * ticks})


def _decode(line: str, bit: int, *, resyncs: bool) -> Iterator[int]:
    at = 0
    while (start := line.find("0", at)) >= 0 and start + 9 * bit + bit // 2 < len(line):
        bits = line[start + bit + bit // 2 : start + 10 * bit : bit]
        yield int(bits[7::-1], 2)
        at = start + 9 * bit + bit // 2
        if bits[8] == "0" and (resyncs or "1" not in bits):
            at = line.find("1", at)
            if at < 0:
                return
