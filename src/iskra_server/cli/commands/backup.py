"""`backup`: a copy of the history, while the server goes on writing it."""

from pathlib import Path
from typing import Annotated

import typer

from iskra_server.base.address import Address
from iskra_server.cli.ui.history import address, configured, file_of, refusing
from iskra_server.cli.ui.options import ConfigFile, Quiet, examples, single
from iskra_server.cli.ui.refusal import Refused
from iskra_server.cli.ui.telegrams import plural
from iskra_server.history.store.backup import back_up

app = single()
_EXAMPLES = examples(
    {
        "iskra-server backup /mnt/usb/iskra.sqlite": "a copy, also of a running server",
        "iskra-server restore /mnt/usb/iskra.sqlite": "and how it comes back",
    }
)


@app.command(epilog=_EXAMPLES)
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; an older backup there is replaced.")],
    config: ConfigFile = None,
    quiet: Quiet = False,
) -> None:
    """Copy the history to a file; the server may run."""
    with refusing():
        back_up(sqlite_file(address(configured(config)), "pg_dump -Fc -f FILE DATABASE"), file)
    if not quiet:
        print(f"{file}: {plural(file.stat().st_size, 'byte')}.")


def sqlite_file(where: Address, instead: str) -> Path:
    """The file of the history; PostgreSQL has programs of its own."""
    file = file_of(where)
    if file is None:
        raise Refused(f"The history is in PostgreSQL, which has its own program for that: {instead}")
    return file
