from decimal import Decimal

from iskra_server.history.store.store import Store
from web.past import BERLIN, INFO, Past, Q, counted, quarter, telegrams


def test_steps_are_found_in_the_telegrams_of_a_period(store: Store) -> None:
    store.write([telegrams(Q * 900, [300] * 30 + [2310] * 30)], [INFO])
    answer = Past(store).ask("steps?from=2025-06-02T10:00:00Z&to=2025-06-02T10:05:00Z")
    assert answer["steps"] == [{"at": "2025-06-02T10:00:30+00:00", "change_w": 2010, "before_w": 300, "after_w": 2310}]
    assert (answer["min_w"], answer["until"]) == (200, "2025-06-02T10:00:59+00:00")
    assert Past(store).ask("steps?from=2025-06-02T10:00:00Z&to=2025-06-02T10:05:00Z&min_w=3000")["steps"] == []


def test_by_default_those_of_the_last_five_minutes_are_asked_for(store: Store) -> None:
    store.write(counted([0, 1]), [INFO])
    answer = Past(store).ask("steps")
    assert answer["steps"] == [] and "until" not in answer
    assert "longer than 1 days" in Past(store).refusal("steps?from=this_month")


def test_each_month_has_its_highest_quarter_with_its_moment(store: Store) -> None:
    may = quarter("2025-05-31T23:30:00+02:00")
    # 10 Wh, 1,500 Wh until midnight; 20 Wh, 900 Wh, 5 Wh
    store.write(counted([0, 100, 15_100, 15_300, 24_300, 24_350], first=may), [INFO])
    answer = Past(store, tz=BERLIN).ask("highest-quarters?from=2025")
    assert answer["months"] == [
        {
            "month": "2025-05",
            "begin": "2025-05-31T23:45:00+02:00",
            "end": "2025-06-01T00:00:00+02:00",
            "import_wh": 1500,
            "power_w": 6000,
        },
        {
            "month": "2025-06",
            "begin": "2025-06-01T00:15:00+02:00",
            "end": "2025-06-01T00:30:00+02:00",
            "import_wh": 900,
            "power_w": 3600,
        },
    ]
    assert Past(store, tz=BERLIN).ask("highest-quarters")["months"] == []


def test_the_typical_day_of_each_weekday_has_columns_of_the_clock(store: Store) -> None:
    store.write(counted([0, 100]), [INFO])
    answer = Past(store, tz=BERLIN).ask("typical-day?weeks=2")
    assert [day["weekday"] for day in answer["weekdays"]] == [1, 2, 3, 4, 5, 6, 7]
    assert all(day["median_w"] == day["low_w"] == day["high_w"] == [None] * 96 for day in answer["weekdays"])
    assert "weeks" in Past(store).refusal("typical-day?weeks=99")


def test_the_weeks_before_today_count(store: Store) -> None:
    past = Past(store, tz=BERLIN)
    begin = past.ask("typical-day?weeks=4")["begin"]
    store.write(counted(range(0, 100 * 96 * 7 * 4 + 1, 100), first=quarter(begin)), [INFO])
    answer = past.ask("typical-day?weeks=4")
    assert {day["days"] for day in answer["weekdays"]} == {4}
    assert set(answer["weekdays"][0]["high_w"]) == {Decimal("40.0")}
