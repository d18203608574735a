"""What a receiver reads of bytes that were sent at another speed or format, or inverted.

    sent      8N1: a start bit 0, eight bits, the lowest first, a stop bit 1; the line rests at 1
              8E1: an even parity bit before the stop bit; 7E1 is 8N1 with the parity in the highest bit
    received  a start bit is a change to 0; bits are sampled in the middle; after a missing stop bit, chips differ: some
              wait until the line is idle, others take the 0 as the next start bit (`resyncs` False)

A line is text of "0" and "1", `_TICKS_PER_S` characters a second.
"""

from collections.abc import Iterator
from functools import lru_cache

READ_AT = 9600
# a multiple of every speed
_TICKS_PER_S = 460_800
# idle for longer than a frame between telegrams
_IDLE_BITS = 13


@lru_cache(maxsize=32)
def received(
    data: bytes,
    speed: int,
    *,
    has_parity: bool = False,
    read_at: int = READ_AT,
    reads_parity: bool = False,
    is_inverted: bool = False,
    resyncs: bool = True,
) -> bytes:
    """What a receiver at `read_at` baud reads of bytes that were sent at `speed` between two idle times.

    The parity bit of 8E1 is `has_parity` of the sender and `reads_parity` of the receiver, who does not check it.
    """
    bit = _TICKS_PER_S // read_at
    idle = "1" * (_IDLE_BITS * bit)
    frames = "".join(_frame(byte, has_parity=has_parity) for byte in data)
    line = idle + frames.translate(_scaled(speed)) + idle
    if is_inverted:
        line = line.translate(_FLIPPED)
    return bytes(_decode(line, bit, stop=10 if reads_parity else 9, resyncs=resyncs))


_FLIPPED = str.maketrans("01", "10")


def _frame(byte: int, *, has_parity: bool) -> str:
    parity = str(byte.bit_count() % 2) if has_parity else ""
    return f"0{f'{byte:08b}'[::-1]}{parity}1"


def _scaled(speed: int) -> dict[int, str]:
    ticks = _TICKS_PER_S // speed
    return str.maketrans({"0": "0" * ticks, "1": "1" * ticks})


def _decode(line: str, bit: int, *, stop: int, resyncs: bool) -> Iterator[int]:
    """The bytes of a line; `stop` is the place of the stop bit in a frame."""
    at = 0
    while (start := line.find("0", at)) >= 0 and start + stop * bit + bit // 2 < len(line):
        bits = line[start + bit + bit // 2 : start + (stop + 1) * bit : bit]
        yield int(bits[7::-1], 2)
        at = start + stop * bit + bit // 2
        if bits[-1] == "0" and (resyncs or "1" not in bits):
            at = line.find("1", at)
            if at < 0:
                return


def slower_speed(data: bytes, read_at: int, speeds: tuple[int, ...]) -> int | None:
    """The speed, below `read_at`, at which bytes seem to have been sent; None where they look like no slower ones.

    A slow bit is several bits of the receiver, so only few different bytes arrive: at a quarter of its speed 00, 78,
    80 and F8. The speed with the fewest possible bytes counts that allows nearly all of these.
    """
    for speed in sorted(speed for speed in speeds if 2 * speed <= read_at):
        strange = data.translate(None, _pictures(read_at // speed))
        if len(strange) <= _MAX_STRANGE * len(data):
            return speed
    return None


# share of bytes that are damaged
_MAX_STRANGE = 0.05


@lru_cache(maxsize=16)
def _pictures(ratio: int) -> bytes:
    """The bytes that a receiver can read of bits that are `ratio` times as long as its own."""
    # the bits of the sender in the middle of which the eight bits are sampled; the first one is the start bit
    places = [int((bit + 0.5) / ratio) for bit in range(1, 9)]
    lines = [f"0{bits:08b}" for bits in range(256)]
    return bytes(sorted({int("".join(line[place] for place in reversed(places)), 2) for line in lines}))
