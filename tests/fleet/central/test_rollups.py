"""Whatever is written, in whatever order, and however far the roll-ups are: a sum says what the quarters say."""

import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from fleet.sums import due_count, rolled_up_energy
from iskra_server.fleet.central.rollup_refresh import refresh
from iskra_server.fleet.central.rollups import BucketEnergy
from iskra_server.history.model.energy import energy_in_buckets
from iskra_server.history.model.periods import first_quarter
from iskra_server.history.model.records import QUARTER_S, EpochStart, Exact, MeterInfo, Quality, QuarterReading, Record
from iskra_server.history.store.recorded_meter import recorded_meter
from iskra_server.history.store.schema import ALWAYS, label
from iskra_server.history.store.store import Store
from samples import IMPORT

BERLIN = ZoneInfo("Europe/Berlin")
# summer time ends on the 25th
FIRST, LAST = date(2026, 10, 22), date(2026, 11, 3)
DAYS = [first_quarter(FIRST + timedelta(days=day), BERLIN) for day in range((LAST - FIRST).days + 1)]
MONTHS = [first_quarter(date(2026, month, 1), BERLIN) for month in (10, 11, 12)]
# all is over
LATER_S = MONTHS[-1] * QUARTER_S + 86_400
MEMBERS = select(label.c.meter, label.c.from_quarter, label.c.to_quarter).where(label.c.kind == "building")
Spans = dict[str, tuple[int, int]]


def name(number: int) -> str:
    return f"1 ISK 00 {number:08}"


def life(number: int, chance: random.Random, first: int, end: int) -> Iterator[Record]:
    """A meter's readings and epochs: with gaps, interpolated readings, restarts and another resolution."""
    raw, epoch, scaler, quarter = chance.randrange(10**6), 0, -1, first
    yield EpochStart(name(number), IMPORT, 0, first * QUARTER_S, None, Exact(raw, scaler))
    while quarter < end:
        if chance.random() < 0.004:
            quarter += chance.choice((1, 5, 100, 200))
        if chance.random() < 0.002:
            epoch += 1
            before, raw = Exact(raw, scaler), chance.randrange(1000)
            scaler = chance.choice((-1, 0))
            yield EpochStart(name(number), IMPORT, epoch, quarter * QUARTER_S - 400, before, Exact(raw, scaler))
        raw += chance.randrange(200)
        quality: Quality = "interpolated" if chance.random() < 0.01 else "measured"
        yield QuarterReading(name(number), IMPORT, quarter, Exact(raw, scaler), quality, epoch)
        quarter += 1


def info(number: int) -> MeterInfo:
    return MeterInfo(name(number), f"{number:04x}", False, DAYS[0] * QUARTER_S, DAYS[-1] * QUARTER_S)


def write(store: Store, records: Sequence[Record]) -> None:
    numbers = sorted({int(record.meter_id[-8:]) for record in records})  # type: ignore[union-attr]
    store.write(records, [info(number) for number in numbers])


def set_members(store: Store, spans: Spans) -> None:
    with store.transaction() as connection:
        ids = store.meter_row_ids(connection, spans)
        connection.execute(label.delete())
        rows = [
            {"meter": ids[each], "kind": "building", "value": "7", "from_quarter": begin, "to_quarter": end}
            for each, (begin, end) in spans.items()
            if each in ids
        ]
        if rows:
            connection.execute(label.insert(), rows)


def truth(store: Store, spans: Spans, begin: int, end: int) -> BucketEnergy:
    """Meter by meter, by the rules of the single-meter routes; a chain counts by the span of its newest meter."""
    bucket = BucketEnergy(begin, end)
    for head in (each.meter_id for each in store.meters() if each.replaced_by is None):
        first, last = spans.get(head, (0, 0))
        first, last = max(begin, first), min(end, last)
        if first >= last:
            continue
        recorded = recorded_meter(store, [head])
        assert recorded
        counter = recorded.counter(IMPORT)
        energies = energy_in_buckets(
            (first, last), counter.look_up, counter.nearest_before, counter.nearest_after, counter.epochs
        )
        found = energies.buckets[0]
        if found.energy_wh is None:
            continue
        readings = counter.look_up(range(first, last + 1))
        pairs = [(readings[q], readings[q + 1]) for q in range(first, last) if q in readings and q + 1 in readings]
        bucket.energy = (bucket.energy or Decimal(0)) + found.energy_wh
        bucket.meters += 1
        bucket.complete += first in readings and last in readings
        bucket.quarters += len(pairs)
        bucket.estimated += sum("interpolated" in (one.quality, other.quality) for one, other in pairs)
    return bucket


def check(store: Store, spans: Spans, edges: Sequence[int]) -> int:
    """Says how many buckets were answered."""
    answers = rolled_up_energy(store, MEMBERS, IMPORT, edges)
    for answer in answers:
        if answer is not None:
            assert answer == truth(store, spans, answer.begin, answer.end)
    return sum(answer is not None for answer in answers)


def test_sums_of_a_few_days(store: Store) -> None:
    compare(store, random.Random(7), DAYS[2:6])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 9))
def test_roll_ups_and_marks_say_what_the_quarters_say(store: Store, seed: int) -> None:
    compare(store, random.Random(seed), DAYS)


def compare(store: Store, chance: random.Random, days: Sequence[int]) -> None:
    """Three meters, of which the third replaces the second; everything arrives in any order, some of it twice."""
    change = chance.randrange(days[1], days[-2])
    lives = [list(life(1, chance, days[0] + 7, days[-1] + 1)), list(life(2, chance, days[0], change))]
    lives.append(list(life(3, chance, change + chance.randrange(60), days[-1] + 1)))
    messages = []
    for own in lives:
        while own:
            count = chance.randrange(1, 97)
            messages.append(own[:count])
            del own[:count]
    chance.shuffle(messages)
    messages += chance.sample(messages, 5)
    replaced_at = chance.randrange(len(messages))
    now_s = days[1] * QUARTER_S
    # the third meter replaces the second, and the first comes or goes within a day
    moved = chance.randrange(days[0], days[-1])
    spans: Spans = {name(1): chance.choice([(0, moved), (moved, ALWAYS)]), name(2): (0, ALWAYS), name(3): (0, ALWAYS)}
    for position, message in enumerate(messages):
        write(store, message)
        known = {each.meter_id for each in store.meters()}
        if position >= replaced_at and {name(2), name(3)} <= known:
            replaced_at = len(messages)
            store.replace_meter(name(2), name(3))
        if chance.random() < 0.3:
            now_s += chance.randrange(3 * 86_400) if now_s < LATER_S else 0
            for _ in range(chance.randrange(12)):
                refresh(store, now_s, BERLIN)
        if chance.random() < 0.15:
            set_members(store, spans)
            check(store, spans, chance.choice((days, MONTHS)))
    set_members(store, spans)
    check(store, spans, days)
    if replaced_at < len(messages):
        store.replace_meter(name(2), name(3))
    check(store, spans, days)
    while refresh(store, LATER_S, BERLIN):
        pass
    assert due_count(store) == (0, None)
    assert check(store, spans, days) == len(days) - 1
    assert check(store, spans, MONTHS) == len(MONTHS) - 1
