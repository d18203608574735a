from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from msgspec.structs import replace

from iskra_server.history.model.records import PointBlock
from iskra_server.history.store.store import Store
from iskra_server.web.api.power import MAX_POINTS
from samples import METER_ID
from web.past import BERLIN, Past, Q, info, power, quarter, telegrams

AT_S = Q * 900
HOUR = "from=2025-06-02T10:00:00Z&to=2025-06-02T11:00:00Z"


def test_telegrams_are_summed_up_to_as_many_points_as_are_wanted(store: Store) -> None:
    watts = [place % 60 - 10 for place in range(3600)]
    store.write([telegrams(AT_S, watts[:1800]), telegrams(AT_S + 1800, watts[1800:])], [info()])
    answer = Past(store).ask(f"power?{HOUR}&points=60")
    assert {key: value for key, value in answer.items() if key != "points"} == {
        "meter": METER_ID,
        "simulated": False,
        "unit": "W",
        "tz": "UTC",
        "begin": "2025-06-02T10:00:00+00:00",
        "end": "2025-06-02T11:00:00+00:00",
        "source": "telegrams",
        "resolution_s": 60,
        "gaps": [],
    }
    assert len(answer["points"]) == 60
    assert answer["points"][1] == {
        "begin": "2025-06-02T10:01:00+00:00",
        "min_w": Decimal("-10.000"),
        "mean_w": Decimal("19.500"),
        "max_w": Decimal("49.000"),
    }


def minutes(first_s: int, watts: Sequence[int]) -> list[PointBlock]:
    """Telegrams of a second as they are recorded, in blocks of a minute."""
    return [telegrams(first_s + begin, watts[begin : begin + 60]) for begin in range(0, len(watts), 60)]


@pytest.mark.parametrize("points", [60, 30])
def test_blocks_that_are_no_longer_than_a_point_tell_the_same(store: Store, points: int) -> None:
    watts = [second * 7919 % 997 - 300 for second in range(3600)]
    quarters = power(Q, [200, 210, 220, 230])
    old = info("1 ISK 00 70000001", Q)
    store.write([*quarters, *minutes(AT_S, watts)], [info()])
    by_minutes = Past(store).ask(f"power?{HOUR}&points={points}")
    store.write([replace(telegrams(AT_S, watts), meter_id=old.meter_id)], [old])
    by_hour = Past(store).ask(f"power?{HOUR}&points={points}", name="1ISK0070000001")
    assert (by_minutes["source"], by_minutes["resolution_s"], len(by_minutes["points"])) == (
        "telegrams",
        3600 // points,
        points,
    )
    for one, other in zip(by_minutes["points"], by_hour["points"], strict=True):
        assert (one["begin"], one["min_w"], one["max_w"]) == (other["begin"], other["min_w"], other["max_w"])
        # a mean of means is rounded down twice
        assert 0 <= other["mean_w"] - one["mean_w"] <= Decimal("0.002")


def test_a_minute_and_longer_is_told_without_unpacking_and_finer_is_not(store: Store) -> None:
    spoilt = [replace(block, data=b"\1damaged") for block in minutes(AT_S, [5] * 3600)]
    store.write([*power(Q, [200, 210, 220, 230]), *spoilt], [info()])
    assert Past(store).ask(f"power?{HOUR}&points=60")["source"] == "telegrams"
    assert Past(store).ask(f"power?{HOUR}&points=62")["source"] == "quarters"


def test_blocks_that_are_thinned_already_leave_the_quarters(store: Store) -> None:
    store.write([*power(Q, [200, 210, 220, 230]), *minutes(AT_S + 1800, [5] * 1800)], [info()])
    assert Past(store).ask(f"power?{HOUR}&points=60")["source"] == "quarters"


def test_a_gap_between_blocks_is_told_and_has_no_points(store: Store) -> None:
    store.write([*minutes(AT_S, [5] * 600), *minutes(AT_S + 1200, [-5] * 2400)], [info()])
    answer = Past(store).ask(f"power?{HOUR}&points=60")
    assert answer["gaps"] == [{"begin": "2025-06-02T10:09:59+00:00", "end": "2025-06-02T10:20:00+00:00"}]
    assert [point["mean_w"] for point in answer["points"]] == [5] * 10 + [-5] * 40


def test_power_of_less_than_a_watt_has_its_sign_and_its_digits(store: Store) -> None:
    store.write([telegrams(AT_S, [-1, 0, 12345], scaler=-3)], [info()])
    text = Past(store).get(f"power?{HOUR}&points=60").text
    assert '"min_w":-0.001,"mean_w":4.114,"max_w":12.345' in text


def test_where_no_telegrams_are_kept_the_quarters_tell(store: Store) -> None:
    store.write(power(Q, [200, 210, 220, 230]), [info()])
    answer = Past(store).ask(f"power?{HOUR}")
    assert (answer["source"], answer["resolution_s"]) == ("quarters", 900)
    assert [point["mean_w"] for point in answer["points"]] == [200, 210, 220, 230]
    assert [point["begin"][11:16] for point in answer["points"]] == ["10:00", "10:15", "10:30", "10:45"]


