"""`import`: history from a file, shown before it is written; done twice it changes nothing."""

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
from rich.console import Console
from rich.progress import Progress

from iskra_server.cli.ui.history import Zone, address, configured, file_of, is_named, known_meter, known_zone, opened
from iskra_server.cli.ui.options import ConfigFile, Quiet, examples, single
from iskra_server.cli.ui.refusal import Refused
from iskra_server.cli.ui.telegrams import plural
from iskra_server.config import Config
from iskra_server.history.model.records import MeterInfo
from iskra_server.history.store.address import address_of
from iskra_server.history.store.store import Store
from iskra_server.history.transfer import forms
from iskra_server.history.transfer.framed import quarter_readings
from iskra_server.history.transfer.load import load
from iskra_server.history.transfer.plan import Plan, plan
from iskra_server.history.transfer.rows import Bad, Kept, Unit
from iskra_server.meter.guard import is_counter
from iskra_server.meter.identity import meter_id
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register

app = single()
_EXAMPLES = examples(
    {
        "iskra-server import all.csv": "what export wrote",
        "iskra-server import readings.csv --dry-run": "what would change?",
        "iskra-server import fed_in.csv --register 2.8.0": "another counter",
    }
)
FormName = Literal["auto", "iskra", "vzlogger", "kwh", "homeassistant"]
# lines that tell the form of a file
_BEGINNING = 20
_LABEL = re.compile(r"([0-9A-F]) ?([A-Z]{3}) ?([0-9A-F]{2}) ?([0-9]{8})", re.IGNORECASE)
# eight digits alone are the serial number of a label
_SERVER_ID = re.compile(r"([0-9a-f]{2}){5,}", re.IGNORECASE)


class Source(Struct, frozen=True):
    """A file and what is known of it; `obis` is the register of forms that name none.

    name  how the user names it
    path  where it can be read, more than once
    """

    name: str
    path: Path
    form: forms.Form
    simulated: bool
    obis: Obis
    wanted: forms.Wanted


@app.command(name="import", epilog=_EXAMPLES)
def import_(
    *,
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="What to read; - is stdin.")],
    meter: Annotated[
        str | None, typer.Option("--meter", metavar="ID", help="Whose history it is.", show_default="the only one")
    ] = None,
    new_meter: Annotated[
        bool, typer.Option("--new-meter", help="Create a meter that history does not know yet.")
    ] = False,
    form: Annotated[
        FormName, typer.Option("--form", metavar="auto|iskra|vzlogger|kwh|homeassistant", help="Form of the file.")
    ] = "auto",
    register: Annotated[
        str, typer.Option("--register", metavar="CODE", help="Which counter, where the file does not say it.")
    ] = "1.8.0",
    unit: Annotated[
        Unit | None,
        typer.Option("--unit", metavar="Wh|kWh|MWh", help="Unit of the file.", show_default="what the form has"),
    ] = None,
    statistic: Annotated[
        str | None, typer.Option("--statistic", metavar="ID", help="Which statistic of Home Assistant.")
    ] = None,
    tz: Zone = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Import the rest where lines are wrong.")] = False,
    config: ConfigFile = None,
    quiet: Quiet = False,
) -> None:
    """Read history from a file. Exit status 1 if nothing was imported because lines are wrong."""
    settings = configured(config)
    wanted = forms.Wanted(known_zone(tz, settings), unit, statistic)
    counter = _counter(register)
    console = Console(stderr=True)
    bar = Progress(console=console, transient=True, disable=quiet or not console.is_terminal)
    with _readable(file) as path:
        source = _recognised(file, path, form, counter, wanted)
        with _history(settings, dry_run=dry_run) as store, bar as progress:
            info = _meter(store.meters(), meter, simulated=source.simulated, new=new_meter)
            found = _planned(store, source, info, progress)
            refused = found.bad_count > 0 and not skip_bad
            if not refused and not dry_run:
                task = progress.add_task("writing", total=len(found.records))
                load(store, found, info, lambda count: progress.advance(task, count))
    _say(found, source, info, dry_run=dry_run, refused=refused, quiet=quiet)
    raise typer.Exit(1 if refused else 0)


def _counter(code: str) -> Obis:
    try:
        obis = Obis.parse(code)
    except ValueError as error:
        raise Refused(f"--register: {error}.") from None
    if not is_counter(Register(obis, 0)):
        raise Refused(f"{obis.short} is not a counter; give one such as --register 1.8.0 or 2.8.0.")
    return obis


@contextmanager
def _readable(name: str) -> Iterator[Path]:
    """The file, or a copy of what a pipe gives: it is read twice, once to tell its form."""
    path = Path("/dev/stdin" if name == "-" else name)
    if path.is_file() or path.is_dir() or not path.exists():
        yield path
        return
    with tempfile.NamedTemporaryFile() as copy:
        with _reading(name), path.open("rb") as pipe:
            copyfileobj(pipe, copy)
            copy.flush()
        yield Path(copy.name)


