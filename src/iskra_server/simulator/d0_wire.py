"""The line between one or more D0 meters and their reader, with what real lines do. Pure: time is passed in.

wrong speed   what passes at another speed than that of the reader arrives as noise, and the meters ignore it
echo          an optical head in front of a reflecting window returns what was sent
deaf          the head is not in front of the meters: they hear nothing and nothing of them arrives
lost          a share of the characters, in either direction
"""

from collections import deque
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from random import Random

from msgspec import Struct

from iskra_server.codecs.d0.speeds import START_BAUD
from iskra_server.codecs.text.parity import SEVEN_BITS
from iskra_server.simulator.d0_meter import Character, D0Meter, characters
from iskra_server.simulator.noise import heard


class Written(Struct, frozen=True):
    """What the reader has written at once, in seven bits."""

    at_s: float
    baud: int
    data: bytes


class D0Wire:
    """`baud` is the speed of the reader; `written` is all that it ever wrote."""

    def __init__(
        self,
        meters: Sequence[D0Meter],
        *,
        baud: int = START_BAUD,
        is_echoed: bool = False,
        is_deaf: bool = False,
        lost: float = 0.0,
        seed: int = 1,
        rate: float = 1.0,
    ) -> None:
        self.meters = meters
        self.baud = baud
        self.is_echoed, self.is_deaf, self.lost = is_echoed, is_deaf, lost
        self.rate = rate
        self.written: list[Written] = []
        self._random = Random(f"{seed} wire")
        self._out: deque[Character] = deque()
        for meter in meters:
            meter.rate = rate

    @property
    def wakes_at_s(self) -> float:
        """When something happens next, if nothing is written before."""
        own_s = self._out[0].at_s if self._out else float("inf")
        return min((own_s, *(meter.wakes_at_s for meter in self.meters)))

    def configure(self, baud: int) -> None:
        """The reader changes its speed; what has not left yet is broken."""
        if baud and baud != self.baud:
            self.baud = baud
            for character in self._out:
                character.is_broken = True

    def write(self, data: bytes, now_s: float) -> None:
        """The reader sends bytes, parity bits included."""
        self.written.append(Written(now_s, self.baud, data.translate(SEVEN_BITS)))
        start_s = max(now_s, self._out[-1].at_s if self._out else now_s)
        self._out.extend(characters(data, start_s, self.baud, self.rate))

    def read(self, now_s: float) -> bytes:
        """Let the time pass; returns what has arrived at the reader."""
        arrived: list[Character] = []
        while self.wakes_at_s <= now_s:
            at_s = self.wakes_at_s
            for meter in self.meters:
                passed = meter.due(at_s)
                arrived += () if self.is_deaf else passed
            while self._out and self._out[0].at_s <= at_s:
                character = self._out.popleft()
                if self.is_echoed:
                    arrived.append(character)
                if not self.is_deaf and not self._is_lost():
                    for meter in self.meters:
                        meter.receive(character)
        return b"".join(
            self._as_received(bytes(character.byte for character in group), baud)
            for baud, group in groupby(arrived, key=attrgetter("baud"))
        )

    def _as_received(self, data: bytes, baud: int) -> bytes:
        if self.lost:
            data = bytes(byte for byte in data if not self._is_lost())
        return heard(data, baud, self.baud)

    def _is_lost(self) -> bool:
        return self.lost > 0 and self._random.random() < self.lost
