"""Keys and layouts of meters that push DLMS, from files: a key among the arguments would stay in the shell history."""

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from iskra_server.base.address import Address
from iskra_server.base.secret import Secret
from iskra_server.cli.ui.usage_error import UsageError
from iskra_server.config import ConfigError, load
from iskra_server.reading.decoding import Decoding, decoding, read_text
from iskra_server.runtime.meter_setup import meter_decoding

KeyFile = Annotated[
    Path | None,
    typer.Option("--key-file", metavar="FILE", help="File with the encryption key (GUEK): 32 hex digits."),
]
AuthKeyFile = Annotated[
    Path | None,
    typer.Option("--auth-key-file", metavar="FILE", help="File with the authentication key (GAK), likewise."),
]
LayoutsFile = Annotated[
    Path | None,
    typer.Option("--layouts", metavar="FILE", help="File with layouts of DLMS lists that are not built in (TOML)."),
]
SystemTitle = Annotated[
    str,
    typer.Option(
        "--system-title", metavar="HEX", help="System title of a meter that does not send it (P1 in Poland): 16 digits."
    ),
]
# a key where the name of its file belongs; it must not be printed
_KEY = re.compile(r"[0-9A-Fa-fx \s:-]{32,}")


def for_meter(
    url: str,
    key_file: Path | None = None,
    auth_key_file: Path | None = None,
    layouts_file: Path | None = None,
    system_title: str = "",
) -> Decoding:
    """From these files, else as the configuration has it for this meter. Raises UsageError."""
    if key_file or auth_key_file or layouts_file or system_title:
        return from_files(key_file, auth_key_file, layouts_file, system_title)
    # a meter is also read where no server is configured, or with errors
    with suppress(ConfigError):
        meters = load(os.environ).meters_read
        is_only = url == "auto" and len(meters) == 1
        if found := next((meter for meter in meters if is_only or meter.url == Address(url)), None):
            return meter_decoding(found)
    return Decoding()


def from_files(
    key_file: Path | None, auth_key_file: Path | None, layouts_file: Path | None, system_title: str = ""
) -> Decoding:
    """Raises UsageError for a file that cannot be used."""
    try:
        keys = [_key_text(path) if path else Secret() for path in (key_file, auth_key_file)]
        names = str(key_file or "--key-file"), str(auth_key_file or ""), "--system-title"
        return decoding(keys[0], keys[1], layouts_file, names, system_title)
    except ValueError as error:
        raise UsageError(f"{error}.") from None


def _key_text(path: Path) -> Secret:
    """The key in a file. Raises ValueError with a sentence, without full stop, that does not hold a key."""
    if _KEY.fullmatch(path.name):
        raise ValueError(
            "--key-file and --auth-key-file need the name of a file that holds the key, not the key itself"
        )
    text = read_text(path)
    if not text.reveal().strip():
        raise ValueError(f"{path} is empty; write the key into it")
    return text
