"""`groups`: assign meters to groups (building, tenant, tariff) from a CSV table."""

import csv
from pathlib import Path
from typing import Annotated

import typer

from iskra_server.cli.ui.open_history import load_config, open_existing
from iskra_server.cli.ui.options import ConfigFile, command_app, examples
from iskra_server.cli.ui.usage_error import UsageError

app = command_app()
_EXAMPLES = examples(
    {
        "iskra-server groups tenants.csv": "one line per meter",
    }
)
_METER = "meter"


@app.command(epilog=_EXAMPLES)
def groups(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="CSV with a header: meter, then one column per kind of group."),
    ],
    config: ConfigFile = None,
) -> None:
    """Assign meters to groups (building, tenant, tariff) from a CSV table."""
    from iskra_server.fleet.central.queries import set_labels  # noqa: PLC0415

    labels = _read(file)
    with open_existing(load_config(config)) as store:
        unknown = set_labels(store, labels)
    print(f"{len(labels) - len(unknown)} meters are assigned to groups.")
    if unknown:
        raise UsageError(f"Not in history: {', '.join(unknown[:5])}{' ...' if len(unknown) > 5 else ''}.", 1)


def _read(file: Path) -> dict[str, dict[str, str]]:
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            rows = list(csv.DictReader(lines, skipinitialspace=True))
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, csv.Error):
        raise UsageError(f"{file} is not a CSV file in UTF-8.") from None
    if not rows or _METER not in rows[0] or len(rows[0]) < 2:
        raise UsageError(f"{file} needs a header with meter and at least one kind of group: meter,building,tenant.")
    labels: dict[str, dict[str, str]] = {}
    for number, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise UsageError(f"Line {number} of {file} has another number of cells than the header.")
        labels[row.pop(_METER).strip()] = {kind.strip(): value.strip() for kind, value in row.items()}
    return labels
