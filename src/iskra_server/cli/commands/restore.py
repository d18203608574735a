"""`restore`: replace the history with a backup."""

from pathlib import Path
from typing import Annotated

import typer

from iskra_server.cli.commands.backup import sqlite_file
from iskra_server.cli.ui.open_history import database_errors, history_address, load_config
from iskra_server.cli.ui.options import ConfigFile, Quiet, command_app, examples
from iskra_server.cli.ui.usage_error import UsageError
from iskra_server.history.store.backup import restore as put_back

app = command_app()
_EXAMPLES = examples(
    {
        "iskra-server restore /mnt/usb/iskra.sqlite": "checks the file first",
        "iskra-server restore old.sqlite --config my.toml": "into the history of my.toml",
    }
)


@app.command(epilog=_EXAMPLES)
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File written by iskra-server backup.")],
    config: ConfigFile = None,
    quiet: Quiet = False,
) -> None:
    """Replace the history with a backup. Stop the server first."""
    history = sqlite_file(history_address(load_config(config)), "pg_restore -d DATABASE FILE")
    had_one = history.exists()
    try:
        history.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{history.parent} cannot be created: {error.strerror}; set history.data_dir.") from None
    with database_errors():
        put_back(file, history)
    if not quiet:
        kept = f" The previous history is kept as {history.name}.replaced." if had_one else ""
        print(f"{history} is restored.{kept}")
