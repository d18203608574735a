"""Batches for the tests, as if each meter's records had come in one message."""

import time
from collections import defaultdict
from collections.abc import Iterable

from iskra_server.fleet.central.admission import ReceivedQuarters
from iskra_server.fleet.central.reader_state import ReaderMessage, ReaderState
from iskra_server.fleet.central.tables import IngestBatch, LastContact, Refusal
from iskra_server.history.model.records import MeterInfo, Record


def batch_of(
    records: Iterable[Record] = (),
    meters: Iterable[MeterInfo] = (),
    contacts: Iterable[LastContact] = (),
    readers: Iterable[ReaderState] = (),
    refused: Iterable[Refusal] = (),
    *,
    session: bytes = b"",
    ledger: str = "",
) -> IngestBatch:
    """The quarters come from the reader that has the meter's contact, and are no contact of their own."""
    contacts = list(contacts)
    names = {contact.meter_id: contact.reader for contact in contacts}
    of_meter = defaultdict[str, list[Record]](list)
    for record in records:
        of_meter[getattr(record, "meter_id", "")].append(record)
    quarters = [
        ReceivedQuarters(
            position=position,
            reader=names.get(info.meter_id, "cellar"),
            session=session,
            at_s=int(time.time()),
            seen_s=0,
            ledger=ledger,
            meter=info,
            records=tuple(of_meter[info.meter_id]),
        )
        for position, info in enumerate(meters)
    ]
    heard = [ReaderMessage(-1, state.name, b"", state.at_s, state) for state in readers]
    return IngestBatch(quarters, contacts, heard, list(refused))
