"""What a source is: an endless stream of chunks of bytes with their time of arrival, and the state of its port.

A source opens its port again and again; it raises nothing for what the outside world does. It knows a meter only as a
protocol to recognise and, where the meter waits for requests, as a conversation to hold.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol

from msgspec import Struct

from iskra_server.base.clock import boottime_s
from iskra_server.meter.reading import Fault, Reading

# a problem and its details -> a sentence for the log
FormatProblem = Callable[[str, Mapping[str, str]], str]


class LineErrors(Struct, frozen=True, gc=False):
    """Counts of a serial driver: `framing` errors (missing stop bits, breaks), `overruns` (bytes without room)."""

    framing: int = 0
    overruns: int = 0

    def __add__(self, other: "LineErrors") -> "LineErrors":
        return LineErrors(self.framing + other.framing, self.overruns + other.overruns)

    def __sub__(self, other: "LineErrors") -> "LineErrors":
        return LineErrors(self.framing - other.framing, self.overruns - other.overruns)


class LineSettings(Struct, frozen=True, gc=False):
    """Speed and format of a serial line: data bits, parity (N, E) and stop bits."""

    baud: int = 9600
    format: str = "8N1"

    def __str__(self) -> str:
        return f"{self.baud} {self.format}"


class Chunk(Struct, frozen=True, gc=False):
    """Bytes as they arrived: `received_at` in UTC, `monotonic_s` the same moment in boot time.

    `errors` were counted by the driver since the chunk before; None where the driver does not count. `results` are the
    readings and faults that a conversation with the meter has completed with these bytes; None where there is no
    conversation, and the reader decodes them.
    """

    data: bytes
    received_at: datetime
    monotonic_s: float
    errors: LineErrors | None = None
    results: tuple[Reading | Fault, ...] | None = None


class ReceivedWhileProbing(Struct, frozen=True):
    """What came from a port within `seconds` of probing: its newest bytes, and how many there were in all."""

    data: bytes = b""
    count: int = 0
    seconds: float = 0.0
    errors: LineErrors | None = None


class SourceState(Struct, frozen=True):
    """`problem` is the key of a fault in the table of advice, None while the port is open; `details` fill its sentence.

    `probe` is what came from a port that is being probed and has sent no telegram so far. `line` is None without a
    serial line. `protocol` is that of the address, or the one that was found; "" while it is not known. `poll` is the
    outcome of the last request to a meter that is polled (codecs/d0/session.py), "" without one, "not_asked" where the
    port is silent and must not be asked; `interval_s` is the time between its polls, None before the second one is
    planned.
    """

    port: str
    is_open: bool
    problem: str | None = None
    details: dict[str, str] = {}
    probe: ReceivedWhileProbing = ReceivedWhileProbing()
    line: LineSettings | None = None
    protocol: str = ""
    poll: str = ""
    interval_s: float | None = None


# what arrived while a port was searched and no telegram was recognised in: port, line settings, bytes
OnUnrecognised = Callable[[str, LineSettings, bytes], None]


def ignore_unrecognised(port: str, settings: LineSettings, data: bytes) -> None:
    """What only a recording needs."""


class Source(Protocol):
    """`url` is the configured address; `state` is current while `chunks` is iterated."""

    url: str
    simulated: bool
    state: SourceState

    def chunks(self) -> AsyncGenerator[Chunk, None]:
        """Endless, except for a replayed file. `aclose()` of the iterator closes the port."""
        ...


def plain_problem(problem: str, details: Mapping[str, str]) -> str:
    """A problem without the table of advice: "/dev/ttyUSB0: unplugged"."""
    return f"{details.get('port', '')}: {problem}"


def timestamped(
    data: bytes, errors: LineErrors | None = None, results: tuple[Reading | Fault, ...] | None = None
) -> Chunk:
    """A chunk that arrives now."""
    return Chunk(data, datetime.now(UTC), boottime_s(), errors, results)
