"""Where history is stored: the configured database, else a file in the data directory; and where records wait."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from iskra_server.base.address import Address, is_host

_FILE = "iskra.sqlite"
# simulated data is never written beside real data
_SIMULATED_FILE = "simulated.sqlite"
_SQLITE = "sqlite:///"
_POSTGRESQL = ("postgres", "postgresql", "postgresql+psycopg")
_EXPECTED = "sqlite:////PATH/iskra.sqlite or postgresql://USER:PASSWORD@HOST/DATABASE"


def database_address(data_dir: str, database_url: str | Address, *, simulated: bool = False) -> Address:
    """The address for `Store`; simulated data always has a file of its own. Raises ValueError."""
    if database_url and not simulated:
        return Address(database_url)
    return Address(f"{_SQLITE}{expand_folder(data_dir).absolute() / (_SIMULATED_FILE if simulated else _FILE)}")


def expand_folder(data_dir: str) -> Path:
    """A directory with its ~ expanded. Raises ValueError where there is no such home."""
    try:
        return Path(data_dir).expanduser()
    except RuntimeError:
        sentence = f"data_dir is {data_dir}, but there is no such home directory; write a path that begins with /"
        raise ValueError(sentence) from None


def check_address(address: Address) -> None:
    """Raises ValueError with a sentence for an address that cannot be used; opens nothing."""
    text = address.reveal()
    if not address.scheme or not text.isprintable():
        # not shown: it may contain a password
        raise ValueError(f"database_url is not an address; expected {_EXPECTED}")
    if address.scheme not in ("sqlite", *_POSTGRESQL):
        raise ValueError(f"database_url begins with {address.scheme}; expected {_EXPECTED}")
    if address.scheme == "sqlite" and "?" in sqlite_file(address):
        raise ValueError("database_url names a file with a ?; there are no options for it")
    try:
        _ = address.port
    except ValueError as error:
        raise ValueError(f"database_url cannot be used: {error}") from None
    # no host is the socket of this machine; several hosts are tried in turn
    if address.host and not all(map(is_host, address.host.split(","))):
        raise ValueError(f"database_url names the host '{address.host}', which is no name; expected {_EXPECTED}")


def sqlite_file(address: Address) -> str:
    """The file of an SQLite database. Raises ValueError where none is named."""
    file = address.reveal().removeprefix(_SQLITE)
    if file in ("", ":memory:") or file.startswith("sqlite:"):
        raise ValueError(f"database_url names no file; expected {_EXPECTED}")
    return file


def spool_folders(data_dir: str, meters: Iterable[Address], *, simulated: bool = False) -> list[Path]:
    """Where records wait while the database is away: in the data directory; if that fails, in the state directory.

    Each set of meters, by their addresses without passwords, has a folder of its own: two servers with databases of
    their own may share a directory.
    """
    addresses = sorted(map(str, meters))
    key = hashlib.sha256("\n".join(addresses).encode()).hexdigest()[:8]
    name = f"spool/{'simulated' if simulated else 'history'}-{key}"
    places = [_path(data_dir), *map(_path, _state_dirs())]
    return list(dict.fromkeys(place / name for place in places if place))


def _state_dirs() -> list[str]:
    """$STATE_DIRECTORY of a systemd service, else as the XDG base directories say."""
    directory = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return [directory or f"{os.environ.get('XDG_STATE_HOME') or '~/.local/state'}/iskra-server"]


def _path(text: str) -> Path | None:
    """None where there is no home directory."""
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        return None
