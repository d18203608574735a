"""`prices fetch`, `prices show` and `prices import`: spot prices in history."""

import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from iskra_server.base.clock import Clock
from iskra_server.base.json_values import number
from iskra_server.cli.ui.console import text_console
from iskra_server.cli.ui.open_history import Zone, history_address, load_config, open_existing, open_history, time_zone
from iskra_server.cli.ui.options import ConfigFile, Json, Quiet, group_app
from iskra_server.cli.ui.price_curve import price_curve, price_rows
from iskra_server.cli.ui.usage_error import UsageError, usage_errors
from iskra_server.cost.price_plan import check_zones, configured_zones, source_addresses
from iskra_server.history.model.periods import parse_span, quarter_instant
from iskra_server.history.model.records import quarter_of
from iskra_server.history.model.spot_price import FIRST_DAY, MARKET, ZONES, delivery_day, eur_mwh, quarters_of_days
from iskra_server.history.store.spot_prices import Stored, spot_prices, store_prices, stored_zones
from iskra_server.history.store.store import Store
from iskra_server.prices.collecting import collect, months
from iskra_server.prices.price_answers import BadAnswer, evcc_prices, exported_prices
from iskra_server.prices.price_sources import PriceSource, PriceSourceError, price_sources, read_file

app = group_app(
    "Fetch, show and import spot prices.",
    {
        "iskra-server prices fetch --from 2025": "fill missing days",
        "iskra-server prices show": "those of today",
        "iskra-server prices show 2026-11 --json": "for programs",
        "iskra-server prices import prices.json": "from a file of evcc's form",
    },
)
_DAY = timedelta(days=1)
# between two requests: nobody waits for years of prices
_PAUSE_S = 1.0
# enough to recognise what `show --json` has written
_BEGINNING = 1000
PriceZone = Annotated[
    str,
    typer.Option("--zone", metavar="ZONE", help="Zone of the market, such as DE-LU.", show_default="as configured"),
]


@app.command()
def fetch(
    *,
    zone: PriceZone = "",
    begin: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="PERIOD", help="today, 2025, 2026-11, ...", show_default="begin of the first month"
        ),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="PERIOD", help="Last period.", show_default="tomorrow")
    ] = None,
    config: ConfigFile = None,
    quiet: Quiet = False,
) -> None:
    """Fetch the missing prices of a period, month by month. What is there already is not asked for again.

    Exit status 1 if a source could not be asked; what was fetched stays, and the same command goes on from there.
    """
    settings = load_config(config)
    zones = [zone] if zone else list(configured_zones(settings))
    if not zones:
        raise UsageError("No zone is configured. Name one with --zone, such as --zone DE-LU, or set prices.zone.")
    addresses = source_addresses(settings)
    check_zones(zones, addresses)
    console, errors = text_console(quiet=quiet), text_console(stderr=True)
    clock = Clock()
    if (now_s := _now_s(clock)) is None:
        raise UsageError("The clock of this computer is not set; set it first.")
    with (
        open_history(history_address(settings), settings.history.database_profile) as store,
        Progress(console=errors, transient=True, disable=quiet or not errors.is_terminal) as bar,
    ):
        first, last = _days(store, begin, end, now_s)
        for name in zones:
            _fetch_zone(
                store,
                sources=price_sources(addresses),
                zone=name,
                days=(first, last),
                clock=clock,
                bar=bar,
                console=console,
            )


def _fetch_zone(
    store: Store,
    *,
    sources: tuple[PriceSource, ...],
    zone: str,
    days: tuple[date, date],
    clock: Clock,
    bar: Progress,
    console: Console,
) -> None:
    parts = list(months(*days))
    task = bar.add_task(zone, total=len(parts))
    stored, missing = Stored(), 0
    for number_of_part, (first, end) in enumerate(parts):
        bar.update(task, description=f"{zone} {first:%Y-%m}")
        collected = collect(store, sources, zone, quarters_of_days(first, end), lambda: _now_s(clock))
        stored, missing = stored + collected.stored, missing + len(collected.missing)
        if collected.missing and not collected.has_answer:
            raise UsageError(
                f"Prices of {zone} for {first:%Y-%m} could not be fetched: {collected.reason}. "
                f"{_counts_text(stored)}. The same command goes on from there.",
                1,
            )
        bar.advance(task)
        if collected.has_answer and number_of_part + 1 < len(parts):
            time.sleep(_PAUSE_S)
    rest = f" {missing:,} quarter-hours have no price of their own yet." if missing else ""
    console.print(f"{zone}, {days[0]} to {days[1] - _DAY}: {_counts_text(stored)}.{rest}", soft_wrap=True)


