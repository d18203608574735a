"""What a central server stores beside the ledger: last contact with each meter, state of readers, refused messages."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from sqlalchemy import Connection, func, insert

from iskra_server.fleet.central.admission import (
    Admission,
    ReceivedQuarters,
    admit,
    foreign_values,
    other_values,
    sent_rows,
)
from iskra_server.fleet.central.claims import Claims, block_moves, reader_at
from iskra_server.fleet.central.conflicts import OtherValue, write_backward, write_differing
from iskra_server.fleet.central.epoch_numbers import place
from iskra_server.fleet.central.reader_state import Notice, ReaderMessage, write_readers
from iskra_server.fleet.protocol import Receipt
from iskra_server.history.model.records import QUARTER_S, PowerQuarter
from iskra_server.history.store import bulk
from iskra_server.history.store.schema import live, refused
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


class Refusal(Struct, frozen=True):
    """A message that can never be stored, with the reason; of one that is too long, its beginning."""

    at_s: int
    topic: str
    reason: str
    data: bytes


class IngestBatch(Struct):
    """Decoded messages, written in one transaction; `receipts` by position: those that decoding alone decides."""

    quarters: list[ReceivedQuarters] = []
    contacts: list[LastContact] = []
    readers: list[ReaderMessage] = []
    refused: list[Refusal] = []
    receipts: dict[int, Receipt] = {}


class Outcome(Struct):
    """What became of a batch: a message without a receipt by its position is kept; `conflicts` counts new values."""

    receipts: dict[int, Receipt]
    notices: list[Notice] = []
    conflicts: int = 0


def write_batch(store: Store, batch: IngestBatch, now_s: int | None = None) -> Outcome:
    """Everything in one transaction, which may be repeated. Raises StoreError.

    Collectors lock rows in one order: readers, meters, their claims, counters, what is known of them.
    """
    now_s = int(time.time()) if now_s is None else now_s
    since = datetime.now(UTC).date() - _PARTITIONS_SINCE
    records = [record for quarters in batch.quarters for record in quarters.records]
    outcome = Outcome(dict(batch.receipts))
    with store.writing(records, since) as connection:
        names = write_readers(store, connection, _reader_messages(batch))
        outcome.receipts |= names.waiting
        outcome.notices = list(names.notices.values())
        quarters = [message for message in batch.quarters if message.position not in names.waiting]
        contacts = {contact.meter_id for contact in batch.contacts}
        block_moves(connection)
        admission = admit(store, connection, quarters, contacts, now_s)
        outcome.receipts |= admission.receipts
        outcome.conflicts = _write_records(store, connection, admission, now_s)
        live_contacts = [*(_contact(message) for message, _ in admission.admitted), *batch.contacts]
        _upsert_contacts(store, connection, live_contacts, admission.claims)
        if batch.refused:
            rows = [
                {"at_s": row.at_s, "topic": row.topic, "reason": row.reason, "octets": row.data}
                for row in batch.refused
            ]
            connection.execute(insert(refused), rows)
    return outcome


def _reader_messages(batch: IngestBatch) -> list[ReaderMessage]:
    """All messages of readers, in the order in which they came."""
    messages = [ReaderMessage(each.position, each.reader, each.session, each.at_s) for each in batch.quarters]
    return sorted([*messages, *batch.readers], key=lambda each: each.position)


def _write_records(store: Store, connection: Connection, admission: Admission, now_s: int) -> int:
    """Returns how many conflicts are new."""
    rows = sent_rows(store, connection, admission)
    placed = place(store, connection, rows)
    power = [record for _, records in admission.admitted for record in records if isinstance(record, PowerQuarter)]
    new = store.insert_records(connection, [*placed.readings, *power], placed.starts)
    others = other_values(rows, admission.claims) if new < len(placed.readings) else []
    others += foreign_values(connection, admission)
    conflicts = write_differing(store, connection, others, now_s) if others else 0
    if placed.backward:
        owners = {sent.series: admission.claims[sent.meter] for sent in rows}
        backward = [
            OtherValue(series, reading, name, reader_at(owners[series], reading.quarter))
            for series, name, reading in placed.backward
        ]
        conflicts += write_backward(store, connection, backward, now_s)
    return conflicts


def _contact(quarters: ReceivedQuarters) -> LastContact:
    return LastContact(quarters.meter.meter_id, quarters.reader, quarters.seen_s)


def _upsert_contacts(
    store: Store, connection: Connection, contacts: Sequence[LastContact], claims: Mapping[int, Claims]
) -> None:
    """Of each meter the newest contact with its reader; what is not live keeps the power of an earlier contact."""
    numbers = store.meter_row_ids(connection, {contact.meter_id for contact in contacts})
    readers = {name: claims[number][-1].reader for name, number in numbers.items() if number in claims}
    own = [contact for contact in contacts if readers.get(contact.meter_id) == contact.reader]
    newest = {contact.meter_id: contact for contact in sorted(own, key=lambda contact: (contact.at_s, contact.is_live))}
    for keeps_power in (False, True):
        rows = [
            (numbers[meter_id], contact.reader, contact.at_s, contact.power_mw)
            for meter_id, contact in newest.items()
            if contact.is_live is not keeps_power
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
