from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from iskra_server.diagnosis.facts import ALIGN_S, CHECK_S, StreamQuality, UnreadableTelegram, bytes_per_s
from iskra_server.meter.reading import Fault
from iskra_server.reading.reception import SLOT_S, SLOTS, DayCounts, Reception, SecondCounts
from iskra_server.sources.source import Chunk, ReceivedWhileProbing


def test_without_telegrams_there_is_no_ratio() -> None:
    assert SecondCounts().quality(1000.0, ALIGN_S) == StreamQuality(ALIGN_S, 0, 0, 0, 0, None)


def test_an_unreadable_telegram_is_no_damage() -> None:
    reception = Reception()
    data = b"encrypted" * 50
    reception.count_chunk(Chunk(data, datetime(2026, 11, 22, tzinfo=UTC), 1000.0))
    assert reception.guess(1000.0, ReceivedWhileProbing()) is not None
    reception.count_fault(
        Fault("layout", "unknown list of 2 elements", 71, "1 ISK 00 12345678", ("u4 1", "u4 2")), 1000.0
    )
    quality = reception.quality(1000.0, CHECK_S)
    assert (quality.valid, quality.damaged, quality.unreadable, quality.valid_ratio) == (0, 0, 1, None)
    assert (reception.faults, reception.unreadable) == ({}, {"layout": 1})
    assert reception.guess(1000.0, ReceivedWhileProbing()) is None
    assert sum(reception.day(1000.0).damaged) == 0
    latest = UnreadableTelegram("layout", "unknown list of 2 elements", "1 ISK 00 12345678", ("u4 1", "u4 2"))
    assert reception.last_unreadable(1000.0 + CHECK_S) == latest
    assert reception.last_unreadable(1001.0 + CHECK_S) is None


def test_the_ratio_is_that_of_the_last_seconds() -> None:
    counts = SecondCounts()
    for second in range(20):
        counts.count_bytes(400, float(second))
        if second < 10:
            counts.count_damaged(float(second), is_cut=second % 2 == 0)
        else:
            counts.count_valid(second + 0.5)
        if second == 9:
            assert counts.quality(9.9, ALIGN_S).damaged == 10
    assert counts.quality(19.9, ALIGN_S) == StreamQuality(ALIGN_S, 10, 0, 0, 4000, 1.0)
    assert counts.quality(19.9, CHECK_S) == StreamQuality(CHECK_S, 10, 10, 5, 8000, 0.5)
    assert counts.quality(24.0, ALIGN_S).valid == 5


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.4, 1.0, 9.0, 12.5, 280.0, 900.0]), st.sampled_from("ogc")),
        max_size=40,
    ),
    st.sampled_from([0.0, 5.0, 299.0, 400.0]),
    st.sampled_from([1, ALIGN_S, CHECK_S]),
)
def test_counts_are_those_of_the_last_seconds(events: list[tuple[float, str]], later: float, seconds: int) -> None:
    counts, now_s, came = SecondCounts(), 1000.0, []
    for after, kind in events:
        now_s += after
        came.append((int(now_s), kind))
        if kind == "o":
            counts.count_bytes(7, now_s)
        elif kind == "g":
            counts.count_valid(now_s)
        else:
            counts.count_damaged(now_s, is_cut=True)
    now_s += later
    within = [(second, kind) for second, kind in came if second > int(now_s) - seconds]
    valid, cut, chunks = (sum(kind == each for _, kind in within) for each in "gco")
    share = round(valid / (valid + cut), 4) if valid + cut else None
    first = next((second for second, kind in within if kind == "o"), now_s)
    rate = bytes_per_s(7 * chunks, now_s - first)
    assert counts.quality(now_s, seconds) == StreamQuality(
        seconds, valid, cut, cut, 7 * chunks, share, bytes_per_s=rate
    )


def test_counters_of_a_driver_that_started_again_count_as_0() -> None:
    counts = SecondCounts()
    counts.count_driver_errors(5.0, framing=3, overruns=1)
    counts.count_driver_errors(6.0, framing=-3, overruns=-(2**31))
    found = counts.quality(6.0, ALIGN_S)
    assert (found.framing, found.overruns) == (3, 1)


def test_counts_older_than_five_minutes_are_gone() -> None:
    counts = SecondCounts()
    for second in range(10_000):
        counts.count_valid(float(second))
    assert counts.quality(9_999.0, CHECK_S).valid == CHECK_S
    assert counts.quality(10_000.0 + CHECK_S, CHECK_S).valid_ratio is None


def test_a_day_has_a_slot_for_each_five_minutes() -> None:
    counts = DayCounts()
    for minute in range(20):
        counts.count_valid(60.0 * minute)
    counts.count_damaged(60.0)
    day = counts.day(60.0 * 19)
    assert (day.slot_s, len(day.valid), day.valid[-4:], day.damaged[-4:]) == (SLOT_S, SLOTS, [5, 5, 5, 5], [0, 0, 0, 1])
    assert sum(day.valid) == 20


def test_counts_older_than_a_day_are_gone() -> None:
    counts = DayCounts()
    counts.count_valid(0.0)
    counts.count_valid(3.0 * SLOT_S)
    day = counts.day(86_400.0)
    assert (day.valid[0], day.valid[2], sum(day.valid)) == (0, 1, 1)
    assert sum(counts.day(10 * 86_400.0).valid) == 0


def test_a_slot_counts_65535_telegrams_at_most() -> None:
    counts = DayCounts()
    for _ in range(70_000):
        counts.count_damaged(5.0)
    assert counts.day(5.0).damaged[-1] == 65_535
