"""`fleet allocate`: divide the solar power of a house among its tenants in each quarter-hour (par. 42b EnWG)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.progress import track
from rich.table import Table
from rich.text import Text

from iskra_server.base.file_names import file_name
from iskra_server.cli.ui.console import text_console
from iskra_server.cli.ui.new_files import new_text_file
from iskra_server.cli.ui.open_history import Zone, load_config, open_existing, stored_meter, time_zone
from iskra_server.cli.ui.options import ConfigFile, examples
from iskra_server.cli.ui.report_files import check_new, group_of, parse_report_period
from iskra_server.cli.ui.usage_error import UsageError, usage_errors
from iskra_server.history.store.recorded_meter import recorded_meter
from iskra_server.meter.obis import EXPORT, IMPORT
from iskra_server.meter.reading import scaled

if TYPE_CHECKING:
    # for its type alone: it imports the database library
    from iskra_server.fleet.central.solar_allocation import MonthlyShare, SolarHouse

EXAMPLES = examples({"iskra-server fleet allocate --group building:7 --plant METER --key dynamic": "last month"})
_LEGAL = """\
A trial calculation: the official allocation is the metering operator's, and readings taken over the meter's
interface are not for legal billing where calibration law (in Germany: Mess- und Eichgesetz) asks for verified
values."""


def allocate(
    *,
    group: Annotated[str, typer.Option("--group", metavar="KIND:NAME", help="The house, such as building:7.")],
    plant: Annotated[str, typer.Option("--plant", metavar="METER", help="Meter of the solar plant.")],
    key: Annotated[
        Literal["dynamic", "static"],
        typer.Option(
            "--key", metavar="dynamic|static", help="By consumption in each quarter-hour, or by fixed shares."
        ),
    ],
    shares: Annotated[
        Path | None,
        typer.Option(
            "--shares",
            metavar="FILE",
            help="Static key: CSV with the columns participant and share (0.125 or 12.5%).",
            show_default=False,
        ),
    ] = None,
    period: Annotated[
        str, typer.Option("--period", metavar="PERIOD", help="2026, 2026-11, 2026-01..2026-06, last_month, ...")
    ] = "last_month",
    plant_counter: Annotated[
        Literal["export", "import"],
        typer.Option(
            "--plant-counter",
            metavar="export|import",
            help="Counter of the plant's meter that counts what it generates.",
        ),
    ] = "export",
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Folder for the two CSV files.")] = Path(),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
    tz: Zone = "",
    config: ConfigFile = None,
) -> None:
    """Divide the solar power of a house among its tenants in each quarter-hour, as par. 42b EnWG says."""
    # heavy imports, needed by this command only
    from iskra_server.fleet.central import solar_allocation, solar_csv  # noqa: PLC0415
    from iskra_server.fleet.central.statement_files import period_name  # noqa: PLC0415

    settings, house = load_config(config), group_of(group)
    zone, now = time_zone(tz, settings), datetime.now(UTC)
    parts = _parts(shares, is_static=key == "static")
    span = parse_report_period(period, now, zone)
    name = file_name(house.kind, house.value, period_name(span, zone), key)
    files = quarter_file, month_file = to / f"{name}-quarters.csv", to / f"{name}-months.csv"
    check_new(files, overwrite=overwrite)
    obis = EXPORT if plant_counter == "export" else IMPORT
    with open_existing(settings) as store, store.snapshot() as reads:
        # a virtual meter has no row of its own
        meter = recorded_meter(reads, [plant]) or recorded_meter(reads, [stored_meter(store, plant).meter_id])
        if meter is None:
            raise UsageError(f"The meter {plant} of the plant is not in history.")
        if obis not in meter.series():
            raise UsageError(f"{meter.id} has no counter {plant_counter}; see --plant-counter.", 1)
        measured = solar_allocation.read_house(reads, house, (meter, obis), span, now)
    if not measured.tenants:
        raise UsageError(f"No meter of {group} belongs to a tenant in this period; see iskra-server groups.", 1)
    console = text_console(stderr=True)
    with usage_errors(), new_text_file(quarter_file) as opened:
        quarters = solar_csv.write_quarters(solar_allocation.share(measured, parts), measured.scaler, opened, zone)
        count = measured.end - measured.begin
        bar = track(quarters, "", total=count, console=console, transient=True, disable=not console.is_terminal)
        months = solar_allocation.by_month(bar, zone)
    with new_text_file(month_file) as opened:
        solar_csv.write_months(months, measured.scaler, opened)
    _print(measured, months, files)


def _parts(file: Path | None, *, is_static: bool) -> Mapping[str, Decimal] | None:
    from iskra_server.fleet.central.solar_csv import read_key  # noqa: PLC0415

    if is_static is (file is None):
        raise UsageError("A static key needs its file (--shares FILE); a dynamic key has none.")
    if file is None:
        return None
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            return read_key(lines)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not a CSV file in UTF-8.") from None
    except ValueError as error:
        raise UsageError(f"{file} is no key: {error}.") from None


def _print(house: "SolarHouse", months: Sequence["MonthlyShare"], files: Sequence[Path]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("participant", "consumption kWh", "from the plant kWh", "residual kWh", "not divided"):
        table.add_column(column, justify="left" if column == "participant" else "right")
    for name in (*house.tenants, ""):
        rows = [month for month in months if month.participant == name]
        used, shared = sum(row.consumption for row in rows), sum(row.share for row in rows)
        energies = (f"{scaled(units, house.scaler - 3):,.3f}" for units in (used, shared, used - shared))
        undivided = sum(row.undivided for row in rows)
        table.add_row(Text(name or "house"), *energies, f"{undivided:,}", style="bold" if not name else "")
    text_console().print(table)
    of_house = [month for month in months if not month.participant]
    generation, surplus = (sum(units) for units in zip(*((m.generation, m.surplus) for m in of_house), strict=True))
    made, left = (f"{scaled(units, house.scaler - 3):,.3f} kWh" for units in (generation, surplus))
    print(f"\nThe plant generated {made}; {left} of it were surplus.")
    if undivided := sum(month.undivided for month in of_house):
        lacking = {
            name or "the plant": sum(month.lacking for month in months if month.participant == name)
            for name in ("", *house.tenants)
        }
        why = ", ".join(f"{name} {count:,}" for name, count in lacking.items() if count)
        print(f"Quarter-hours not divided: {undivided:,}, because a reading at their edges is missing ({why}).")
        print("Their energy is in none of these sums.")
    if house.no_consumption:
        print(f"They count no electricity from the grid and take no part: {', '.join(house.no_consumption)}.")
    if house.others:
        print(f"Without a tenant for some time, and then in no sum: {', '.join(house.others)}.")
    print(f"\n{_LEGAL}\n")
    print(*(f"Written: {file}" for file in files), sep="\n")
