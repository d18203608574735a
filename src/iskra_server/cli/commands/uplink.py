"""`uplink status|resend`: what of this reader's history the central server does not have, and sending it again."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
import typer
from msgspec import Struct

from iskra_server.base.json_values import utc
from iskra_server.cli.ui.open_history import Zone, load_config, open_existing, stored_meter, time_zone
from iskra_server.cli.ui.options import ConfigFile, Json, group_app
from iskra_server.cli.ui.usage_error import UsageError, usage_errors
from iskra_server.config import Config
from iskra_server.fleet.edge.uplink_queue import UplinkQueue
from iskra_server.fleet.edge.uplink_summary import Unconfirmed, UplinkSummary, uplink_summary
from iskra_server.history.model.periods import parse_period
from iskra_server.history.model.records import QUARTER_S, quarter_of

app = group_app(
    "Show what waits for the central server and why; send quarter-hours again.",
    {
        "iskra-server uplink status": "what waits, and why",
        "iskra-server uplink resend --from 2026-11-22": "since that day",
        "iskra-server uplink resend --from 2026 --meter 70347617": "of one meter",
    },
)


class _Group(Struct, frozen=True):
    """Quarter-hours of one meter that stay here for one reason; moments are in RFC 3339."""

    meter: str
    state: str
    reason: str
    quarters: int
    first: str
    last: str
    next_attempt: str | None


class _Status(Struct, frozen=True):
    reader: str
    last_confirmed: str | None
    waiting: int
    refused: int
    groups: list[_Group]


@app.command()
def status(json: Json = False, tz: Zone = "", config: ConfigFile = None) -> None:
    """Show what the central server has not confirmed, and why. Exit status 1 if it refuses something or lets it wait.

    Waiting quarter-hours are sent again by themselves; refused ones only by iskra-server uplink resend.

    It reads the history: the server may run or not.
    """
    settings = load_config(config)
    zone = time_zone(tz, settings)
    with open_existing(settings) as store:
        summary = uplink_summary(store)
    if summary.reader is None:
        raise _no_uplink(settings)
    if json:
        print(msgspec.json.encode(_for_programs(summary, summary.reader)).decode())
    else:
        print("\n".join(_as_text(summary, zone)))
    raise typer.Exit(1 if any(group.reason for group in summary.unconfirmed) else 0)


@app.command()
def resend(
    *,
    begin: Annotated[
        str,
        typer.Option(
            "--from", metavar="PERIOD", help="Everything since then: today, last_month, 2026-11, 2026-11-22, ..."
        ),
    ],
    meter: Annotated[
        str | None, typer.Option("--meter", metavar="METER", help="Of this meter only.", show_default="all meters")
    ] = None,
    tz: Zone = "",
    config: ConfigFile = None,
) -> None:
    """Send quarter-hours to the central server again, also those that it refused.

    Use it when the cause of a refusal is removed, or after the central server was restored from a backup.

    Sending twice changes nothing at the central server. A running server begins within a minute.
    """
    settings = load_config(config)
    zone = time_zone(tz, settings)
    with usage_errors():
        since = parse_period(begin, datetime.now(UTC), zone)[0]
    with open_existing(settings) as store:
        if uplink_summary(store).reader is None:
            raise _no_uplink(settings)
        name = stored_meter(store, meter).meter_id if meter else None
        count = UplinkQueue(store).resend(quarter_of(since.timestamp()), name)
    whose = f" of {name}" if name else ""
    moment = f"{since.astimezone(zone):%Y-%m-%d %H:%M}"
    if not count:
        raise UsageError(f"History holds no quarter-hour{whose} since {moment}; nothing was changed.", 1)
    print(f"{count:,} quarter-hours{whose} since {moment} will be sent again.")


def _no_uplink(config: Config) -> UsageError:
    if config.uplink.url.reveal():
        return UsageError(
            "This reader has not been connected to its central server yet. Is iskra-server serve running? "
            "iskra-server doctor says what is wrong.",
            1,
        )
    return UsageError("This history has never had a central server. Set uplink.url and start iskra-server serve.", 1)


def _as_text(summary: UplinkSummary, zone: ZoneInfo) -> Iterator[str]:
    yield f"Reader          {summary.reader}"
    confirmed_s = summary.confirmed_s
    yield f"Last confirmed  {'never' if confirmed_s is None else _moment(confirmed_s, zone)}"
    yield f"Waiting         {summary.waiting:,}"
    yield f"Refused         {summary.refused:,}"
    for group in summary.unconfirmed:
        if group.reason:
            yield ""
            yield from _explain(group, zone)
    if summary.refused:
        first = min(group.first_quarter for group in summary.unconfirmed if group.refused)
        yield ""
        yield f"When the cause is removed: iskra-server uplink resend --from {_moment(first * QUARTER_S, zone)[:10]}"


def _explain(group: Unconfirmed, zone: ZoneInfo) -> Iterator[str]:
    first, last = (_moment(quarter * QUARTER_S, zone) for quarter in (group.first_quarter, group.last_quarter))
    span = first if first == last else f"{first} to {last}"
    yield f"{group.meter}: {group.quarters:,} {'refused' if group.refused else 'waiting'}, {span}"
    yield f"  {group.reason}"
    if group.retry_s is not None:
        yield f"  Next attempt: {_moment(group.retry_s, zone)}"


def _moment(at_s: int, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(at_s, zone):%Y-%m-%d %H:%M}"


def _for_programs(summary: UplinkSummary, reader: str) -> _Status:
    def moment(at_s: int | None) -> str | None:
        return None if at_s is None else utc(at_s)

    groups = [
        _Group(
            group.meter,
            "refused" if group.refused else "waiting",
            group.reason,
            group.quarters,
            moment(group.first_quarter * QUARTER_S) or "",
            moment(group.last_quarter * QUARTER_S) or "",
            moment(group.retry_s),
        )
        for group in summary.unconfirmed
    ]
    return _Status(reader, moment(summary.confirmed_s), summary.waiting, summary.refused, groups)
