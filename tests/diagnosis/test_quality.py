from iskra_server.diagnosis.quality import ALIGN_S, SLOT_S, SLOTS, VERDICT_S, Quality, Slots, Window


def test_nothing_has_no_share() -> None:
    assert Window().quality(1000.0, ALIGN_S) == Quality(ALIGN_S, 0, 0, 0, 0, None)


def test_the_share_slides_with_the_seconds() -> None:
    window = Window()
    for second in range(20):
        window.arrived(400, float(second))
        if second < 10:
            window.damaged(float(second), is_cut=second % 2 == 0)
        else:
            window.good(second + 0.5)
    assert window.quality(9.9, ALIGN_S).damaged == 10
    assert window.quality(19.9, ALIGN_S) == Quality(ALIGN_S, 10, 0, 0, 4000, 1.0)
    assert window.quality(19.9, VERDICT_S) == Quality(VERDICT_S, 10, 10, 5, 8000, 0.5)
    assert window.quality(24.0, ALIGN_S).good == 5


def test_what_is_older_than_five_minutes_is_forgotten() -> None:
    window = Window()
    for second in range(10_000):
        window.good(float(second))
    assert len(window._seconds) == VERDICT_S
    assert window.quality(10_000.0 + VERDICT_S, VERDICT_S).share is None


def test_a_day_has_a_place_for_each_five_minutes_and_the_last_one_runs() -> None:
    slots = Slots()
    for minute in range(20):
        slots.good(60.0 * minute)
    slots.damaged(60.0)
    day = slots.day(60.0 * 19)
    assert (day.slot_s, len(day.good), day.good[-4:], day.damaged[-4:]) == (SLOT_S, SLOTS, [5, 5, 5, 5], [0, 0, 0, 1])
    assert sum(day.good) == 20


def test_what_is_older_than_a_day_is_forgotten_and_a_silence_is_empty() -> None:
    slots = Slots()
    slots.good(0.0)
    slots.good(3.0 * SLOT_S)
    day = slots.day(86_400.0)
    assert (day.good[0], day.good[2], sum(day.good)) == (0, 1, 1)
    assert sum(slots.day(10 * 86_400.0).good) == 0


def test_more_telegrams_than_a_place_can_count_stay_its_most() -> None:
    slots = Slots()
    for _ in range(70_000):
        slots.damaged(5.0)
    assert slots.day(5.0).damaged[-1] == 65_535
