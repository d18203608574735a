"""Where epochs start at the central server: the same numbers whatever the order and the messages of what arrives."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise

import pytest
from msgspec.structs import replace

from fleet.batches import batch_of
from history.entries import METER, QUARTER
from iskra_server.fleet.central.tables import LastContact, write_batch
from iskra_server.history.model.energy import energy_between
from iskra_server.history.model.records import EpochStart, Exact, QuarterReading, Record
from iskra_server.history.store.counter_history import CounterHistory
from iskra_server.history.store.store import Store
from samples import IMPORT, METER_ID

NOW_S = 1_795_000_000


def reading(place: int, raw: int, epoch: int = 0) -> QuarterReading:
    return QuarterReading(METER_ID, IMPORT, QUARTER + place, Exact(raw, 0), "measured", epoch)


def start(epoch: int, place: float, before: int, after: int) -> EpochStart:
    return EpochStart(METER_ID, IMPORT, epoch, int((QUARTER + place) * 900), Exact(before, 0), Exact(after, 0))


def messages(records: Sequence[Record]) -> Iterator[list[list[Record]]]:
    """Every order of these records, in every division into messages."""
    if not records:
        yield []
        return
    first, rest = records[0], records[1:]
    for others in messages(rest):
        for place in range(len(others) + 1):
            yield [*others[:place], [first], *others[place:]]
        for place, other in enumerate(others):
            yield [*others[:place], [first, *other], *others[place + 1 :]]


# by a clock that was set the restart was after the first row of the new epoch, or before the last one of the old epoch
CASES: dict[str, tuple[Sequence[Record], int]] = {
    "clock right": ([reading(0, 100), start(1, 0.5, 115, 0), reading(1, 5, 1)], 15 + 5),
    "clock set back": ([reading(0, 100), start(1, 2.5, 115, 0), reading(2, 5, 1)], 15 + 5),
    "clock set forward": ([reading(1, 110), start(1, 0.5, 115, 0), reading(2, 5, 1)], 5 + 5),
}


@pytest.mark.parametrize("case", CASES)
def test_a_restart_counts_once_in_every_order_and_division(store: Store, case: str) -> None:
    records, energy = CASES[case]
    found = {}
    for number, parts in enumerate(messages(records)):
        meter = f"1 ISK 00 {number:08}"
        for part in parts:
            send(store, meter, [of_meter(record, meter) for record in part])
        found[str([[records.index(record) for record in part] for part in parts])] = counted(store, meter)
    assert len(found) == 13
    assert {order: each for order, each in found.items() if each != [energy]} == {}


def test_a_restart_keeps_its_energy_while_the_one_before_is_not_known_yet(store: Store) -> None:
    """Its clock was set, so at its row nobody seemed to have seen it for a moment."""
    send(store, METER_ID, [reading(0, 1000)])
    send(store, METER_ID, [start(2, 2.2, 351, 0), reading(2, 54, 2)])
    send(store, METER_ID, [reading(1, 301, 1)])
    send(store, METER_ID, [start(1, 0.6, 1358, 0)])
    assert counted(store, METER_ID) == [358 + 301, 50 + 54]


def of_meter(record: Record, meter: str) -> Record:
    assert isinstance(record, QuarterReading | EpochStart)
    return replace(record, meter_id=meter)


def send(store: Store, meter: str, records: Sequence[Record]) -> None:
    batch = batch_of(records, [replace(METER, meter_id=meter)], [LastContact(meter, "one", 0)], ledger="a")
    assert write_batch(store, batch, NOW_S).receipts == {}


def counted(store: Store, meter: str) -> list[Decimal]:
    """The energy from each row to the next."""
    counter = CounterHistory(store, [meter], IMPORT)
    rows = pairwise(counter.between(QUARTER, QUARTER + 100))
    return [energy_between(before, after, counter.epochs) for before, after in rows]
