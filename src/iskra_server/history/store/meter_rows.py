"""Rows of the table `meter`: known ones are looked up first, so that a write costs no number and, mostly, no row.

PostgreSQL takes a number of the sequence for each row of an INSERT ... ON CONFLICT, also where it then changes nothing:
the sequence of 100,000 known meters would be at its end after 224 days.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Table, bindparam, select, update
from sqlalchemy.engine import URL

from iskra_server.history.model.records import MeterInfo
from iskra_server.history.store import StoreError
from iskra_server.history.store.batches import batches
from iskra_server.history.store.bulk import insert_all, one_of
from iskra_server.history.store.database_errors import display_name
from iskra_server.history.store.mapping import RowValues, meter_row
from iskra_server.history.store.schema import meter

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite


def find_meters(connection: Connection, names: Sequence[str]) -> Iterator[Any]:
    """The rows of those meters that history knows."""
    columns = meter.c.meter_id, meter.c.id, meter.c.first_s, meter.c.last_s, meter.c.port
    for batch in batches(names):
        yield from connection.execute(select(*columns).where(one_of(connection, meter.c.meter_id, batch))).all()


def is_simulated(connection: Connection) -> bool | None:
    """Whether this history is one of simulated meters; None while it has no meter."""
    simulated: bool | None = connection.execute(select(meter.c.simulated).limit(1)).scalar()
    return simulated


def check_simulated(connection: Connection, url: URL, new: Iterable[MeterInfo]) -> None:
    """Raises StoreError where new meters are real and those of history simulated, or the reverse."""
    stored = is_simulated(connection)
    kinds = {info.simulated for info in new} | ({stored} if stored is not None else set())
    if len(kinds) == 1:
        return
    held, refused = ("a simulated meter", "a real one") if stored else ("a real meter", "a simulated one")
    raise StoreError(
        f"{display_name(url)} holds readings of {held}; those of {refused} are never written beside "
        "them. Set history.data_dir or history.database_url to another place."
    )


def insert_meters(
    connection: Connection, insert: "Callable[[Table], sqlite.Insert | postgresql.Insert]", new: Iterable[MeterInfo]
) -> None:
    """Insert meters that were not found; another program may insert the same ones, in any order."""
    rows = [meter_row(info) for info in sorted(new, key=lambda info: info.meter_id)]
    insert_all(connection, insert(meter).on_conflict_do_nothing(), rows)


def update_meters(connection: Connection, rows: Iterable[Any], meters: Iterable[MeterInfo], seen_every_s: int) -> None:
    """Widen when found meters were first and last seen, by `seen_every_s` or more, and note their port."""
    infos = {info.meter_id: info for info in meters}
    changes = [change for row in rows if (change := _change(row, infos[row.meter_id], seen_every_s))]
    if changes:
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in ("first_s", "last_s", "port")}
        statement = update(meter).where(meter.c.id == bindparam("row_id")).values(values)
        # sorted: two programs that lock rows in different orders would deadlock
        connection.execute(statement, sorted(changes, key=lambda change: change["row_id"]))


def _change(row: Any, info: MeterInfo, seen_every_s: int) -> RowValues | None:
    port = info.port or row.port
    if info.first_s >= row.first_s and info.last_s < row.last_s + seen_every_s and port == row.port:
        return None
    first_s, last_s = min(info.first_s, row.first_s), max(info.last_s, row.last_s)
    return {"row_id": row.id, "new_first_s": first_s, "new_last_s": last_s, "new_port": port}
