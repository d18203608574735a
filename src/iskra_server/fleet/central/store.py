"""What a centre keeps beside the ledger: the last word of each meter, how readers stand, and what nobody could read."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from sqlalchemy import Connection, case, insert, select

from iskra_server.history.model.records import MeterInfo, Record
from iskra_server.history.store import bulk
from iskra_server.history.store.schema import live, reader, refused
from iskra_server.history.store.store import Store

# older quarters of readers make no partitions: with one message anybody could ask for a thousand. The rest holds them
_MONTHS_BACK = timedelta(days=750)


class Heard(Struct, frozen=True):
    """A meter was heard of through a reader; `power_mw` is None where that was not said."""

    meter_id: str
    reader: str
    at_s: int
    power_mw: int | None = None


class ReaderState(Struct, frozen=True):
    """How a reader stands: `sentence` names what is wrong first, `status` is all of it as JSON."""

    name: str
    at_s: int
    ok: bool
    sentence: str
    status: str


class Refusal(Struct, frozen=True):
    """A message that nobody could read, with the reason."""

    at_s: int
    topic: str
    reason: str
    data: bytes


class Batch(Struct, frozen=True):
    records: Sequence[Record] = ()
    meters: Sequence[MeterInfo] = ()
    heard: Sequence[Heard] = ()
    readers: Sequence[ReaderState] = ()
    refused: Sequence[Refusal] = ()


def keep(store: Store, batch: Batch) -> None:
    """All of it in one transaction, which may be repeated. Raises StoreError."""

    def also(connection: Connection) -> None:
        _hear(store, connection, batch.heard)
        _readers(store, connection, batch.readers)
        if batch.refused:
            rows = [
                {"at_s": row.at_s, "topic": row.topic, "reason": row.reason, "octets": row.data}
                for row in batch.refused
            ]

            connection.execute(insert(refused), rows)

    infos: dict[str, MeterInfo] = {}
    for info in batch.meters:
        known = infos.get(info.meter_id, info)
        first_s, last_s = min(known.first_s, info.first_s), max(known.last_s, info.last_s)
        infos[info.meter_id] = MeterInfo(info.meter_id, info.server_id, info.simulated, first_s, last_s)
    store.write(batch.records, list(infos.values()), also, months_since=datetime.now(UTC).date() - _MONTHS_BACK)


def _hear(store: Store, connection: Connection, heard: Sequence[Heard]) -> None:
    """The newest word of each meter that is known; power as it was said last."""
    newest = {each.meter_id: each for each in sorted(heard, key=lambda each: each.at_s)}
    numbers = store.meter_row_ids(connection, newest)
    rows = [(numbers[name], each.reader, each.at_s, each.power_mw) for name, each in newest.items() if name in numbers]
    if rows and connection.dialect.name == "postgresql":
        bulk.upsert_live(connection, rows)
    elif rows:
        _hear_in_sqlite(store, connection, rows)


def _hear_in_sqlite(store: Store, connection: Connection, rows: Sequence[tuple[int, str, int, int | None]]) -> None:
    statement = store.insert(live)
    given = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=["meter"],
        set_={
            "reader": given.reader,
            "at_s": given.at_s,
            "power_mw": case((given.power_mw.is_(None), live.c.power_mw), else_=given.power_mw),
        },
        where=given.at_s >= live.c.at_s,
    )
    connection.execute(statement, [dict(zip(live.c.keys(), row, strict=True)) for row in rows])


def _readers(store: Store, connection: Connection, states: Sequence[ReaderState]) -> None:
    newest = {state.name: state for state in sorted(states, key=lambda state: state.at_s)}
    for _, state in sorted(newest.items()):
        statement = store.insert(reader)
        given = statement.excluded
        names = ReaderState.__struct_fields__
        statement = statement.values({name: getattr(state, name) for name in names}).on_conflict_do_update(
            index_elements=["name"],
            set_={name: given[name] for name in names if name != "name"},
            where=given.at_s >= reader.c.at_s,
        )
        connection.execute(statement)


def refusals(store: Store) -> list[Refusal]:
    """What nobody could read, the oldest first. Raises StoreError."""
    with store.transaction(write=False) as connection:
        rows = connection.execute(select(refused).order_by(refused.c.id)).all()
    return [Refusal(row.at_s, row.topic, row.reason, bytes(row.octets)) for row in rows]
