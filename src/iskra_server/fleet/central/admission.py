"""Which quarters of a batch may be stored now, and why the others wait at their readers.

Of a message everything is stored that may be, even if the rest waits: the whole is sent again, which changes nothing.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from shlex import quote

from msgspec import Struct
from sqlalchemy import Connection, select

from iskra_server.base.json_values import utc
from iskra_server.fleet.central.claims import Claim, claim, claims_of, may_store, reader_at, times_of
from iskra_server.fleet.central.conflicts import OtherValue
from iskra_server.fleet.central.epoch_numbers import SentRows
from iskra_server.fleet.protocol import Receipt
from iskra_server.history.model.records import (
    CLOCK_TOLERANCE_S,
    QUARTER_S,
    EpochStart,
    MeterInfo,
    PowerQuarter,
    QuarterReading,
    Record,
    merge_meter,
    start_s,
)
from iskra_server.history.store.meter_rows import is_simulated
from iskra_server.history.store.schema import meter, series
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import Obis

# `live` has the newest contact of a meter; its row in `meter` changes once a day
_SEEN_EVERY_S = 86_400
_MIXED = {
    True: "this central server holds readings of real meters; those of a simulated one are not written beside them. "
    "Give simulated meters a central server of their own",
    False: "this central server holds readings of simulated meters; those of a real one are not written beside them. "
    "Give it an empty database",
}


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


class Admission(Struct):
    """What may be stored: messages with those of their records that may. `foreign`: those that another reader may send.

    `receipts` are by position. `claims` are by the row id of each meter of the batch.
    """

    admitted: list[tuple[ReceivedQuarters, list[Record]]] = []
    foreign: list[tuple[ReceivedQuarters, list[Record]]] = []
    receipts: dict[int, Receipt] = {}
    claims: dict[int, list[Claim]] = {}


def admit(
    store: Store, connection: Connection, batch: Sequence[ReceivedQuarters], more: Collection[str], now_s: int
) -> Admission:
    """Meters that are new are inserted, and given to their readers. `more`: other meters whose claims are needed.

    A reader of which nothing can be stored now, as its clock is ahead, does not get a meter by that.
    """
    result = Admission()
    batch = _of_one_kind(connection, batch, result)
    numbers = store.meter_row_ids(connection, {quarters.meter.meter_id for quarters in batch} | set(more))
    result.claims = claims_of(connection, numbers.values())
    batch = _of_claimed_or_over(batch, numbers, now_s, result)
    names = {quarters.meter.meter_id for quarters in batch}
    infos: dict[str, MeterInfo] = {}
    for quarters in batch:
        claims = result.claims.get(numbers.get(quarters.meter.meter_id, 0))
        if claims is None or any(claim.reader == quarters.reader for claim in claims):
            merge_meter(infos, quarters.meter)
    store.upsert_meters(connection, list(infos.values()), _SEEN_EVERY_S)
    numbers = store.meter_row_ids(connection, names)
    first: dict[int, str] = {}
    for quarters in batch:
        if (number := numbers[quarters.meter.meter_id]) not in result.claims:
            first.setdefault(number, quarters.reader)
    if first:
        result.claims |= claim(store, connection, first)
    for quarters in batch:
        _split(quarters, result.claims[numbers[quarters.meter.meter_id]], now_s, result)
    return result


def _of_one_kind(
    connection: Connection, batch: Sequence[ReceivedQuarters], result: Admission
) -> list[ReceivedQuarters]:
    """Readings of simulated meters are never written beside real ones."""
    stored, same = is_simulated(connection) if batch else None, []
    for quarters in batch:
        simulated = quarters.meter.simulated
        stored = simulated if stored is None else stored
        if simulated is stored:
            same.append(quarters)
        else:
            result.receipts[quarters.position] = Receipt("waits", _MIXED[simulated])
    return same


def _of_claimed_or_over(
    batch: Sequence[ReceivedQuarters], numbers: Mapping[str, int], now_s: int, result: Admission
) -> list[ReceivedQuarters]:
    """Without those of meters that nobody has, if they hold nothing that is over."""
    going_on = []
    for quarters in batch:
        is_claimed = numbers.get(quarters.meter.meter_id) in result.claims
        if is_claimed or any(_is_over(record, now_s) for record in quarters.records):
            going_on.append(quarters)
        elif quarters.records:
            result.receipts[quarters.position] = _not_over(now_s)
    return going_on


def _split(quarters: ReceivedQuarters, claims: Sequence[Claim], now_s: int, result: Admission) -> None:
    foreign, admitted = [], []
    for record in quarters.records:
        if not may_store(claims, quarters.reader, start_s(record) // QUARTER_S):
            foreign.append(record)
        elif _is_over(record, now_s):
            admitted.append(record)
    if foreign:
        result.foreign.append((quarters, foreign))
        result.receipts[quarters.position] = Receipt("waits", _belongs_to(claims[-1], quarters))
    elif len(admitted) < len(quarters.records):
        result.receipts[quarters.position] = _not_over(now_s)
    if admitted:
        result.admitted.append((quarters, admitted))


def _is_over(record: Record, now_s: int) -> bool:
    """Whether the time that a record describes has passed by the clock of the central server."""
    end_s = start_s(record) + (QUARTER_S if isinstance(record, PowerQuarter) else 0)
    return end_s <= now_s + CLOCK_TOLERANCE_S


def _not_over(now_s: int) -> Receipt:
    return Receipt("waits", f"these quarter-hours are not over yet: the clock of the central server shows {utc(now_s)}")


def _belongs_to(claim: Claim, quarters: ReceivedQuarters) -> str:
    meter_id = quarters.meter.meter_id
    return (
        f"meter {meter_id} is read by {claim.reader}. If it has been moved: "
        # both are what the sender chose, and this is what an administrator copies into a shell
        f"iskra-server fleet move {quote(meter_id)} --to {quote(quarters.reader)}"
    )


def sent_rows(store: Store, connection: Connection, admission: Admission) -> list[SentRows]:
    """The counters of the admitted messages, by their epochs; series that are new are created."""
    groups: list[tuple[ReceivedQuarters, Obis, int, list[QuarterReading], EpochStart | None]] = []
    for quarters, records in admission.admitted:
        readings: dict[tuple[Obis, int], list[QuarterReading]] = {}
        starts: dict[tuple[Obis, int], EpochStart] = {}
        for record in records:
            match record:
                case QuarterReading():
                    readings.setdefault((record.obis, record.epoch), []).append(record)
                case EpochStart():
                    starts[record.obis, record.epoch] = record
        for key in readings | starts:
            rows = sorted(readings.get(key, ()), key=lambda reading: reading.quarter)
            groups.append((quarters, *key, rows, starts.get(key)))
    meters = store.meter_row_ids(connection, {quarters.meter.meter_id for quarters, *_ in groups})
    counters = store.series_row_ids(connection, {(quarters.meter.meter_id, obis) for quarters, obis, *_ in groups})
    return [
        SentRows(
            meter=meters[quarters.meter.meter_id],
            series=counters[quarters.meter.meter_id, obis],
            meter_id=quarters.meter.meter_id,
            obis=obis,
            reader=quarters.reader,
            ledger=f"{quarters.ledger}@{quarters.reader}",
            ledger_epoch=number,
            readings=rows,
            start=start,
            times=times_of(admission.claims[meters[quarters.meter.meter_id]], quarters.reader),
        )
        for quarters, obis, number, rows, start in groups
    ]


def other_values(rows: Iterable[SentRows], claims: dict[int, list[Claim]]) -> list[OtherValue]:
    """The readings of these rows, to be compared with what was kept."""
    return [
        OtherValue(sent.series, reading, sent.reader, reader_at(claims[sent.meter], reading.quarter))
        for sent in rows
        for reading in sent.readings
    ]


def foreign_values(connection: Connection, admission: Admission) -> list[OtherValue]:
    """What readers sent of meters that others have; only of counters that are known."""
    if not admission.foreign:
        return []
    names = {message.meter.meter_id for message, _ in admission.foreign}
    statement = select(meter.c.meter_id, series.c.meter, series.c.id, series.c.obis).join_from(series, meter)
    rows = connection.execute(statement.where(meter.c.meter_id.in_(names)))
    known = {(row.meter_id, row.obis): (row.id, row.meter) for row in rows}
    values = []
    for message, records in admission.foreign:
        for record in records:
            if isinstance(record, QuarterReading) and (key := (record.meter_id, str(record.obis))) in known:
                number, owner = known[key]
                kept_reader = reader_at(admission.claims[owner], record.quarter)
                values.append(OtherValue(number, record, message.reader, kept_reader))
    return values