@app.command()
def show(
    *,
    period: Annotated[
        str, typer.Argument(metavar="[PERIOD]", help="today, last_month, 2026-11, 2026-11-22, ...")
    ] = "today",
    zone: PriceZone = "",
    as_json: Json = False,
    tz: Zone = "",
    config: ConfigFile = None,
) -> None:
    """Show the prices of a period as a curve. Exit status 1 if there are none."""
    settings = load_config(config)
    local_zone = time_zone(tz, settings)
    first, end = _span(period, None, local_zone)
    with open_existing(settings) as store:
        name = zone or next(iter(configured_zones(settings)), "") or _only_zone(store)
        quarters = range(quarter_of(first.timestamp()), quarter_of(end.timestamp()))
        prices = spot_prices(store, name, quarters.start, quarters.stop)
        if name not in (stored.zone for stored in stored_zones(store)):
            # to advise a fetch would be wrong
            check_zones((name,), source_addresses(settings))
    if as_json:
        for quarter, price in prices.items():
            row = {
                "zone": name,
                "begin": quarter_instant(quarter, local_zone),
                "end": quarter_instant(quarter + 1, local_zone),
                "eur_mwh": number(eur_mwh(price.raw)),
                "minutes": price.minutes,
            }
            print(msgspec.json.encode(row).decode())
    elif prices:
        rows = price_rows({quarter: eur_mwh(price.raw) for quarter, price in prices.items()}, local_zone)
        console = text_console()
        console.print(price_curve(rows))
        console.print(f"Spot prices of {name}, without taxes and fees.")
    if not prices:
        fetch_them = f"iskra-server prices fetch --zone {name} --from {period}"
        raise UsageError(f"History has no prices of {name} for {period}. Fetch them: {fetch_them}.", 1)


@app.command(name="import")
def import_(
    *,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="JSON of show --json, or a list of start, end and value as evcc has it."),
    ],
    zone: PriceZone = "",
    unit: Annotated[
        Literal["EUR/kWh", "EUR/MWh"],
        typer.Option("--unit", metavar="EUR/kWh|EUR/MWh", help="Unit of the values."),
    ] = "EUR/kWh",
    config: ConfigFile = None,
    quiet: Quiet = False,
) -> None:
    """Import spot prices from a file. Prices that history has are kept, a second import changes nothing."""
    settings = load_config(config)
    name = zone or next(iter(configured_zones(settings)), "")
    if not name:
        raise UsageError("No zone is configured. Name that of these prices with --zone, such as --zone DE-LU.")
    if name not in ZONES:
        # of one that exists a file may have prices, whether a source is asked or not
        check_zones((name,), source_addresses(settings))
    try:
        body = read_file(file)
        is_own = b'"eur_mwh"' in body[:_BEGINNING]
        prices = exported_prices(body) if is_own else evcc_prices(body, 1000 if unit == "EUR/kWh" else 1)
    except PriceSourceError as error:
        raise UsageError(f"{file}: {error}.") from None
    except BadAnswer as error:
        raise UsageError(f"{file} cannot be imported: {error}.") from None
    if (now_s := _now_s(Clock())) is None:
        raise UsageError("The clock of this computer is not set; set it first.")
    with open_history(history_address(settings), settings.history.database_profile) as store:
        stored = store_prices(store, name, "file", now_s, prices)
    if not quiet:
        print(f"{file} for {name}: {_counts_text(stored, len(prices))}.")


def _counts_text(stored: Stored, count: int | None = None) -> str:
    already = [] if count is None else [f"{count - stored.new - stored.differing - stored.replaced:,} already there"]
    return ", ".join(
        (
            f"{stored.new:,} prices are new",
            *already,
            *([f"{stored.replaced:,} are now those of quarter-hours"] if stored.replaced else ()),
            *([f"{stored.differing:,} differ (history keeps the first)"] if stored.differing else ()),
        )
    )


def _now_s(clock: Clock) -> int | None:
    clock.update()
    return None if clock.doubt() else int(clock.wall_s)


def _days(store: Store, begin: str | None, end: str | None, now_s: int) -> tuple[date, date]:
    """By default from the month in which history begins to tomorrow."""
    today = delivery_day(now_s)
    first_s = store.first_s()
    since = now_s if first_s is None else first_s
    first = delivery_day(_span(begin, None, MARKET)[0].timestamp()) if begin else delivery_day(since).replace(day=1)
    last = delivery_day(_span(end, None, MARKET)[1].timestamp() - 1) + _DAY if end else today + 2 * _DAY
    # later prices do not exist
    first, last = max(first, FIRST_DAY), min(last, today + 2 * _DAY)
    if first >= last:
        raise UsageError(f"There are prices from {FIRST_DAY} to tomorrow; give another period.")
    return first, last


def _span(begin: str, end: str | None, tz: ZoneInfo) -> tuple[datetime, datetime]:
    with usage_errors():
        return parse_span(begin, end, datetime.now(UTC), tz)


def _only_zone(store: Store) -> str:
    zones = [stored.zone for stored in stored_zones(store)]
    if len(zones) != 1:
        held = f"; history has {', '.join(zones)}" if zones else ", and history has no prices yet"
        raise UsageError(f"Name a zone with --zone, such as --zone DE-LU{held}.")
    return zones[0]
