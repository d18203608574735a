"""One central database on several engines, side by side: how fast batches are written, how soon questions are answered.

    python bench/engines.py plain=postgresql://... timescale=postgresql://... citus=postgresql://...

Each database is emptied. Batches are what a collector writes: 500 messages with a quarter of a meter, three rows, in a
burst; 50 with a day of a meter in the backlog. Two writers share the work, as two collectors would. Questions are asked
of a month that the database itself has filled. A figure is the median of some rounds, in which the engines take turns.
"""

import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from sqlalchemy import text

from fleet.batches import batch_of
from fleet.engines import Engine, empty
from iskra_server.fleet.central.group_sums import group_energies
from iskra_server.fleet.central.label_periods import Group
from iskra_server.fleet.central.queries import meters, set_labels
from iskra_server.fleet.central.tables import IngestBatch, LastContact, write_batch
from iskra_server.history.model.records import Exact, MeterInfo, PowerQuarter, QuarterReading, Record, quarter_of
from iskra_server.history.store.recorded_meter import recorded_meter
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import EXPORT, IMPORT

METERS, ASKED, DAYS, ROUNDS = 1000, 50, 31, 3
BATCH = 500
# the rounds come after it, and none is ahead of the clock
NOW = quarter_of(time.time()) // 96 * 96 - 5 * 96
MONTH = NOW - DAYS * 96
HOUSE = Group("building", "7")
FILL = (
    "INSERT INTO boundary SELECT series.id, quarter, (quarter - {first}) * 10 + series.id, -1, 0, 0 "
    "FROM series, generate_series({first}, {end}) AS quarter WHERE meter <= {meters}"
)


def main() -> None:
    engines = [Engine(*argument.split("=", 1)) for argument in sys.argv[1:]]  # type: ignore[arg-type]
    stores = {}
    for engine in engines:
        empty(engine)
        stores[engine.profile] = [Store(engine.address, engine.profile) for _ in range(2)]
    figures: dict[str, dict[str, list[float]]] = {profile: {} for profile in stores}
    for number, (profile, (store, _)) in enumerate(stores.items()):
        fill(store)
        print(f"{profile} is filled ({number + 1} of {len(stores)})", file=sys.stderr)
    for turn in range(ROUNDS):
        for profile, pair in stores.items():
            for name, figure in measured(pair, turn):
                figures[profile].setdefault(name, []).append(figure)
    first = next(iter(figures.values()))
    print(f"{'':42}" + "".join(f"{profile:>22}" for profile in figures))
    for name in first:
        figures_of = [median(figures[profile][name]) for profile in figures]
        cells = [f"{figure:12,.1f} ({figure / figures_of[0]:4.2f})" for figure in figures_of]
        print(f"{name:42}" + "".join(f"{cell:>22}" for cell in cells))
    for pair in stores.values():
        for store in pair:
            store.close()


def fill(store: Store) -> None:
    """A month of some meters, and one quarter of all."""
    for batch in batches(range(METERS), range(NOW - 1, NOW)):
        write_batch(store, batch)
    set_labels(store, {info(place).meter_id: {"building": "7"} for place in range(ASKED)})
    store.make_partitions(since_s=MONTH * 900)
    with store.transaction() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text(FILL.format(first=MONTH, end=NOW - 2, meters=ASKED)))
    with store.transaction() as connection:
        connection.execute(text("ANALYZE boundary"))


def measured(stores: list[Store], turn: int) -> Iterator[tuple[str, float]]:
    store, first = stores[0], NOW + turn * 97
    rows, seconds = written(stores, list(batches(range(METERS), range(first, first + 1))))
    yield "burst of a quarter, 2 writers, rows/s", rows / seconds
    rows, seconds = written(stores, list(batches(range(METERS // 5), range(first + 1, first + 97))))
    yield "backlog, a day a message, 2 writers, rows/s", rows / seconds
    edges = list(range(MONTH, NOW + 1, 96))
    name = info(turn * 31 % ASKED).meter_id
    yield "month of a meter by day, ms", asked(lambda: of_meter(store, name, edges))
    yield "last reading of a meter, ms", asked(lambda: store.nearest_before(name, IMPORT, NOW + 96))
    yield (
        f"month of {ASKED} meters by day, ms",
        asked(lambda: group_energies(store, HOUSE, [IMPORT], edges, until=NOW + 1)),
    )
    yield "first page of a group, ms", asked(lambda: meters(store, limit=50, now=NOW, group=HOUSE))


def of_meter(store: Store, name: str, edges: list[int]) -> None:
    with store.snapshot() as reads:
        meter = recorded_meter(reads, [name.replace(" ", "").lower()])
        assert meter
        assert len(meter.counter(IMPORT).look_up(edges)) >= DAYS


def asked(question: Callable[[], object]) -> float:
    """Milliseconds, the median of some answers."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        question()
        times.append(time.perf_counter() - began)
    return median(times) * 1000


def written(stores: list[Store], work: list[IngestBatch]) -> tuple[int, float]:
    """How many rows, and in how many seconds."""
    rows = sum(len(message.records) for batch in work for message in batch.quarters)
    began = time.perf_counter()
    with ThreadPoolExecutor(len(stores)) as threads:
        for outcome in threads.map(
            lambda place: write_batch(stores[place % len(stores)], work[place]), range(len(work))
        ):
            assert not outcome.receipts
    return rows, time.perf_counter() - began


def batches(places: range, quarters: range) -> Iterator[IngestBatch]:
    at_once = max(BATCH // len(quarters), 50)
    for start in range(0, len(places), at_once):
        chosen = places[start : start + at_once]
        yield batch_of(
            [record for place in chosen for record in closed(place, quarters)],
            [info(place) for place in chosen],
            [LastContact(info(place).meter_id, "cellar", quarters[-1] * 900, place) for place in chosen],
            ledger="a",
        )


def info(place: int) -> MeterInfo:
    return MeterInfo(f"1 ISK 00 {place:08}", "0901", False, MONTH * 900, NOW * 900)


def closed(place: int, quarters: range) -> Iterator[Record]:
    name = info(place).meter_id
    for quarter in quarters:
        yield QuarterReading(name, IMPORT, quarter, Exact((quarter - MONTH) * 10 + place, -1), "measured")
        yield QuarterReading(name, EXPORT, quarter, Exact((quarter - MONTH) * 10 + place, -1), "measured")
        yield PowerQuarter(name, quarter, 0, 300_000, 900_000, 900)


if __name__ == "__main__":
    main()
