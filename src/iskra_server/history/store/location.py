"""Where history lies: the database that is configured, else a file in the data directory; and where it waits."""

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
    """The database's URL, for `Store`; that of simulated data is always a file of its own. Raises ValueError."""
    if database_url and not simulated:
        return Address(database_url)
    return Address(f"{_SQLITE}{expand_folder(data_dir).absolute() / (_SIMULATED_FILE if simulated else _FILE)}")


def expand_folder(data_dir: str) -> Path:
    """A directory with its ~ filled in. Raises ValueError where nobody has that home."""
    try:
        return Path(data_dir).expanduser()
    except RuntimeError:
        sentence = f"data_dir is {data_dir}, but there is no such home directory; write a path that begins with /"
        raise ValueError(sentence) from None


def check_address(address: Address) -> None:
    """Raises ValueError with a sentence for what no database can be at; nothing is opened."""
    text = address.reveal()
    if not address.scheme or not text.isprintable():
        # not shown: there may be a password in it
        raise ValueError(f"database_url is not an address; expected {_EXPECTED}")
    if address.scheme not in ("sqlite", *_POSTGRESQL):
        raise ValueError(f"database_url begins with {address.scheme}; expected {_EXPECTED}")
    if address.scheme == "sqlite" and "?" in sqlite_file(address):
        raise ValueError("database_url names a file with a ?; there are no options for it")
    try:
        _ = address.port
    except ValueError as error:
        raise ValueError(f"database_url cannot be used: {error}") from None
    # none is the socket of this machine; several are tried one after the other
    if address.host and not all(map(is_host, address.host.split(","))):
        raise ValueError(f"database_url names the host '{address.host}', which is no name; expected {_EXPECTED}")


def sqlite_file(address: Address) -> str:
    """The file of an SQLite database. Raises ValueError where none is named."""
    file = address.reveal().removeprefix(_SQLITE)
    if file in ("", ":memory:") or file.startswith("sqlite:"):
        raise ValueError(f"database_url names no file; expected {_EXPECTED}")
    return file


def spool_folders(data_dir: str, meters: Iterable[Address], *, simulated: bool = False) -> list[Path]:
    """Where records wait while the database is away: in the data directory; if that is what is wrong, in the state's.

    A folder for each set of meters, by their addresses as they may be shown: two servers may share a directory, and
    have databases of their own.
    """
    addresses = sorted(map(str, meters))
    key = hashlib.sha256("\n".join(addresses).encode()).hexdigest()[:8]
    name = f"spool/{'simulated' if simulated else 'history'}-{key}"
    places = [_path(data_dir), *map(_path, _state_dirs())]
    return list(dict.fromkeys(place / name for place in places if place))


def _state_dirs() -> list[str]:
    """As systemd gives it to a service, else as the XDG base directories name it."""
    given = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return [given or f"{os.environ.get('XDG_STATE_HOME') or '~/.local/state'}/iskra-server"]


def _path(text: str) -> Path | None:
    """None where there is no home to begin in."""
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        return None
