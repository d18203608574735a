"""Opens the database of an address: SQLite or PostgreSQL, checked, and brought up to the newest schema."""

import sqlite3

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from iskra_server.base.address import Address, host_in_url
from iskra_server.history.store import StoreError
from iskra_server.history.store.database import Database
from iskra_server.history.store.database_errors import driver_missing, store_error
from iskra_server.history.store.location import check_address, sqlite_file
from iskra_server.history.store.schema import DatabaseProfile
from iskra_server.history.store.sqlite import SqliteDatabase


def open_database(address: str | Address, profile: DatabaseProfile = "plain") -> Database:
    """Open, create where absent (PostgreSQL: in a profile), check and migrate. Raises StoreError."""
    url = _parse(Address(address))
    database = SqliteDatabase(url) if url.drivername == "sqlite" else _postgresql(url)
    try:
        database.open(profile)
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        database.close()
        raise store_error(url, error) from error
    except StoreError:
        database.close()
        raise
    return database


def _postgresql(url: URL) -> Database:
    try:
        # the driver is an extra; it and its dialect take 8 MB that SQLite does not need
        from iskra_server.history.store.postgresql import PostgresqlDatabase  # noqa: PLC0415

        return PostgresqlDatabase(url)
    except ImportError:
        raise driver_missing() from None


def _parse(address: Address) -> URL:
    try:
        if address.scheme == "sqlite":
            return URL.create("sqlite", database=sqlite_file(address))
        check_address(address)
        host = host_in_url(address.host)
        place = f"{host}:{address.port}" if address.port else host
        url = make_url(f"postgresql+psycopg://{place}{address.rest}")
    except (ArgumentError, ValueError) as error:
        reason = str(error) if isinstance(error, ValueError) else "database_url is not an address"
        raise StoreError(f"{reason}.") from None
    return url.set(username=address.user or None, password=address.password.reveal() or None)
