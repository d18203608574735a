"""What a comparison of contracts costs: time and memory, of a year and of ten, on SQLite.

    python bench/compare_contracts.py [RUNS]

Three contracts on a meter with import and export: a fixed price, windows of the grid fee that cross midnight, and a
spot price of every quarter with a credit of par. 14a EnWG. Beside it the same total for one contract by a loop over
records and decimals, of one year: what the columns of integers save. Times are of the process (the machine may be
busy) and by the clock, the lowest of all runs.
"""

import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from itertools import pairwise
from pathlib import Path
from random import Random

from decade import METER_ID, SCALER, ZONE, Decade, progress
from iskra_server.cost.compared_energy import measured_span
from iskra_server.cost.comparison import Comparison, compare
from iskra_server.cost.contracts import Contract
from iskra_server.cost.tariffs import PriceWindow, SpotShare, Tariff, Terms
from iskra_server.history.model.energy import energy_between
from iskra_server.history.model.periods import local_midnight
from iskra_server.history.model.records import QUARTER_S, Exact, QuarterReading
from iskra_server.history.model.spot_price import Price
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.history.store.spot_prices import spot_raws, store_prices
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import EXPORT, IMPORT

RUNS = 5
_AT_ONCE = 96 * 61
_EVER = date(1970, 1, 1)
_LEVIES = ((2025, (("tax", Decimal("0.0205")), ("kwkg", Decimal("0.00446")), ("offshore", Decimal("0.00941")))),)
_ALL_DAYS = frozenset(range(7))
_WINTER = frozenset((1, 2, 3, 10, 11, 12))
_WINDOWS = (
    PriceWindow("HT", _WINTER, _ALL_DAYS, 68, 85, Decimal("0.1520")),
    PriceWindow("NT", _WINTER, _ALL_DAYS, 92, 116, Decimal("0.0274")),
)
_GRID = Tariff(Decimal("0.0912"), _WINDOWS)
FIXED = Contract(
    begins=_EVER, energy_price=Decimal("0.3265"), feed_in=Decimal("0.0811"), base_fee=Decimal("12.5"), name="fixed"
)
WINDOWS = Contract(
    begins=_EVER,
    name="windows",
    base_fee=Decimal(11),
    terms=Terms(energy=Tariff(Decimal("0.12")), grid=_GRID, levies=_LEVIES, vat_percent=Decimal(19)),
)
DYNAMIC = Contract(
    begins=_EVER,
    name="dynamic",
    base_fee=Decimal("5.99"),
    grid_credit=Decimal(130),
    terms=Terms(
        energy=Tariff(Decimal("0.0215"), spot=SpotShare("DE-LU")),
        grid=_GRID,
        feed_in=Tariff(spot=SpotShare("DE-LU", unpaid_when_negative=True)),
        levies=_LEVIES,
        vat_percent=Decimal(19),
    ),
)
CONTRACTS = FIXED, WINDOWS, DYNAMIC


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    decade = Decade(datetime.now(UTC))
    with tempfile.TemporaryDirectory() as folder, closing(Store(f"sqlite:///{folder}/iskra.sqlite")) as store:
        _fill(store, decade)
        print(f"{Path(folder, 'iskra.sqlite').stat().st_size / 1e6:.0f} MB on disk, {len(decade.quarters):,} quarters")
        meters = store.meters()
        meter = RecordedMeter(store, meters[0], meters)
        for years in (1, 10):
            _measure(store, meter, decade, years, runs)
        begin, end = _period(decade, 1)
        print(
            f"one contract of one year by records and decimals: {_lowest(runs, lambda: _by_records(meter, begin, end))}"
        )


def _fill(store: Store, decade: Decade) -> None:
    random, quarters = Random(1), decade.quarters
    for start in range(quarters.start, quarters.stop, _AT_ONCE):
        some = range(start, min(start + _AT_ONCE, quarters.stop))
        store.write(_readings(decade, some), [decade.meter])
        prices = {quarter: Price(random.randrange(-20_00, 300_00) * 10_000) for quarter in some}
        store_prices(store, "DE-LU", "bench", decade.end_s, prices)
        progress("quarters and prices", (some.stop - quarters.start) / len(quarters))


def _readings(decade: Decade, quarters: range) -> Iterator[QuarterReading]:
    for quarter in quarters:
        imported, _, exported = decade.at(quarter * QUARTER_S)[0]
        yield QuarterReading(METER_ID, IMPORT, quarter, Exact(imported, SCALER), "measured")
        yield QuarterReading(METER_ID, EXPORT, quarter, Exact(exported, SCALER), "measured")


def _period(decade: Decade, years: int) -> tuple[int, int]:
    last = datetime.fromtimestamp(decade.end_s, ZONE).year
    begin, end = (int(local_midnight(date(year, 1, 1), ZONE).timestamp()) for year in (last - years, last))
    return begin // QUARTER_S, end // QUARTER_S


def _measure(store: Store, meter: RecordedMeter, decade: Decade, years: int, runs: int) -> None:
    def answer() -> Comparison:
        span = measured_span(meter, *_period(decade, years))
        assert span is not None
        return compare(meter, CONTRACTS, span, partial(spot_raws, store), ZONE)

    print(f"{years} years, {len(CONTRACTS)} contracts: {_lowest(runs, answer)}, {_memory(answer):.0f} MB at the most")
    for cost in answer().contracts:
        print(f"    {cost.contract.name:<8} {float(cost.total.total):12.2f}")


def _by_records(meter: RecordedMeter, begin: int, end: int) -> Decimal:
    """A fixed price as one would write it first."""
    counter = meter.counter(IMPORT)
    readings = counter.between(begin, end + 1)
    pairs = pairwise(readings)
    return sum((energy_between(*pair, counter.epochs) * FIXED.energy_price / 1000 for pair in pairs), Decimal(0))


def _lowest(runs: int, work: Callable[[], object]) -> str:
    times = []
    for _ in range(runs):
        clock, process = time.perf_counter(), time.process_time()
        work()
        times.append((time.perf_counter() - clock, time.process_time() - process))
    clock, process = (min(column) * 1000 for column in zip(*times, strict=True))
    return f"{clock:.0f} ms, of processor time {process:.0f} ms"


def _memory(work: Callable[[], object]) -> float:
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


if __name__ == "__main__":
    main()
