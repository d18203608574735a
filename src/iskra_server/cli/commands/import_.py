"""`import`: read history from a file. All lines are checked before any is written; a second import changes nothing."""

import csv
import re
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from shutil import copyfileobj
from typing import Annotated, Literal

import typer
from msgspec import Struct
from rich.progress import Progress

from iskra_server.cli.ui.console import text_console
from iskra_server.cli.ui.open_history import (
    Zone,
    find_meter,
    history_address,
    load_config,
    matches_name,
    open_history,
    sqlite_path,
    time_zone,
)
from iskra_server.cli.ui.options import ConfigFile, Quiet, command_app, examples
from iskra_server.cli.ui.telegram_text import plural
from iskra_server.cli.ui.usage_error import UsageError
from iskra_server.config import Config
from iskra_server.history.model.records import MeterInfo
from iskra_server.history.store.location import database_address
from iskra_server.history.store.store import Store
from iskra_server.history.transfer import formats
from iskra_server.history.transfer.file_rows import BadRow, EnergyUnit, LeftOut, RecordRow
from iskra_server.history.transfer.import_plan import ImportPlan, carry_out, plan_import
from iskra_server.history.transfer.quarter_readings import quarter_readings
from iskra_server.meter.counter_rules import is_counter
from iskra_server.meter.identity import meter_id
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register

app = command_app()
_EXAMPLES = examples(
    {
        "iskra-server import all.csv": "what export wrote",
        "iskra-server import readings.csv --dry-run": "show what would change",
        "iskra-server import export.csv --register 2.8.0": "energy to the grid",
    }
)
FormName = Literal["auto", "iskra", "vzlogger", "kwh", "homeassistant"]
_LEFT_OUT = "not at :00, :15, :30 or :45, and none within 16 minutes on the other side of it"
# lines that are enough to recognise the format
_BEGINNING = 20
_LABEL = re.compile(r"([0-9A-F]) ?([A-Z]{3}) ?([0-9A-F]{2}) ?([0-9]{8})", re.IGNORECASE)
# five bytes or more: eight digits alone are the serial number of a label
_SERVER_ID = re.compile(r"([0-9a-f]{2}){5,}", re.IGNORECASE)


class ImportFile(Struct, frozen=True):
    """A file to import.

    name  as the user wrote it
    path  a file that can be read more than once
    obis  the register, for formats that do not name it
    """

    name: str
    path: Path
    form: formats.FileFormat
    simulated: bool
    obis: Obis
    wanted: formats.FormatOptions


@app.command(name="import", epilog=_EXAMPLES)
def import_(
    *,
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="File to read; - is stdin.")],
    meter: Annotated[
        str | None,
        typer.Option("--meter", metavar="ID", help="Meter of these readings.", show_default="the only one"),
    ] = None,
    new_meter: Annotated[bool, typer.Option("--new-meter", help="Allow a meter that is not in history yet.")] = False,
    form: Annotated[
        FormName,
        typer.Option(
            "--format", metavar="FORMAT", help="Format of the file: auto, iskra, vzlogger, kwh or homeassistant."
        ),
    ] = "auto",
    register: Annotated[
        str,
        typer.Option("--register", metavar="CODE", help="OBIS code, if the file does not contain it."),
    ] = "1.8.0",
    unit: Annotated[
        EnergyUnit | None,
        typer.Option("--unit", metavar="Wh|kWh|MWh", help="Unit of the values.", show_default="that of the format"),
    ] = None,
    statistic: Annotated[
        str | None, typer.Option("--statistic", metavar="ID", help="Id of the Home Assistant statistic.")
    ] = None,
    tz: Zone = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing, only print what would change.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Skip lines with errors and import the rest.")] = False,
    config: ConfigFile = None,
    quiet: Quiet = False,
) -> None:
    """Import history from a file. Exit status 1 if it has errors or no reading that history can take."""
    settings = load_config(config)
    wanted = formats.FormatOptions(time_zone(tz, settings), unit, statistic)
    counter = _counter(register)
    console = text_console(stderr=True)
    bar = Progress(console=console, transient=True, disable=quiet or not console.is_terminal)
    with _readable(file) as path:
        source = _identified(file, path, form, counter, wanted)
        with _history(settings, dry_run=dry_run) as store, bar as progress:
            info = _meter(store.meters(), meter, simulated=source.simulated, new=new_meter)
            changes = _planned(store, source, info, progress)
            refused = changes.bad_count > 0 and not skip_bad
            if not refused and not dry_run:
                task = progress.add_task("writing", total=len(changes.records))
                carry_out(store, changes, info, lambda count: progress.advance(task, count))
    _print_outcome(changes, source, info, dry_run=dry_run, refused=refused, quiet=quiet)
    raise typer.Exit(1 if refused or _has_none(changes) else 0)


def _counter(code: str) -> Obis:
    try:
        obis = Obis.parse(code)
    except ValueError as error:
        raise UsageError(f"--register: {error}.") from None
    if not is_counter(Register(obis, 0)):
        raise UsageError(f"{obis.short} is not a counter; give one such as --register 1.8.0 or 2.8.0.")
    return obis


@contextmanager
def _readable(name: str) -> Iterator[Path]:
    """The file, or a copy of what a pipe delivers: it is read twice, first to recognise its format."""
    path = Path("/dev/stdin" if name == "-" else name)
    if path.is_file() or path.is_dir() or not path.exists():
        yield path
        return
    with tempfile.NamedTemporaryFile() as copy:
        with _file_errors(name), path.open("rb") as pipe:
            copyfileobj(pipe, copy)
            copy.flush()
        yield Path(copy.name)


