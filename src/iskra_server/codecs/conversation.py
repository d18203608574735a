"""The contract of a protocol in which a meter answers only when it is asked: a decoder that also talks.

Pure, like a decoder: it waits for nothing. Whoever owns the port hands it bytes and the time, does what `due` gives in
that order, and comes back with the time at `wakes_at_s` or with bytes, whichever is first.
"""

from collections.abc import Iterator
from typing import Protocol

from msgspec import Struct

from iskra_server.meter.reading import Fault, Reading


class Send(Struct, frozen=True):
    """Bytes for the line as a port of 8 bits without parity sends them."""

    data: bytes


class Speed(Struct, frozen=True):
    """The speed of the line from now on, in baud: 8 bits, no parity, nothing that has arrived is thrown away."""

    baud: int


class Conversation(Protocol):
    """`now_s` is any clock that runs steadily; it never goes back."""

    @property
    def wakes_at_s(self) -> float:
        """When `due` has something to do, if nothing arrives before."""
        ...

    def due(self, now_s: float) -> Iterator[Send | Speed]:
        """What is to be done now."""
        ...

    def feed(self, data: bytes, now_s: float) -> Iterator[Reading | Fault]:
        """Everything that a chunk completes, in order; `due` may have something to do behind it."""
        ...

    def close(self) -> bytes:
        """What must be sent, at the speed as it is, before the port may be closed; empty mostly."""
        ...
