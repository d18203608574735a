"""`export`: write history as CSV or Parquet, for any period and bucket."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, BinaryIO, Literal
from zoneinfo import ZoneInfo

import typer

from iskra_server.cli.ui.new_files import new_file
from iskra_server.cli.ui.open_history import (
    Zone,
    find_virtual,
    load_config,
    open_existing,
    stored_meter,
    time_zone,
)
from iskra_server.cli.ui.options import ConfigFile, command_app, examples
from iskra_server.cli.ui.usage_error import UsageError, usage_errors
from iskra_server.history.model.periods import parse_span
from iskra_server.history.model.records import MeterInfo
from iskra_server.history.store.counter_history import ordered_chain
from iskra_server.history.store.recorded_meter import VirtualRecordedMeter
from iskra_server.history.store.store import Store
from iskra_server.history.transfer.export_files import NoParquet, write_csv, write_german_csv, write_parquet
from iskra_server.history.transfer.export_table import (
    ExportTable,
    Quarters,
    bucket_table,
    counted_quarters,
    counter_table,
    quarters_of_period,
    recorded_quarters,
    register_table,
)
from iskra_server.meter.identity import compact_name

app = command_app()
_EXAMPLES = examples(
    {
        "iskra-server export --from last_month": "daily energy",
        "iskra-server export --bucket hour -o hours.csv": "hourly energy",
        "iskra-server export --bucket none -o all.csv": "meter readings, for import",
        "iskra-server export --format csv-de -o days.csv": "for a German Excel",
        "iskra-server export -o days.parquet": "for pandas or DuckDB",
    }
)
Bucket = Literal["15min", "hour", "day", "week", "month", "year", "none"]
Format = Literal["csv", "csv-de", "parquet"]


@app.command(epilog=_EXAMPLES)
def export(
    *,
    meter: Annotated[
        str | None, typer.Argument(metavar="[METER]", help="Meter to export.", show_default="the only one")
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="PERIOD",
            help="First period to export: today, last_month, 2026-11, 2026-11-22, ...",
            show_default="all",
        ),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", metavar="PERIOD", help="Last period to export.", show_default="the end of --from"),
    ] = None,
    bucket: Annotated[
        Bucket,
        typer.Option(
            "--bucket",
            metavar="15min|hour|day|week|month|year|none",
            help="Energy per bucket; none exports meter readings.",
        ),
    ] = "day",
    output: Annotated[str, typer.Option("-o", "--output", metavar="FILE|-", help="File to write; - is stdout.")] = "-",
    form: Annotated[
        Format | None,
        typer.Option(
            "--format",
            metavar="csv|csv-de|parquet",
            help="File format; csv-de is for a German Excel: semicolons, decimal commas, local times and UTC.",
            show_default="by the file name, else csv",
        ),
    ] = None,
    tz: Zone = "",
    config: ConfigFile = None,
) -> None:
    """Write history as CSV or Parquet."""
    settings = load_config(config)
    zone = time_zone(tz, settings)
    form = form or ("parquet" if Path(output).suffix == ".parquet" else "csv")
    if form == "parquet" and output == "-" and sys.stdout.isatty():
        raise UsageError("A terminal cannot show Parquet; name a file with -o FILE.")
    with open_existing(settings) as store:
        if virtual := find_virtual(store, meter):
            table = _virtual_table(virtual, begin, end, bucket=bucket, tz=zone)
            with _opened(output) as file:
                _write(table, file, zone, form)
            return
        info = stored_meter(store, meter)
        # readings are exported for one meter alone, so that they can be imported again
        replaced = [] if bucket == "none" else store.replacement_chain([compact_name(info.meter_id)])
        chain = ordered_chain(info.meter_id, replaced)
        period = _period(recorded_quarters(store, chain), info.meter_id, begin, end, zone)
        table = _table(store, info, chain, period=period, bucket=bucket, tz=zone)
        with _opened(output) as file:
            _write(table, file, zone, form)


def _virtual_table(
    meter: VirtualRecordedMeter, begin: str | None, end: str | None, *, bucket: Bucket, tz: ZoneInfo
) -> ExportTable:
    if bucket == "none":
        raise UsageError(f"{meter.id} is a virtual meter without readings of its own; export those of its meters.")
    counters = {obis: meter.counter(obis) for obis in meter.series()}
    period = _period(counted_quarters(counters.values()), meter.id, begin, end, tz)
    _check_length(period)
    return counter_table(counters, meter.info, period=period, length=bucket, tz=tz)


def _period(recorded: Quarters | None, meter_id: str, begin: str | None, end: str | None, tz: ZoneInfo) -> Quarters:
    if recorded is None:
        raise UsageError(f"History holds no readings of {meter_id} yet.", status=1)
    now = datetime.now(UTC)
    with usage_errors():
        if begin is not None:
            return quarters_of_period(*parse_span(begin, end, now, tz))
        return (
            recorded if end is None else (recorded[0], quarters_of_period(now, parse_span("1970", end, now, tz)[1])[1])
        )


def _table(
    store: Store, meter: MeterInfo, chain: Sequence[str], *, period: Quarters, bucket: Bucket, tz: ZoneInfo
) -> ExportTable:
    if bucket == "none":
        return register_table(store, meter, period, tz)
    _check_length(period)
    return bucket_table(store, meter, chain, period=period, length=bucket, tz=tz)


def _check_length(period: Quarters) -> None:
    if period[0] >= period[1]:
        raise UsageError("The period is shorter than 15 minutes; give a longer one, or --bucket none.")


def _write(table: ExportTable, file: BinaryIO, tz: ZoneInfo, form: Format) -> None:
    if form == "parquet":
        try:
            write_parquet(table, file, tz)
        except NoParquet as error:
            raise UsageError(str(error)) from None
        return
    text = TextIOWrapper(file, "utf-8", newline="")
    (write_german_csv if form == "csv-de" else write_csv)(table, text)
    text.flush()
    text.detach()


@contextmanager
def _opened(output: str) -> Iterator[BinaryIO]:
    """The file gets its name once it is complete."""
    if output == "-":
        sys.stdout.flush()
        # closed by itself: a text layer over it may be closed when a pipe breaks, and stdout must stay open
        with open(sys.stdout.fileno(), "wb", closefd=False) as stdout:
            yield stdout
        return
    with new_file(Path(output)) as file:
        yield file
