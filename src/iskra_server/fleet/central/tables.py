"""What a central server stores beside the ledger: last contact with each meter, state of readers, refused messages."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from sqlalchemy import Connection, func, insert

from iskra_server.fleet.protocol import Receipt
from iskra_server.history.model.records import QUARTER_S, MeterInfo, Record, merge_meter
from iskra_server.history.store import bulk
from iskra_server.history.store.meter_rows import is_simulated
from iskra_server.history.store.schema import live, reader, refused
from iskra_server.history.store.store import Store

# older quarters get no partition of their own, but lie in the rest partition: otherwise one message with forged
# quarters could create a thousand partitions
_PARTITIONS_SINCE = timedelta(days=750)


# `live` has the newest contact of a meter; its row in `meter` changes once a day
_SEEN_EVERY_S = 86_400
_MIXED = {
    True: "this central server holds readings of real meters; those of a simulated one are not written beside them. "
    "Give simulated meters a central server of their own",
    False: "this central server holds readings of simulated meters; those of a real one are not written beside them. "
    "Give it an empty database",
}


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
    """A message that can never be stored, with the reason; of one that is too long, its beginning."""

    at_s: int
    topic: str
    reason: str
    data: bytes


class ReceivedQuarters(Struct, frozen=True):
    """Closed quarters of one meter, as one message brought them; `position` is that of the message in its batch.

    `session` is empty for readers of the first protocol, `ledger` where they do not name their history. The message
    arrived at `at_s`; `seen_s` is when the meter was last seen, not later than that.
    """

    position: int
    reader: str
    session: bytes
    at_s: int
    seen_s: int
    ledger: str
    meter: MeterInfo
    records: tuple[Record, ...]


class IngestBatch(Struct):
    """Decoded messages, written in one transaction; `receipts` by position: those that decoding alone decides."""

    quarters: list[ReceivedQuarters] = []
    contacts: list[LastContact] = []
    readers: list[ReaderState] = []
    refused: list[Refusal] = []
    receipts: dict[int, Receipt] = {}


class Notice(Struct, frozen=True):
    """Something that a session of a reader is told although it asked nothing."""

    reader: str
    session: bytes
    receipt: Receipt


class Outcome(Struct):
    """What became of a batch: a message without a receipt by its position is kept; `conflicts` counts new values."""

    receipts: dict[int, Receipt]
    notices: list[Notice] = []
    conflicts: int = 0


def write_batch(store: Store, batch: IngestBatch) -> Outcome:
    """Everything in one transaction, which may be repeated. Raises StoreError."""
    since = datetime.now(UTC).date() - _PARTITIONS_SINCE
    records = [record for quarters in batch.quarters for record in quarters.records]
    outcome = Outcome(dict(batch.receipts))
    with store.writing(records, since) as connection:
        admitted = _admit(connection, batch.quarters, outcome)
        infos: dict[str, MeterInfo] = {}
        for quarters in admitted:
            merge_meter(infos, quarters.meter)
        store.upsert_meters(connection, list(infos.values()), _SEEN_EVERY_S)
        store.insert_records(connection, [record for quarters in admitted for record in quarters.records])
        _upsert_contacts(store, connection, [*map(_contact, admitted), *batch.contacts])
        _upsert_readers(store, connection, batch.readers)
        if batch.refused:
            rows = [
                {"at_s": row.at_s, "topic": row.topic, "reason": row.reason, "octets": row.data}
                for row in batch.refused
            ]
            connection.execute(insert(refused), rows)
    return outcome


def _admit(connection: Connection, batch: Sequence[ReceivedQuarters], outcome: Outcome) -> list[ReceivedQuarters]:
    """The quarters that may be stored now; the others get their receipt in `outcome`."""
    stored, admitted = is_simulated(connection), []
    for quarters in batch:
        simulated = quarters.meter.simulated
        stored = simulated if stored is None else stored
        if simulated is stored:
            admitted.append(quarters)
        else:
            outcome.receipts[quarters.position] = Receipt("waits", _MIXED[simulated])
    return admitted


def _contact(quarters: ReceivedQuarters) -> LastContact:
    return LastContact(quarters.meter.meter_id, quarters.reader, quarters.seen_s)


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
