"""`export`: history as CSV or Parquet, for any period and bucket."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, BinaryIO, Literal
from zoneinfo import ZoneInfo

import typer

from iskra_server.cli.ui.history import Zone, configured, existing, known_meter, known_zone
from iskra_server.cli.ui.options import ConfigFile, examples, single
from iskra_server.cli.ui.profiles import sentence
from iskra_server.cli.ui.refusal import Refused
from iskra_server.history.model.periods import parse_span
from iskra_server.history.model.records import MeterInfo
from iskra_server.history.store.counter_history import ordered_chain
from iskra_server.history.store.store import Store
from iskra_server.history.transfer.export_files import NoParquet, write_csv, write_parquet
from iskra_server.history.transfer.export_table import (
    ExportTable,
    Quarters,
    bucket_table,
    quarters_of_period,
    recorded_quarters,
    register_table,
)

app = single()
_EXAMPLES = examples(
    {
        "iskra-server export --from last_month": "its days",
        "iskra-server export --bucket hour -o hours.csv": "all hours",
        "iskra-server export --bucket none -o all.csv": "what import reads",
        "iskra-server export -o days.parquet": "for pandas and DuckDB",
    }
)
Bucket = Literal["15min", "hour", "day", "week", "month", "year", "none"]
Format = Literal["csv", "parquet"]


@app.command(epilog=_EXAMPLES)
def export(
    *,
    meter: Annotated[
        str | None, typer.Argument(metavar="[METER]", help="Which meter.", show_default="the only one")
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="PERIOD", help="today, last_month, 2026-11, 2026-11-22, ...", show_default="all"
        ),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", metavar="PERIOD", help="To the end of it.", show_default="the end of --from"),
    ] = None,
    bucket: Annotated[
        Bucket,
        typer.Option(
            "--bucket",
            metavar="15min|hour|day|week|month|year|none",
            help="Energy of each; none is what the counters showed.",
        ),
    ] = "day",
    output: Annotated[str, typer.Option("-o", "--output", metavar="FILE|-", help="Where to.")] = "-",
    form: Annotated[
        Format | None,
        typer.Option("--format", metavar="csv|parquet", help="How.", show_default="by the name of the file, else csv"),
    ] = None,
    tz: Zone = "",
    config: ConfigFile = None,
) -> None:
    """Write history as CSV or Parquet."""
    settings = configured(config)
    zone = known_zone(tz, settings)
    is_parquet = form == "parquet" or (form is None and Path(output).suffix == ".parquet")
    if is_parquet and output == "-" and sys.stdout.isatty():
        raise Refused("A terminal cannot show Parquet; name a file with -o FILE.")
    with existing(settings) as store:
        known = store.meters()
        info = known_meter(known, meter)
        # what counters showed is that of one meter, so that it can be read again
        line = [info.meter_id] if bucket == "none" else ordered_chain(info.meter_id, known)
        table = _table(store, info, line, period=_period(store, line, begin, end, zone), bucket=bucket, tz=zone)
        with _opened(output) as file:
            _write(table, file, zone, is_parquet=is_parquet)


def _period(store: Store, line: Sequence[str], begin: str | None, end: str | None, tz: ZoneInfo) -> Quarters:
    known = recorded_quarters(store, line)
    if known is None:
        raise Refused(f"History holds no counter of {line[-1]} yet.", status=1)
    now = datetime.now(UTC)
    try:
        if begin is not None:
            return quarters_of_period(*parse_span(begin, end, now, tz))
        return known if end is None else (known[0], quarters_of_period(now, parse_span("1970", end, now, tz)[1])[1])
    except ValueError as error:
        raise Refused(sentence(error)) from None


def _table(
    store: Store, meter: MeterInfo, line: Sequence[str], *, period: Quarters, bucket: Bucket, tz: ZoneInfo
) -> ExportTable:
    if bucket == "none":
        return register_table(store, meter, period, tz)
    if period[0] >= period[1]:
        raise Refused("The period is shorter than a quarter of an hour; give a longer one, or --bucket none.")
    return bucket_table(store, meter, line, period=period, length=bucket, tz=tz)


def _write(table: ExportTable, file: BinaryIO, tz: ZoneInfo, *, is_parquet: bool) -> None:
    if is_parquet:
        try:
            write_parquet(table, file, tz)
        except NoParquet as error:
            raise Refused(str(error)) from None
        return
    text = TextIOWrapper(file, "utf-8", newline="")
    write_csv(table, text)
    text.flush()
    text.detach()


@contextmanager
def _opened(output: str) -> Iterator[BinaryIO]:
    """A file appears under its name when it is whole."""
    if output == "-":
        yield sys.stdout.buffer
        return
    path = Path(output)
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.", status=1) from None
    finally:
        part.unlink(missing_ok=True)
