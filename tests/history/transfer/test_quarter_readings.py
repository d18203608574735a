from hypothesis import given
from hypothesis import strategies as st

from iskra_server.history.model.ledger import Ledger
from iskra_server.history.model.records import Exact, QuarterReading
from iskra_server.history.transfer.file_rows import BadRow, CounterReading, LeftOut, RecordRow
from iskra_server.history.transfer.quarter_readings import _sample, quarter_readings
from samples import IMPORT, METER_ID

QUARTER = 1_994_820
AT_US = QUARTER * 900 * 10**6


def readings(*pairs: tuple[float, int]) -> list[CounterReading]:
    """Seconds after the quarter, and Wh."""
    return [CounterReading(line, AT_US + int(at_s * 10**6), Exact(wh, 0)) for line, (at_s, wh) in enumerate(pairs, 1)]


def framed(*pairs: tuple[float, int]) -> list[tuple[int, int, str]]:
    """Quarters after the first, Wh, quality."""
    rows = quarter_readings(readings(*pairs), METER_ID, IMPORT)
    kept = [row.record for row in rows if isinstance(row, RecordRow)]
    return [(each.quarter - QUARTER, each.value.raw, each.quality) for each in kept if isinstance(each, QuarterReading)]


def reasons(*pairs: tuple[float, int]) -> list[BadRow]:
    return [row for row in quarter_readings(readings(*pairs), METER_ID, IMPORT) if isinstance(row, BadRow)]


def test_a_reading_at_a_quarter_is_its_quarter_reading() -> None:
    assert framed((0, 100), (3600, 200), (7200, 300)) == [
        (0, 100, "measured"),
        (4, 200, "measured"),
        (8, 300, "measured"),
    ]


def test_a_quarter_reading_is_interpolated_between_readings_up_to_960_s_apart() -> None:
    assert framed((-30, 100), (30, 200)) == [(0, 150, "measured")]
    assert framed((-300, 100), (600, 400)) == [(0, 200, "interpolated")]
    assert framed((-301, 100), (660, 400)) == []


def test_only_the_readings_next_to_a_quarter_matter() -> None:
    assert framed((-800, 1), (-400, 50), (-10, 100), (10, 120), (500, 130)) == [(0, 110, "measured")]


@given(st.lists(st.tuples(st.integers(1, 2000), st.integers(0, 500)), min_size=2, max_size=40))
def test_quarter_readings_equal_those_of_the_ledger(steps: list[tuple[int, int]]) -> None:
    at_s, wh, pairs = 0, 0, []
    for seconds, more in steps:
        at_s, wh = at_s + seconds, wh + more
        pairs.append((at_s, wh))
    ledger = Ledger()
    samples = [_sample(row, METER_ID, IMPORT) for row in readings(*pairs)]
    closed = [record for sample in samples for record in ledger.observe(sample) if isinstance(record, QuarterReading)]
    rows = list(quarter_readings(readings(*pairs), METER_ID, IMPORT))
    assert [row.record for row in rows if isinstance(row, RecordRow)] == closed


def test_a_counter_that_goes_back_is_wrong() -> None:
    assert reasons((0, 100), (900, 99), (1800, 100)) == [BadRow(2, "the counter goes back from 100 Wh to 99 Wh")]


def test_a_reading_that_comes_too_late_is_wrong() -> None:
    assert reasons((900, 100), (0, 100)) == [BadRow(2, "it is earlier than line 1")]


def test_two_values_at_one_time_are_wrong_and_the_same_twice_is_not() -> None:
    assert reasons((0, 100), (0, 101)) == [BadRow(2, "it has another value than line 1 at the same time")]
    assert reasons((0, 100), (0, 100)) == []


def test_readings_that_give_no_quarter_reading_are_counted() -> None:
    def left_out(*pairs: tuple[float, int]) -> int:
        rows = quarter_readings(readings(*pairs), METER_ID, IMPORT)
        return sum(row.count for row in rows if isinstance(row, LeftOut))

    month_s = 30 * 86_400
    assert left_out((60, 100)) == 1
    assert left_out((60, 100), (month_s + 120, 200), (2 * month_s, 300), (3 * month_s + 5, 400)) == 3
    # two readings in one quarter, then a pause; and those that frame a quarter
    assert left_out((60, 100), (70, 101), (5000, 200), (5300, 210), (5800, 220)) == 2
    # the later one of an hourly pair comes soon after a quarter
    assert left_out((60, 100), (3610, 200)) == 0
    assert left_out((0, 100), (10, 100), (20, 101)) == left_out() == 0


def test_bad_rows_pass_through_and_a_lower_quality_stays() -> None:
    rows: list[CounterReading | BadRow] = [BadRow(1, "it is torn"), *readings((0, 100))]
    bad, kept = quarter_readings(rows, METER_ID, IMPORT, "interpolated")
    assert bad == BadRow(1, "it is torn")
    assert kept == RecordRow(1, QuarterReading(METER_ID, IMPORT, QUARTER, Exact(100, 0), "interpolated"))
