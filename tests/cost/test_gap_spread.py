from datetime import UTC, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from iskra_server.cost.gap_spread import GapSpreading, Spread
from iskra_server.history.model.records import Exact
from iskra_server.history.store.counter_history import CounterHistory
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.history.store.store import Store
from samples import IMPORT
from web.past import INFO, counted

UTC_ZONE = ZoneInfo("UTC")
MIDNIGHT = int(datetime(2026, 2, 1, tzinfo=UTC).timestamp()) // 900
# more in each quarter of the day than in the one before
USUAL = [100 + 10 * slot for slot in range(96)]


def counter_of(store: Store, days: int, first: int = MIDNIGHT) -> CounterHistory:
    store.write(counted(accumulate(USUAL * days, initial=0), first=first), [INFO])
    meters = store.meters()
    return RecordedMeter(store, meters[0], meters).counter(IMPORT)


def test_a_gap_has_the_shape_of_the_days_before(store: Store) -> None:
    counter = counter_of(store, 3)
    begin = MIDNIGHT + 3 * 96 + 8
    whole = sum(USUAL[8:20])
    column = counter.column(MIDNIGHT, MIDNIGHT + 3 * 96)
    expected = Spread(begin, -4, [energy * 2000 for energy in USUAL[8:20]])
    for known in (column, None, counter.column(MIDNIGHT + 96, MIDNIGHT + 3 * 96)):
        assert GapSpreading(counter, known, UTC_ZONE).spread(begin, begin + 12, 2 * whole, -1) == expected


def test_the_parts_of_a_gap_are_the_same_in_every_period(store: Store) -> None:
    """Whatever was read already, and in whatever order gaps are asked for."""
    counter = counter_of(store, 60)
    gaps = [(MIDNIGHT + 96 * day + 30, MIDNIGHT + 96 * day + 50) for day in (2, 3, 31, 40, 59, 5)]
    columns = [None, *(counter.column(MIDNIGHT + 96 * day + 7, MIDNIGHT + 96 * 60) for day in (0, 2, 30))]
    found = [
        [spreading.spread(*gap, 12_345, -1) for gap in gaps]
        for spreading in (GapSpreading(counter, column, UTC_ZONE) for column in columns)
    ]
    assert found[1:] == found[:-1]
    assert all(sum(spread.raws) == 12_345_000 for spread in found[0])


def test_days_before_and_after_a_finer_step_count_alike(store: Store) -> None:
    """The meter counts whole Wh for three days, then tenths, and its day looks different then."""
    coarse = list(accumulate(USUAL * 3, initial=0))
    fine = list(accumulate(USUAL[::-1] * 3, initial=10 * coarse[-1]))
    first = MIDNIGHT + 3 * 96
    readings = [replace(reading, value=Exact(reading.value.raw, 0)) for reading in counted(coarse, first=MIDNIGHT)[:-1]]
    store.write([*readings, *counted(fine, first=first)], [INFO])
    counter = RecordedMeter(store, store.meters()[0], store.meters()).counter(IMPORT)
    begin = first + 3 * 96 + 8
    alone, *found = [
        GapSpreading(counter, column, UTC_ZONE).spread(begin, begin + 12, 12_345, -1)
        for column in (None, *(counter.column(MIDNIGHT + 96 * day, first + 3 * 96) for day in (1, 2, 0)))
    ]
    assert found == [alone] * 3


def test_only_four_weeks_before_count(store: Store) -> None:
    counter = counter_of(store, 2)
    for days, is_even in ((29, False), (30, True)):
        begin = MIDNIGHT + 96 * days
        raws = GapSpreading(counter, None, UTC_ZONE).spread(begin, begin + 5, 500, -1).raws
        assert (set(raws) == {100_000}) == is_even


def test_short_gaps_and_those_at_unknown_times_are_spread_evenly(store: Store) -> None:
    counter = counter_of(store, 3)
    spreading = GapSpreading(counter, None, UTC_ZONE)
    assert spreading.spread(MIDNIGHT + 288, MIDNIGHT + 291, 10, -1).raws == [3333, 3333, 3334]
    # nothing is known before the first day
    assert set(spreading.spread(MIDNIGHT + 8, MIDNIGHT + 16, 8, 3).raws) == {1000}


def test_days_on_which_the_clocks_change_do_not_count(store: Store) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    first = int((datetime(2026, 3, 29, tzinfo=berlin)).timestamp()) // 900
    counter = counter_of(store, 1, first)
    begin = int((datetime(2026, 3, 29, tzinfo=berlin) + timedelta(days=1)).timestamp()) // 900
    assert set(GapSpreading(counter, None, berlin).spread(begin, begin + 8, 8, 0).raws) == {1000}
