"""`backup`: copy the history while the server keeps writing it."""

from pathlib import Path
from typing import Annotated

import typer

from iskra_server.base.address import Address
from iskra_server.cli.ui.open_history import (
    check_exists,
    database_errors,
    history_address,
    load_config,
    sqlite_path,
)
from iskra_server.cli.ui.options import ConfigFile, Quiet, command_app, examples
from iskra_server.cli.ui.telegram_text import plural
from iskra_server.cli.ui.usage_error import UsageError
from iskra_server.history.store.backup import back_up

app = command_app()
_EXAMPLES = examples(
    {
        "iskra-server backup /mnt/usb/iskra.sqlite": "works while the server runs",
        "iskra-server restore /mnt/usb/iskra.sqlite": "restore it later",
    }
)


@app.command(epilog=_EXAMPLES)
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File to write; an older backup is replaced.")],
    config: ConfigFile = None,
    quiet: Quiet = False,
) -> None:
    """Copy the history to a file. The server may keep running."""
    settings = load_config(config)
    history = sqlite_file(history_address(settings), "pg_dump -Fc -f FILE DATABASE")
    check_exists(settings)
    with database_errors():
        back_up(history, file)
    if not quiet:
        print(f"{file}: {plural(file.stat().st_size, 'byte')}.")


def sqlite_file(where: Address, instead: str) -> Path:
    """The file of the history. PostgreSQL has its own backup programs."""
    file = sqlite_path(where)
    if file is None:
        raise UsageError(f"The history is in PostgreSQL. Use its own program: {instead}")
    return file
