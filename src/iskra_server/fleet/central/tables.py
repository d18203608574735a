"""What a central server stores beside the ledger: last contact with each meter, state of readers, refused messages."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from sqlalchemy import Connection, func, insert

from iskra_server.history.model.records import QUARTER_S, MeterInfo, Record, merge_meter
from iskra_server.history.store import bulk
from iskra_server.history.store.schema import live, reader, refused
from iskra_server.history.store.store import Store

# older quarters get no partition of their own, but lie in the rest partition: otherwise one message with forged
# quarters could create a thousand partitions
_PARTITIONS_SINCE = timedelta(days=750)


class LastContact(Struct, frozen=True):
    """A reader sent something of this meter at `at_s`; `power_mw` is None where the message had no power.

    Of a live message that means that the meter shows none now; of others that nothing is known of it.
    """

    meter_id: str
    reader: str
    at_s: int
    power_mw: int | None = None
    is_live: bool = False


class ReaderState(Struct, frozen=True):
    """State of a reader: `sentence` describes its first fault, `status` lists all its sources as JSON."""

    name: str
    at_s: int
    ok: bool
    sentence: str
    status: str


class Refusal(Struct, frozen=True):
    """A message that could not be stored, cut to 4 kB, with the reason."""

    at_s: int
    topic: str
    reason: str
    data: bytes


class IngestBatch(Struct):
    """Decoded messages, written in one transaction; `reasons` has the reason for each refused one, by its position."""

    records: list[Record] = []
    meters: list[MeterInfo] = []
    contacts: list[LastContact] = []
    readers: list[ReaderState] = []
    refused: list[Refusal] = []
    reasons: dict[int, str] = {}


def write_batch(store: Store, batch: IngestBatch) -> None:
    """Everything in one transaction, which may be repeated. Raises StoreError."""

    def write_more(connection: Connection) -> None:
        _upsert_contacts(store, connection, batch.contacts)
        _upsert_readers(store, connection, batch.readers)
        if batch.refused:
            rows = [
                {"at_s": row.at_s, "topic": row.topic, "reason": row.reason, "octets": row.data}
                for row in batch.refused
            ]
            connection.execute(insert(refused), rows)

    infos: dict[str, MeterInfo] = {}
    for info in batch.meters:
        merge_meter(infos, info)
    since = datetime.now(UTC).date() - _PARTITIONS_SINCE
    store.write(batch.records, list(infos.values()), write_more, months_since=since)


def _upsert_contacts(store: Store, connection: Connection, contacts: Sequence[LastContact]) -> None:
    """Of each meter that history has, the newest contact; what is not live keeps the power of an earlier contact."""
    ordered = sorted(contacts, key=lambda contact: (contact.at_s, contact.is_live))
    newest = {contact.meter_id: contact for contact in ordered}
    numbers = store.meter_row_ids(connection, newest)
    for keeps_power in (False, True):
        rows = [
            (numbers[meter_id], contact.reader, contact.at_s, contact.power_mw)
            for meter_id, contact in newest.items()
            if meter_id in numbers and contact.is_live is not keeps_power
        ]
        if rows and connection.dialect.name == "postgresql":
            bulk.upsert_live(connection, rows, keeps_power=keeps_power)
        elif rows:
            _upsert_contacts_in_sqlite(store, connection, rows, keeps_power=keeps_power)


def _upsert_contacts_in_sqlite(
    store: Store, connection: Connection, rows: Sequence[tuple[int, str, int, int | None]], *, keeps_power: bool
) -> None:
    statement = store.insert(live)
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=["meter"],
        set_={
            "reader": new.reader,
            "at_s": new.at_s,
            "at_quarter": new.at_quarter,
            "power_mw": func.coalesce(new.power_mw, live.c.power_mw) if keeps_power else new.power_mw,
        },
        where=new.at_s >= live.c.at_s,
    )
    values = [
        {"meter": number, "reader": name, "at_s": at_s, "at_quarter": at_s // QUARTER_S, "power_mw": power_mw}
        for number, name, at_s, power_mw in rows
    ]
    connection.execute(statement, values)


def _upsert_readers(store: Store, connection: Connection, states: Sequence[ReaderState]) -> None:
    newest = {state.name: state for state in sorted(states, key=lambda state: state.at_s)}
    # sorted by name: two collectors that lock rows in different orders would deadlock
    for _, state in sorted(newest.items()):
        statement = store.insert(reader)
        new = statement.excluded
        columns = ReaderState.__struct_fields__
        statement = statement.values({name: getattr(state, name) for name in columns}).on_conflict_do_update(
            index_elements=["name"],
            set_={name: new[name] for name in columns if name != "name"},
            where=new.at_s >= reader.c.at_s,
        )
        connection.execute(statement)