def _identified(name: str, path: Path, form_name: FormName, obis: Obis, wanted: formats.FormatOptions) -> ImportFile:
    with _file_errors(name), path.open(encoding="utf-8-sig", errors="replace") as lines:
        beginning = list(islice(lines, _BEGINNING))
        form = formats.detect_format(beginning) if form_name == "auto" else form_name
        return ImportFile(name, path, form, form == "iskra" and formats.is_simulated(beginning), obis, wanted)


def _planned(store: Store, source: ImportFile, meter: MeterInfo, progress: Progress) -> ImportPlan:
    """The records to write; all lines are read before the first is written."""
    with (
        _file_errors(source.name),
        progress.open(
            source.path, "r", encoding="utf-8-sig", errors="replace", newline="", description="reading"
        ) as lines,
    ):
        rows = _rows(source, lines, meter.meter_id)
        return plan_import(store, meter.meter_id, rows, own_epochs=source.form == "iskra", now_s=time.time())


def _rows(source: ImportFile, lines: Iterable[str], meter_id: str) -> Iterator[RecordRow | BadRow | LeftOut]:
    if source.form == "iskra":
        return formats.read_records(lines, meter_id)
    readings = formats.read_counters(source.form, lines, source.wanted)
    return quarter_readings(readings, meter_id, source.obis, formats.best_quality(source.form))


@contextmanager
def _file_errors(name: str) -> Iterator[None]:
    """Turns errors of the whole file into UsageError."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}.") from None
    except formats.UnknownFormat as error:
        raise UsageError(f"{name} {error}.") from None
    except csv.Error as error:
        raise UsageError(f"{name} is not a table of text: {error}.") from None


@contextmanager
def _history(config: Config, *, dry_run: bool) -> Iterator[Store]:
    """The configured history, created if missing; for a dry run an empty temporary one instead."""
    where = history_address(config)
    file = sqlite_path(where)
    if dry_run and file is not None and not file.exists():
        with tempfile.TemporaryDirectory() as folder, open_history(database_address(folder, ""), "plain") as store:
            yield store
    else:
        with open_history(where, config.history.database_profile) as store:
            yield store


def _meter(meters: Sequence[MeterInfo], name: str | None, *, simulated: bool, new: bool) -> MeterInfo:
    """The meter that the readings belong to; a new one gets the name that the server will give it."""
    if any(meter.simulated != simulated for meter in meters):
        held, other = ("real", "a simulated") if simulated else ("simulated", "a real")
        raise UsageError(f"History holds a {held} meter and never mixes it with {other} one. Change data_dir.")
    if name is None or any(matches_name(info, name) for info in meters):
        return find_meter(meters, name)
    label = _LABEL.fullmatch(name)
    if not label and not _SERVER_ID.fullmatch(name):
        raise UsageError(
            f"'{name}' is not a meter; give the number on its label, such as --meter '1 ISK 00 12345678'"
            f"{_listed(meters)}."
        )
    if meters and not new:
        raise UsageError(f"The meter {name} is not in history{_listed(meters)}. Correct the name, or add --new-meter.")
    if label:
        return MeterInfo(" ".join(label.groups()).upper(), "", simulated, 0, 0)
    return MeterInfo(meter_id(bytes.fromhex(name)), name.lower(), simulated, 0, 0)


def _listed(meters: Sequence[MeterInfo]) -> str:
    return f"; history holds {', '.join(meter.meter_id for meter in meters)}" if meters else ""


def _has_none(changes: ImportPlan) -> bool:
    """Whether the file has readings, and history can take none of them."""
    return bool(changes.left_out) and not (changes.records or changes.already or changes.different)


def _print_outcome(
    changes: ImportPlan, source: ImportFile, meter: MeterInfo, *, dry_run: bool, refused: bool, quiet: bool
) -> None:
    for bad in changes.bad:
        print(f"line {bad.line}: {bad.reason}", file=sys.stderr)
    if changes.bad_count > len(changes.bad):
        print(f"and {changes.bad_count - len(changes.bad):,} more", file=sys.stderr)
    if refused:
        wrong = "1 line has an error" if changes.bad_count == 1 else f"{changes.bad_count:,} lines have errors"
        print(
            f"Nothing {'would be' if dry_run else 'was'} imported: {wrong}. Correct the file, or import the "
            "rest with --skip-bad.",
            file=sys.stderr,
        )
    elif not quiet:
        print(sentence(changes, source, meter, dry_run=dry_run))


def sentence(changes: ImportPlan, source: ImportFile, meter: MeterInfo, *, dry_run: bool) -> str:
    """Summary of what was imported, or would be."""
    parts = [
        f"{len(changes.records):,} new",
        f"{changes.already:,} already there",
        *([f"{changes.different:,} different (history keeps its own)"] if changes.different else []),
        *([f"{plural(changes.bad_count, 'line')} skipped"] if changes.bad_count else []),
        *([f"{plural(changes.left_out, 'reading')} left out ({_LEFT_OUT})"] if changes.left_out else []),
    ]
    would = "would be imported" if dry_run else "imported"
    return f"{source.name} ({source.form}) {would} for {meter.meter_id}: {', '.join(parts)}."
