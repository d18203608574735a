"""What every source is: chunks of bytes with their time of arrival, for ever, and an honest word on how it stands.

A source opens its port itself, again and again if it must; it never raises for anything the outside world does.
It knows nothing of meters: bytes are bytes here.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol

from msgspec import Struct

from iskra_server.base.clock import boottime_s
from iskra_server.sources.line_errors import LineErrors

# a problem and what its sentence needs -> the sentence, for the log; whoever opens a source brings the words along
FormatProblem = Callable[[str, Mapping[str, str]], str]


class Chunk(Struct, frozen=True, gc=False):
    """Octets as they arrived: `received_at` in UTC, `monotonic_s` the same moment in boot time.

    `errors` is what the driver counted since the chunk before, None where it does not tell.
    """

    data: bytes
    received_at: datetime
    monotonic_s: float
    errors: LineErrors | None = None


class ReceivedWhileProbing(Struct, frozen=True):
    """What came within `seconds` of listening: its newest bytes, and how many there were."""

    data: bytes = b""
    count: int = 0
    seconds: float = 0.0
    errors: LineErrors | None = None


class SourceState(Struct, frozen=True):
    """How a source stands. `problem` names what is wrong, None while the port is open; `about` fills in its sentence.

    `heard` is what came from a port that is listened to and was not a meter's so far.
    """

    port: str
    is_open: bool
    problem: str | None = None
    details: dict[str, str] = {}
    probe: ReceivedWhileProbing = ReceivedWhileProbing()


class Source(Protocol):
    """`url` is how the configuration names it; `state` is kept up to date while `chunks` is iterated."""

    url: str
    simulated: bool
    state: SourceState

    def chunks(self) -> AsyncGenerator[Chunk, None]:
        """Endless, but for a replayed file, which ends. An `aclose()` of the iterator closes the port."""
        ...


def plain_problem(problem: str, details: Mapping[str, str]) -> str:
    """The words of who has none: "/dev/ttyUSB0: unplugged"."""
    return f"{details.get('port', '')}: {problem}"


def arrived(data: bytes, errors: LineErrors | None = None) -> Chunk:
    """A chunk that arrived just now."""
    return Chunk(data, datetime.now(UTC), boottime_s(), errors)
