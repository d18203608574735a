"""GET /api/v1/status: the checks of every source, and the first that fails."""

from collections.abc import Sequence

from msgspec import Struct, structs

from iskra_server.diagnosis.status import Status
from iskra_server.outputs.state import OutputState


class SourceStatus(Status, frozen=True, kw_only=True):
    """The checks of one source; `valid_ratio` is the share of valid telegrams since the start, 0..1."""

    valid_ratio: float | None


class TimeZone(Struct, frozen=True):
    """In which days begin. `reason` is how it is known: `configured` (server.time_zone), `variable` (TZ), `link` or
    `copy` (/etc/localtime), or `none`: then it is UTC, and server.time_zone should be set.
    """

    name: str
    reason: str


class ServerStatus(Struct, frozen=True):
    """`ok` while every source delivers fresh values; `history` says why history is not written, empty while it is."""

    ok: bool
    meters: list[SourceStatus]
    history: str
    outputs: list[OutputState]
    time_zone: TimeZone | None = None


def server_status(
    statuses: Sequence[Status], history: str, outputs: Sequence[OutputState] = (), time_zone: TimeZone | None = None
) -> ServerStatus:
    meters = [_with_share(status) for status in statuses]
    return ServerStatus(bool(meters) and all(meter.ok for meter in meters), meters, history, list(outputs), time_zone)


def _with_share(status: Status) -> SourceStatus:
    share = status.facts.valid_ratio
    return SourceStatus(**structs.asdict(status), valid_ratio=None if share is None else round(share, 4))