def _recognised(name: str, path: Path, form_name: FormName, obis: Obis, wanted: forms.Wanted) -> Source:
    with _reading(name), path.open(encoding="utf-8-sig", errors="replace") as lines:
        beginning = list(islice(lines, _BEGINNING))
        form = forms.recognise(beginning) if form_name == "auto" else form_name
        return Source(name, path, form, form == "iskra" and forms.is_simulated(beginning), obis, wanted)


def _planned(store: Store, source: Source, meter: MeterInfo, progress: Progress) -> Plan:
    """What the file would change; every line is read before the first is written."""
    with (
        _reading(source.name),
        progress.open(
            source.path, "r", encoding="utf-8-sig", errors="replace", newline="", description="reading"
        ) as lines,
    ):
        rows = _rows(source, lines, meter.meter_id)
        return plan(store, meter.meter_id, rows, own_epochs=source.form == "iskra", now_s=time.time())


def _rows(source: Source, lines: Iterable[str], meter_id: str) -> Iterator[Kept | Bad]:
    if source.form == "iskra":
        return forms.kept(lines, meter_id)
    readings = forms.counter_readings(source.form, lines, source.wanted)
    return quarter_readings(readings, meter_id, source.obis, forms.best_quality(source.form))


@contextmanager
def _reading(name: str) -> Iterator[None]:
    """What is wrong with a file as a whole ends the command."""
    try:
        yield
    except OSError as error:
        raise Refused(f"{name} cannot be read: {error.strerror}.") from None
    except forms.UnknownForm as error:
        raise Refused(f"{name} {error}.") from None
    except csv.Error as error:
        raise Refused(f"{name} is not a table of text: {error}.") from None


@contextmanager
def _history(config: Config, *, dry_run: bool) -> Iterator[Store]:
    """The configured history; one that does not exist yet is made, but for a dry run."""
    where = address(config)
    file = file_of(where)
    if dry_run and file is not None and not file.exists():
        with tempfile.TemporaryDirectory() as folder, opened(address_of(folder, "")) as store:
            yield store
    else:
        with opened(where) as store:
            yield store


def _meter(known: Sequence[MeterInfo], name: str | None, *, simulated: bool, new: bool) -> MeterInfo:
    """The meter whose history the file is; a new one is named as the server will name it."""
    if any(meter.simulated != simulated for meter in known):
        held, other = ("real", "a simulated") if simulated else ("simulated", "a real")
        raise Refused(f"History holds a {held} meter; that of {other} one is never written beside it. Set data_dir.")
    if name is None or any(is_named(info, name) for info in known):
        return known_meter(known, name)
    label = _LABEL.fullmatch(name)
    if not label and not _SERVER_ID.fullmatch(name):
        raise Refused(
            f"'{name}' is not a meter; give the number on its label, such as --meter '1 ISK 00 12345678'"
            f"{_known(known)}."
        )
    if known and not new:
        raise Refused(f"History does not know the meter {name}{_known(known)}. Correct it, or add --new-meter.")
    if label:
        return MeterInfo(" ".join(label.groups()).upper(), "", simulated, 0, 0)
    return MeterInfo(meter_id(bytes.fromhex(name)), name.lower(), simulated, 0, 0)


def _known(meters: Sequence[MeterInfo]) -> str:
    return f"; history knows {', '.join(meter.meter_id for meter in meters)}" if meters else ""


def _say(found: Plan, source: Source, meter: MeterInfo, *, dry_run: bool, refused: bool, quiet: bool) -> None:
    for bad in found.bad:
        print(f"line {bad.line}: {bad.reason}", file=sys.stderr)
    if found.bad_count > len(found.bad):
        print(f"and {found.bad_count - len(found.bad):,} more", file=sys.stderr)
    if refused:
        wrong = "1 line is" if found.bad_count == 1 else f"{found.bad_count:,} lines are"
        print(
            f"Nothing {'would be' if dry_run else 'was'} imported: {wrong} wrong. Correct the file, or import the rest "
            "with --skip-bad.",
            file=sys.stderr,
        )
    elif not quiet:
        print(sentence(found, source, meter, dry_run=dry_run))


def sentence(found: Plan, source: Source, meter: MeterInfo, *, dry_run: bool) -> str:
    """What was done, or would be."""
    parts = [
        f"{len(found.records):,} new",
        f"{found.already:,} already there",
        *([f"{found.different:,} different, which stay as history has them"] if found.different else []),
        *([f"{plural(found.bad_count, 'line')} left out"] if found.bad_count else []),
    ]
    would = "would be imported" if dry_run else "imported"
    return f"{source.name} ({source.form}) {would} for {meter.meter_id}: {', '.join(parts)}."
