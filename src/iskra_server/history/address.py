"""Where history lies: the database that is configured, else a file in the data directory."""

from pathlib import Path

_FILE = "iskra.sqlite"
# simulated data is never written beside real data
_SIMULATED_FILE = "simulated.sqlite"


def address_of(data_dir: str, database_url: str, *, simulated: bool = False) -> str:
    """The database's URL, for `Store`; that of simulated data is always a file of its own."""
    if database_url and not simulated:
        return database_url
    return f"sqlite:///{Path(data_dir).expanduser().absolute() / (_SIMULATED_FILE if simulated else _FILE)}"
