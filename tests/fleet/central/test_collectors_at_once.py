"""Collectors that write the same new meters, counters and names in the same moment: each goes to one reader."""

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier, Event

import pytest

from history.postgres import Postgres
from iskra_server.fleet import protocol
from iskra_server.fleet.central.admission import ReceivedQuarters
from iskra_server.fleet.central.batch_writer import BatchWriter
from iskra_server.fleet.central.claims import claims_of
from iskra_server.fleet.central.ingest import ReceivedMessage
from iskra_server.fleet.central.reader_state import ReaderMessage, ReaderState, list_readers
from iskra_server.fleet.central.tables import IngestBatch, LastContact, Outcome, write_batch
from iskra_server.history.model.records import Exact, MeterInfo, QuarterReading
from iskra_server.history.store.store import Store
from samples import IMPORT

NOW_S, METERS, ROUNDS = 1_795_000_000, 20, 20
QUARTER = NOW_S // 900 - 50


def message(position: int, number: int, name: str, *, ledger: str, quarter: int) -> ReceivedQuarters:
    meter = MeterInfo(f"1 ISK 00 {number:08}", "0901", False, QUARTER * 900, QUARTER * 900)
    reading = QuarterReading(meter.meter_id, IMPORT, quarter, Exact(10 * quarter, 0), "measured")
    return ReceivedQuarters(position, name, name.encode().ljust(8), NOW_S, NOW_S, ledger, meter, (reading,))


def at_once(postgres: Postgres, batches: list[IngestBatch]) -> list[Outcome]:
    barrier = Barrier(len(batches))

    def write(batch: IngestBatch) -> Outcome:
        store = Store(postgres.url("postgres"))
        barrier.wait()
        try:
            return write_batch(store, batch, NOW_S)
        finally:
            store.close()

    with ThreadPoolExecutor(len(batches)) as pool:
        return list(pool.map(write, batches))


def test_each_meter_gets_one_reader(central: Store, postgres: Postgres) -> None:
    names = ("one", "two", "three")
    orders = [list(range(METERS)), list(reversed(range(METERS))), [*range(7, METERS), *range(7)]]
    outcomes = at_once(
        postgres,
        [
            IngestBatch(
                [message(place, number, name, ledger="a", quarter=QUARTER) for place, number in enumerate(order)]
            )
            for name, order in zip(names, orders, strict=True)
        ],
    )
    with central.transaction(write=False) as connection:
        claims = claims_of(connection, range(10 * METERS))
    assert len(claims) == METERS
    assert all(len(each) == 1 for each in claims.values())
    assert sum(len(outcome.receipts) for outcome in outcomes) == 2 * METERS
    for info in central.meters():
        assert len(central.quarter_readings_between(info.meter_id, IMPORT, 0, 2**31 - 1)) == 1


def test_two_histories_of_one_reader_go_on_with_one_epoch(central: Store, postgres: Postgres) -> None:
    """The last quarters of an old card and the first of a new one, at two collectors."""
    write_batch(
        central,
        IngestBatch([message(place, place, "one", ledger="old", quarter=QUARTER) for place in range(METERS)]),
        NOW_S,
    )
    late = [
        [message(place, place, "one", ledger=ledger, quarter=QUARTER + after) for place in range(METERS)][::step]
        for ledger, after, step in (("old", 1, 1), ("new", 2, -1))
    ]
    assert [outcome.receipts for outcome in at_once(postgres, [IngestBatch(each) for each in late])] == [{}, {}]
    for number in range(METERS):
        rows = central.quarter_readings_between(f"1 ISK 00 {number:08}", IMPORT, 0, 2**31 - 1)
        assert [(row.quarter - QUARTER, row.epoch) for row in rows] == [(0, 0), (1, 0), (2, 0)]


def test_a_name_goes_to_one_session(central: Store, postgres: Postgres) -> None:
    state = ReaderState("house-7", NOW_S, True, "Fine.", "[]")
    batches = [
        IngestBatch(readers=[ReaderMessage(0, "house-7", session, NOW_S, state)])
        for session in (b"11111111", b"22222222", b"33333333")
    ]
    outcomes = at_once(postgres, batches)
    assert sorted(len(outcome.receipts) for outcome in outcomes) == [0, 1, 1]
    ((row,), _) = list_readers(central, limit=9)
    assert row.rival_s == NOW_S


def test_live_values_and_quarters_of_the_same_meters_do_not_deadlock(
    central: Store, postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    """One collector has quarters of some meters and live values of the others, another one the reverse."""
    caplog.set_level(logging.WARNING)
    infos = [
        MeterInfo(f"1 ISK 00 {number:08}", "0901", False, QUARTER * 900, QUARTER * 900) for number in range(METERS)
    ]
    barrier = Barrier(2)

    def write(is_first: bool) -> None:
        with closing(Store(postgres.url("postgres"))) as store:
            writer = BatchWriter(store, Event())
            for turn in range(ROUNDS):
                messages, contacts = [], []
                for number, info in enumerate(infos):
                    if (number < METERS // 2) is is_first:
                        reading = QuarterReading(info.meter_id, IMPORT, QUARTER + turn, Exact(turn, 0), "measured")
                        payload = protocol.encode(protocol.quarters(info, [reading]))
                        messages.append(ReceivedMessage("iskra/v1/house/quarters", payload, NOW_S))
                    else:
                        contacts.append(LastContact(info.meter_id, "house", NOW_S, turn, is_live=True))
                barrier.wait()
                written = writer.write(messages, contacts)
                assert written.live == len(contacts)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, (True, False)))
    assert caplog.messages == []


def test_statuses_and_quarters_of_the_same_readers_do_not_deadlock(central: Store, postgres: Postgres) -> None:
    """After an outage of the central server: it has heard none of them for long, and stores that with either."""
    names = [f"house-{number}" for number in range(METERS)]
    for turn in range(5):
        now_s = NOW_S + 500 * turn
        batches = [
            IngestBatch(
                readers=[
                    ReaderMessage(
                        place,
                        name,
                        name.encode(),
                        now_s,
                        ReaderState(name, now_s, True, "Fine.", "[]") if sends else None,
                    )
                    for place, name in enumerate(names)
                    for sends in [(place < METERS // 2) is is_first]
                ]
            )
            for is_first in (True, False)
        ]
        # a deadlock is a StoreError
        assert [outcome.receipts for outcome in at_once(postgres, batches)] == [{}, {}]
