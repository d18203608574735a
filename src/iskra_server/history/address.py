"""Where history lies: the database that is configured, else a file in the data directory."""

from pathlib import Path

from iskra_server.address import Address, is_host

_FILE = "iskra.sqlite"
# simulated data is never written beside real data
_SIMULATED_FILE = "simulated.sqlite"
_SQLITE = "sqlite:///"
_POSTGRESQL = ("postgres", "postgresql", "postgresql+psycopg")
_EXPECTED = "sqlite:////PATH/iskra.sqlite or postgresql://USER:PASSWORD@HOST/DATABASE"


def address_of(data_dir: str, database_url: str | Address, *, simulated: bool = False) -> Address:
    """The database's URL, for `Store`; that of simulated data is always a file of its own."""
    if database_url and not simulated:
        return Address(database_url)
    return Address(f"{_SQLITE}{Path(data_dir).expanduser().absolute() / (_SIMULATED_FILE if simulated else _FILE)}")


def check(address: Address) -> None:
    """Raises ValueError with a sentence for what no database can be at; nothing is opened."""
    text = address.reveal()
    if not address.scheme or not text.isprintable():
        # not shown: there may be a password in it
        raise ValueError(f"database_url is not an address; expected {_EXPECTED}")
    if address.scheme not in ("sqlite", *_POSTGRESQL):
        raise ValueError(f"database_url begins with {address.scheme}; expected {_EXPECTED}")
    if address.scheme == "sqlite" and "?" in file_of(address):
        raise ValueError("database_url names a file with a ?; there are no options for it")
    _ = address.port
    # none is the socket of this machine; several are tried one after the other
    if address.host and not all(map(is_host, address.host.split(","))):
        raise ValueError(f"database_url names the host '{address.host}', which is no name; expected {_EXPECTED}")


def file_of(address: Address) -> str:
    """The file of an SQLite database. Raises ValueError where none is named."""
    file = address.reveal().removeprefix(_SQLITE)
    if file in ("", ":memory:") or file.startswith("sqlite:"):
        raise ValueError(f"database_url names no file; expected {_EXPECTED}")
    return file
