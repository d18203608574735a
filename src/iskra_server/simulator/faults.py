"""Simulated faults: each kind happens to a given share of the telegrams.

noise     stray bytes before or inside a telegram
lost      one to four bytes missing
bits      one to four bits lost, 1 -> 0
cut       the rest of the telegram missing
silence   nothing sent for 5 to 30 telegrams
unplug    the head is gone for 3 to 10 telegrams
"""

from random import Random

import msgspec
from msgspec import Struct

MAX_NOISE = 48
MAX_DAMAGE = 4
SILENCE = (5, 30)
UNPLUGGED = (3, 10)


class Shares(Struct, frozen=True):
    """The share of telegrams, 0 to 1, that suffers each fault."""

    noise: float = 0.0
    lost: float = 0.0
    bits: float = 0.0
    cut: float = 0.0
    silence: float = 0.0
    unplug: float = 0.0


def parse(spec: str) -> Shares:
    """`noise=0.01,lost=0.02`; empty is none. ValueError for an unknown fault or a share outside 0..1."""
    shares = {}
    for part in filter(None, map(str.strip, spec.split(","))):
        name, _, share = part.partition("=")
        if name not in Shares.__struct_fields__:
            raise ValueError(f"there is no fault '{name}'; choose from {', '.join(Shares.__struct_fields__)}")
        shares[name] = _share(name, share)
    return msgspec.convert(shares, Shares)


def _share(name: str, text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ValueError(f"fault '{name}' has the share '{text}'; give a number from 0 to 1, such as {name}=0.01")
    return share


class Faults:
    """Turns telegrams into what arrives of them; the same seed gives the same damage."""

    def __init__(self, shares: Shares, seed: int) -> None:
        self._shares = shares
        self._random = Random(f"{seed} faults")
        self._silent = 0
        self._unplugged = 0

    def apply(self, telegram: bytes) -> bytes | None:
        """The bytes that arrive; b"" during silence, None while the head is unplugged."""
        if self._unplugged or self._happens(self._shares.unplug):
            self._unplugged = (self._unplugged or self._between(*UNPLUGGED)) - 1
            return None
        if self._silent or self._happens(self._shares.silence):
            self._silent = (self._silent or self._between(*SILENCE)) - 1
            return b""
        return self._damage(telegram)

    def _damage(self, telegram: bytes) -> bytes:
        data = bytearray(telegram)
        if self._happens(self._shares.lost):
            for _ in range(self._between(1, MAX_DAMAGE)):
                del data[self._below(len(data))]
        if self._happens(self._shares.bits):
            self._clear_bits(data)
        if self._happens(self._shares.cut):
            del data[self._below(len(data)) :]
        if self._happens(self._shares.noise):
            place = self._below(len(data) + 1) if self._happens(0.5) else 0
            data[place:place] = self._random.randbytes(self._between(1, MAX_NOISE))
        return bytes(data)

    def _clear_bits(self, data: bytearray) -> None:
        for _ in range(self._between(1, MAX_DAMAGE)):
            ones = [(place, bit) for place, byte in enumerate(data) for bit in range(8) if byte >> bit & 1]
            place, bit = self._random.choice(ones)
            data[place] ^= 1 << bit

    def _happens(self, share: float) -> bool:
        return share > 0 and self._random.random() < share

    def _below(self, limit: int) -> int:
        return self._random.randrange(limit)

    def _between(self, low: int, high: int) -> int:
        return self._random.randint(low, high)
