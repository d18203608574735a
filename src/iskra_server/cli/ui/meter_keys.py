"""Keys and layouts of meters that push DLMS, from files: a key among the arguments would stay in the shell history."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from iskra_server.base.secret import Secret
from iskra_server.cli.ui.usage_error import UsageError

if TYPE_CHECKING:
    from iskra_server.codecs.dlms.decoder import DlmsDecoder
    from iskra_server.codecs.dlms.layouts import Layout
    from iskra_server.codecs.dlms.security import Keys

Parsed = TypeVar("Parsed")

_PACKAGE = "Keys need one more package: pip install 'iskra-electricity-server[encrypted]'."
# a key has 32 characters, a file of layouts a few thousand
_MAX_BYTES = 256 * 1024

KeyFile = Annotated[
    Path | None,
    typer.Option("--key-file", metavar="FILE", help="Encryption key of a DLMS meter (GUEK): 32 hex digits in a file."),
]
AuthKeyFile = Annotated[
    Path | None,
    typer.Option("--auth-key-file", metavar="FILE", help="Authentication key of a DLMS meter (GAK), likewise."),
]
LayoutsFile = Annotated[
    Path | None,
    typer.Option("--layouts", metavar="FILE", help="Layouts of DLMS lists that are not built in (TOML)."),
]


def dlms_decoder(
    key_file: Path | None, auth_key_file: Path | None, layouts_file: Path | None
) -> Callable[[], "DlmsDecoder"]:
    """Makes a decoder with these keys and layouts. Raises UsageError for a file that cannot be used."""

    def make() -> "DlmsDecoder":
        # with the first DLMS telegram, or the first key
        from iskra_server.codecs.dlms.decoder import DlmsDecoder  # noqa: PLC0415

        return DlmsDecoder(keys, own)

    keys: Keys | None = None
    own: tuple[Layout, ...] = ()
    if not (key_file or auth_key_file or layouts_file):
        return make
    from iskra_server.codecs.dlms import layouts, security  # noqa: PLC0415

    keys = security.Keys(*(_parsed(security.key, path) if path else b"" for path in (key_file, auth_key_file)))
    own = _parsed(lambda text: layouts.parse(text, is_own=True), layouts_file) if layouts_file else ()
    try:
        make()
    except ImportError:
        raise UsageError(_PACKAGE) from None
    return make


def _parsed(parse: Callable[[str], Parsed], path: Path) -> Parsed:
    try:
        with path.open("rb") as file:
            text = Secret(file.read(_MAX_BYTES).decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no text.") from None
    try:
        return parse(text.reveal())
    except ValueError as error:
        raise UsageError(f"{path} {error}.") from None
