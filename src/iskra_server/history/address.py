"""Where history lies: the database that is configured, else a file in the data directory; and where it waits."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

_FILE = "iskra.sqlite"
# simulated data is never written beside real data
_SIMULATED_FILE = "simulated.sqlite"


def address_of(data_dir: str, database_url: str, *, simulated: bool = False) -> str:
    """The database's URL, for `Store`; that of simulated data is always a file of its own."""
    if database_url and not simulated:
        return database_url
    return f"sqlite:///{Path(data_dir).expanduser().absolute() / (_SIMULATED_FILE if simulated else _FILE)}"


def spool_places(data_dir: str, meters: Iterable[str], *, simulated: bool = False) -> list[Path]:
    """Where records wait while the database is away: in the data directory; if that is what is wrong, in the state's.

    A folder for each set of meters, by their addresses without passwords: two servers may share a directory, and have
    databases of their own.
    """
    addresses = sorted(meter.rpartition("@")[2].partition("?")[0] for meter in meters)
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
