"""`groups`: give meters their building, tenant, tariff from a table; what they are grouped by."""

import csv
from pathlib import Path
from typing import Annotated

import typer

from iskra_server.cli.ui.history import configured, existing
from iskra_server.cli.ui.options import ConfigFile, examples, single
from iskra_server.cli.ui.refusal import Refused

app = single()
_EXAMPLES = examples(
    {
        "iskra-server groups tenants.csv": "a line for each meter",
    }
)
_METER = "meter"


@app.command(epilog=_EXAMPLES)
def groups(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="CSV with a heading: meter, and a column for each kind of group."),
    ],
    config: ConfigFile = None,
) -> None:
    """Give meters their building, tenant, tariff from a table."""
    from iskra_server.fleet.central.queries import set_labels  # noqa: PLC0415

    labels = _read(file)
    with existing(configured(config)) as store:
        unknown = set_labels(store, labels)
    print(f"{len(labels) - len(unknown)} meters have their groups.")
    if unknown:
        raise Refused(f"History knows no meter {', '.join(unknown[:5])}{' ...' if len(unknown) > 5 else ''}.", 1)


def _read(file: Path) -> dict[str, dict[str, str]]:
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            rows = list(csv.DictReader(lines, skipinitialspace=True))
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, csv.Error):
        raise Refused(f"{file} is not a CSV file in UTF-8.") from None
    if not rows or _METER not in rows[0] or len(rows[0]) < 2:
        raise Refused(f"{file} needs a heading with meter and at least one kind of group: meter,building,tenant.")
    found: dict[str, dict[str, str]] = {}
    for number, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise Refused(f"Line {number} of {file} has not as many cells as the heading.")
        found[row.pop(_METER).strip()] = {kind.strip(): value.strip() for kind, value in row.items()}
    return found
