"""The contract of a request/answer protocol: a decoder that also sends.

Pure like a decoder: it never waits. The owner of the port calls `due` and executes its steps in order. It calls `feed`
with received bytes and then `due` again, and it calls `due` at `wakes_at_s` if nothing arrives before.
"""

from collections.abc import Iterator
from typing import Protocol

from msgspec import Struct

from iskra_server.meter.reading import Fault, Reading


class Send(Struct, frozen=True):
    """Bytes to write; a port of 8 bits without parity is assumed."""

    data: bytes


class Speed(Struct, frozen=True):
    """The speed of the line from now on, in baud. Received bytes must not be discarded at the switch."""

    baud: int


class Conversation(Protocol):
    """`now_s` is a monotonic time in seconds."""

    @property
    def wakes_at_s(self) -> float:
        """When to call `due` again."""
        ...

    def due(self, now_s: float) -> Iterator[Send | Speed]:
        """The steps to execute now, in order."""
        ...

    def feed(self, data: bytes, now_s: float) -> list[Reading | Fault]:
        """Everything that this chunk completes, in order. Call `due` afterwards."""
        ...

    def refuse(self, baud: int) -> bool:
        """The line cannot take the speed of the last step and keeps the one before: whether this goes on without it."""
        ...

    def close(self) -> bytes:
        """Bytes to write before the port is closed, at the current speed; often empty."""
        ...
