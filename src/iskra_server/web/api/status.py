"""The diagnosis of every source, with the state of history and of the outputs."""

from collections.abc import Sequence

from msgspec import Struct, structs

from iskra_server.diagnosis.central_state import CentralState
from iskra_server.diagnosis.status import Status
from iskra_server.outputs.state import OutputState
from iskra_server.reading.virtual_readings import VirtualState


class SourceStatus(Status, frozen=True, kw_only=True):
    """The diagnosis of one source. `valid_ratio` is the share of valid telegrams since the start, 0..1."""

    valid_ratio: float | None


class TimeZone(Struct, frozen=True):
    """The time zone in which days begin. `reason` says where it comes from: `configured` (server.time_zone),
    `variable` (TZ), `link` or `copy` (/etc/localtime), or `none`: then it is UTC, and server.time_zone should be set.
    """

    name: str
    reason: str


class ServerIdentity(Struct, frozen=True):
    """`id` is the same at any address (32 hex digits); null where it cannot be stored. `commit` is what the program was
    built from, and `commit_date` its time; null where the build did not know them.
    """

    id: str | None
    version: str
    commit: str | None = None
    commit_date: str | None = None


class ServerStatus(Struct, frozen=True):
    """`ok` if every source delivers current values; of a central server, which reads no meter itself, if nothing is
    wrong in `central`, which is null elsewhere. `history` says why history is not written; empty if it is.

    `virtual`: the virtual meters, with their parts; they do not count for `ok`.

    `time_zone` and `server` are null in an event of the live stream: they do not change while the server runs.
    """

    ok: bool
    meters: list[SourceStatus]
    history: str
    outputs: list[OutputState]
    time_zone: TimeZone | None = None
    server: ServerIdentity | None = None
    virtual: Sequence[VirtualState] = ()
    central: CentralState | None = None


def server_status(
    statuses: Sequence[Status],
    history: str,
    outputs: Sequence[OutputState] = (),
    *,
    time_zone: TimeZone | None = None,
    server: ServerIdentity | None = None,
    virtual: Sequence[VirtualState] = (),
    central: CentralState | None = None,
) -> ServerStatus:
    meters = [_with_valid_ratio(status) for status in statuses]
    ok = central.ok if central else bool(meters) and all(meter.ok for meter in meters)
    return ServerStatus(ok, meters, history, list(outputs), time_zone, server, virtual, central)


def _with_valid_ratio(status: Status) -> SourceStatus:
    ratio = status.facts.valid_ratio
    return SourceStatus(**structs.asdict(status), valid_ratio=None if ratio is None else round(ratio, 4))
