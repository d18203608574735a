"""`restore`: a backup becomes the history again."""

from pathlib import Path
from typing import Annotated

import typer

from iskra_server.cli.commands.backup import sqlite_file
from iskra_server.cli.ui.history import address, configured, refusing
from iskra_server.cli.ui.options import ConfigFile, Quiet, examples, single
from iskra_server.cli.ui.refusal import Refused
from iskra_server.history.store.backup import restore as put_back

app = single()
_EXAMPLES = examples(
    {
        "iskra-server restore /mnt/usb/iskra.sqlite": "checks it first",
        "iskra-server restore old.sqlite --config my.toml": "of another server",
    }
)


@app.command(epilog=_EXAMPLES)
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What iskra-server backup wrote.")],
    config: ConfigFile = None,
    quiet: Quiet = False,
) -> None:
    """Put a backup in the place of the history; the server must not run."""
    history = sqlite_file(address(configured(config)), "pg_restore -d DATABASE FILE")
    had_one = history.exists()
    try:
        history.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"{history.parent} cannot be made: {error.strerror}; set data_dir.") from None
    with refusing():
        put_back(file, history)
    if not quiet:
        print(f"{history} is restored." + (f" What was there is kept as {history.name}.replaced." if had_one else ""))