def test_telegrams_that_are_thinned_already_leave_the_quarters(store: Store) -> None:
    store.write([*power(Q, [200, 210, 220, 230]), telegrams(AT_S + 1800, [5] * 1800)], [info()])
    past = Past(store)
    assert past.ask(f"power?{HOUR}")["source"] == "quarters"
    assert past.ask("power?from=2025-06-02T10:30:00Z&to=2025-06-02T11:00:00Z")["source"] == "telegrams"


@pytest.mark.parametrize(("points", "source"), [(95, "quarters"), (97, "telegrams")])
def test_where_quarters_are_fine_enough_they_tell(store: Store, points: int, source: str) -> None:
    store.write([*power(Q, [200]), telegrams(AT_S, [5] * 900)], [info()])
    answer = Past(store).ask(f"power?from=2025-06-02&points={points}")
    assert answer["source"] == source
    assert len(answer["points"]) <= points


def test_a_day_of_25_hours_is_told_by_telegrams_and_two_days_by_quarters(store: Store) -> None:
    first = quarter("2025-10-26T00:00:00+02:00")
    store.write([*power(first, [200] * 192), *(telegrams((first + n) * 900, [7] * 900) for n in range(192))], [info()])
    past = Past(store, tz=BERLIN)
    day = past.ask("power?from=2025-10-26")
    assert (day["source"], day["resolution_s"], len(day["points"]), day["gaps"]) == ("telegrams", 90, 1000, [])
    assert past.ask("power?from=2025-10-26&to=2025-10-27")["source"] == "quarters"


def test_a_gap_is_told_and_has_no_points(store: Store) -> None:
    store.write([telegrams(AT_S, [5] * 600), telegrams(AT_S + 1200, [5] * 2400)], [info()])
    answer = Past(store).ask(f"power?{HOUR}&points=60")
    assert answer["gaps"] == [{"begin": "2025-06-02T10:09:59+00:00", "end": "2025-06-02T10:20:00+00:00"}]
    assert len(answer["points"]) == 50
    assert "null" not in Past(store).get(f"power?{HOUR}").text


def test_there_is_no_gap_before_the_meter_or_in_the_future(store: Store) -> None:
    store.write(power(Q, [200]), [info()])
    past = Past(store)
    assert past.ask("power?from=2025-06-01&to=2025-06-02T10:15:00Z")["gaps"] == []
    assert past.ask("power?from=2999")["gaps"] == []
    assert past.ask("power?from=2024")["gaps"] == []
    assert past.ask("power?from=2025-06-03")["gaps"] == [
        {"begin": "2025-06-03T00:00:00+00:00", "end": "2025-06-04T00:00:00+00:00"}
    ]


def test_what_is_on_its_way_to_history_is_no_gap(store: Store) -> None:
    now_s = int(datetime.now(UTC).timestamp())
    store.write([telegrams(now_s - 660, [5] * 600)], [info(first=now_s // 900 - 1)])
    begin = datetime.fromtimestamp(now_s - 660, UTC).isoformat().replace("+00:00", "Z")
    answer = Past(store).ask(f"power?from={begin}")
    assert (len(answer["points"]), answer["gaps"]) == (600, [])


def test_damaged_telegrams_leave_the_quarters(store: Store) -> None:
    store.write([*power(Q, [200]), PointBlock(METER_ID, AT_S, AT_S + 899, 900, b"\1damaged")], [info()])
    assert Past(store).ask(f"power?{HOUR}")["source"] == "quarters"


def test_a_replaced_meters_power_belongs_to_its_successor(store: Store) -> None:
    old = info("1 ISK 00 70000001", Q)
    store.write(power(Q, [200, 210, 220], meter_id=old.meter_id), [old])
    store.write(power(Q + 2, [230, 240]), [info(first=Q + 2)])
    store.replace_meter(old.meter_id, METER_ID)
    answer = Past(store).ask(f"power?{HOUR}")
    assert [point["mean_w"] for point in answer["points"]] == [200, 210, 230, 240]


def test_a_year_is_summed_up(store: Store) -> None:
    first = quarter("2025-01-01T00:00:00Z")
    store.write(power(first, [200, 400] * 2000), [info(first=first)])
    answer = Past(store).ask("power?from=2025&points=364")
    assert (answer["resolution_s"], answer["points"][0]["mean_w"]) == (97 * 900, Decimal("298.969"))
    assert len(answer["points"]) == 42
    assert (answer["points"][0]["min_w"], answer["points"][0]["max_w"]) == (100, 500)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        (f"points={MAX_POINTS + 1}", "'points=5001' is not allowed; give a whole number from 1 to 5,000."),
        ("from=2024&to=2025", "The period is longer than 400 days; ask for a shorter one."),
        ("bucket=day", "'bucket' is not known here; known are from, to, points, tz."),
    ],
)
def test_misuse_is_refused_with_a_sentence(store: Store, query: str, sentence: str) -> None:
    store.write([], [info()])
    assert Past(store).refusal(f"power?{query}") == sentence
