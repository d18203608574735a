"""A meter that moves back and forth while collectors are killed or stand still: every value is somewhere afterwards."""

import random
import re
import signal
import time
from collections import Counter
from decimal import Decimal
from itertools import groupby, pairwise

import pytest
from sqlalchemy import select

from fleet.conftest import Collect, MakeReader
from fleet.field import FIRST, PATIENCE_S, FieldReader
from history.postgres import Postgres
from iskra_server.fleet.central.claims import move_meter
from iskra_server.fleet.central.conflicts import list_conflicts
from iskra_server.history.model.records import QUARTER_S, Exact, MeterInfo, QuarterReading
from iskra_server.history.store import StoreError
from iskra_server.history.store.schema import ALWAYS, meter, outbox
from iskra_server.history.store.store import Store
from running import until
from samples import IMPORT

STEPS = 40
REFUSED = re.compile("No reader house-b has sent anything yet|is locked")


def close_quarters(reader: FieldReader, count: int, begin: int) -> None:
    """Of a counter that stood at `begin` in the first quarter."""
    for _ in range(count):
        reader.quarter += 1
        value = Exact(begin + 10 * (reader.quarter - FIRST), 0)
        info = MeterInfo(reader.meters[0], "0901", False, FIRST * QUARTER_S, reader.quarter * QUARTER_S)
        reader.store.write([QuarterReading(info.meter_id, IMPORT, reader.quarter, value, "measured")], [info])


def values(store: Store, reader: FieldReader) -> dict[int, Decimal]:
    rows = store.quarter_readings_between(reader.meters[0], IMPORT, 0, ALWAYS)
    return {row.quarter: row.value.decimal for row in rows}


def where_they_are(central: Store, reader: FieldReader) -> Counter[str]:
    """How many values of a reader are kept, wait there with a reason or without, are a conflict, or are lost."""
    kept = values(central, reader)
    found, _ = list_conflicts(central, limit=10_000)
    conflicts = {(row.quarter, row.value) for row in found if row.reader == reader.name}
    with reader.store.transaction(write=False) as connection:
        marks = connection.execute(
            select(outbox.c.quarter, outbox.c.reason)
            .join(meter, meter.c.id == outbox.c.meter)
            .where(meter.c.meter_id == reader.meters[0])
        )
        reasons = {row.quarter: row.reason for row in marks}
    places: Counter[str] = Counter()
    for quarter, value in values(reader.store, reader).items():
        if kept.get(quarter) == value:
            places["kept"] += 1
        elif quarter in reasons:
            places["waits" if reasons[quarter] else "on its way"] += 1
        else:
            places["conflict" if (quarter, value) in conflicts else "lost"] += 1
    return places


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_every_value_is_kept_waits_with_its_reason_or_is_a_conflict(
    central: Store, postgres: Postgres, reader: MakeReader, collect: Collect, seed: int
) -> None:
    chance = random.Random(seed)
    one, other = (reader(name, first_meter=9) for name in ("house-a", "house-b"))
    collectors = [collect(), collect()]
    close_quarters(one, 1, 0)
    until(lambda: values(central, one), PATIENCE_S)
    moves = 0
    for _ in range(STEPS):
        close_quarters(one, chance.randint(0, 3), 0)
        close_quarters(other, chance.randint(0, 3), 7)
        place = chance.randrange(2)
        match chance.choice(["kill", "stand still", "go on", "move", "move", "database"]):
            case "kill":
                collectors[place].kill()
                collectors[place] = collect()
            case "stand still":
                collectors[place].process.send_signal(signal.SIGSTOP)
            case "go on":
                collectors[place].process.send_signal(signal.SIGCONT)
            case "move":
                try:
                    move_meter(central, one.meters[0], chance.choice(["house-a", "house-b"]), one.quarter * QUARTER_S)
                    moves += 1
                except StoreError as error:
                    # a collector that stands still may hold the meters: nothing is moved then, and that is said
                    assert REFUSED.search(str(error))
            case "database":
                postgres.stop()
                close_quarters(one, 1, 0)
                with pytest.raises(StoreError):
                    move_meter(central, one.meters[0], "house-b", one.quarter * QUARTER_S)
                postgres.start()
        time.sleep(chance.random() / 2)
    for collector in collectors:
        collector.process.send_signal(signal.SIGCONT)
    # both are told what becomes of every value
    until(lambda: not sum(where_they_are(central, each)["on its way"] for each in (one, other)), PATIENCE_S)
    assert moves
    places = [where_they_are(central, each) for each in (one, other)]
    assert [each["lost"] for each in places] == [0, 0]
    # where moves are refused, the other one may never have had the meter
    assert places[0]["kept"] > 0
    rows = central.quarter_readings_between(one.meters[0], IMPORT, 0, ALWAYS)
    by_epoch = sorted(rows, key=lambda row: (row.epoch, row.quarter))
    for _, of_epoch in groupby(by_epoch, key=lambda row: row.epoch):
        assert all(before.value.decimal <= after.value.decimal for before, after in pairwise(of_epoch))
