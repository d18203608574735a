from hypothesis import given
from hypothesis import strategies as st

from iskra_server.diagnosis.reception import (
    ALIGN_S,
    SLOT_S,
    SLOTS,
    VERDICT_S,
    Slots,
    StreamQuality,
    Window,
    bytes_per_s,
)


def test_nothing_has_no_share() -> None:
    assert Window().quality(1000.0, ALIGN_S) == StreamQuality(ALIGN_S, 0, 0, 0, 0, None)


def test_the_share_slides_with_the_seconds() -> None:
    window = Window()
    for second in range(20):
        window.arrived(400, float(second))
        if second < 10:
            window.damaged(float(second), is_cut=second % 2 == 0)
        else:
            window.valid(second + 0.5)
        if second == 9:
            assert window.quality(9.9, ALIGN_S).damaged == 10
    assert window.quality(19.9, ALIGN_S) == StreamQuality(ALIGN_S, 10, 0, 0, 4000, 1.0)
    assert window.quality(19.9, VERDICT_S) == StreamQuality(VERDICT_S, 10, 10, 5, 8000, 0.5)
    assert window.quality(24.0, ALIGN_S).valid == 5


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.4, 1.0, 9.0, 12.5, 280.0, 900.0]), st.sampled_from("ogc")),
        max_size=40,
    ),
    st.sampled_from([0.0, 5.0, 299.0, 400.0]),
    st.sampled_from([1, ALIGN_S, VERDICT_S]),
)
def test_it_counts_what_came_within_these_seconds(events: list[tuple[float, str]], later: float, seconds: int) -> None:
    window, now_s, came = Window(), 1000.0, []
    for after, kind in events:
        now_s += after
        came.append((int(now_s), kind))
        if kind == "o":
            window.arrived(7, now_s)
        elif kind == "g":
            window.valid(now_s)
        else:
            window.damaged(now_s, is_cut=True)
    now_s += later
    within = [(second, kind) for second, kind in came if second > int(now_s) - seconds]
    valid, cut, chunks = (sum(kind == each for _, kind in within) for each in "gco")
    share = round(valid / (valid + cut), 4) if valid + cut else None
    passed_s = now_s - within[0][0] if within else 0
    rate = bytes_per_s(7 * chunks, passed_s)
    assert window.quality(now_s, seconds) == StreamQuality(
        seconds, valid, cut, cut, 7 * chunks, share, bytes_per_s=rate
    )


def test_a_driver_whose_counters_began_anew_has_counted_nothing() -> None:
    window = Window()
    window.erred(5.0, framing=3, overruns=1)
    window.erred(6.0, framing=-3, overruns=-(2**31))
    found = window.quality(6.0, ALIGN_S)
    assert (found.framing, found.overruns) == (3, 1)


def test_what_is_older_than_five_minutes_is_forgotten() -> None:
    window = Window()
    for second in range(10_000):
        window.valid(float(second))
    assert window.quality(9_999.0, VERDICT_S).valid == VERDICT_S
    assert window.quality(10_000.0 + VERDICT_S, VERDICT_S).valid_ratio is None


def test_a_day_has_a_place_for_each_five_minutes_and_the_last_one_runs() -> None:
    slots = Slots()
    for minute in range(20):
        slots.valid(60.0 * minute)
    slots.damaged(60.0)
    day = slots.day(60.0 * 19)
    assert (day.slot_s, len(day.valid), day.valid[-4:], day.damaged[-4:]) == (SLOT_S, SLOTS, [5, 5, 5, 5], [0, 0, 0, 1])
    assert sum(day.valid) == 20


def test_what_is_older_than_a_day_is_forgotten_and_a_silence_is_empty() -> None:
    slots = Slots()
    slots.valid(0.0)
    slots.valid(3.0 * SLOT_S)
    day = slots.day(86_400.0)
    assert (day.valid[0], day.valid[2], sum(day.valid)) == (0, 1, 1)
    assert sum(slots.day(10 * 86_400.0).valid) == 0


def test_more_telegrams_than_a_place_can_count_stay_its_most() -> None:
    slots = Slots()
    for _ in range(70_000):
        slots.damaged(5.0)
    assert slots.day(5.0).damaged[-1] == 65_535
