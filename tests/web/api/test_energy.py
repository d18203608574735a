from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from iskra_server.history.model.records import Exact, QuarterReading
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import Obis
from iskra_server.simulator.household import TENTH_WH, Household
from iskra_server.web.api.energy import MAX_BUCKETS
from iskra_server.web.http.query import BUCKET_LENGTHS
from running import wait_over_midnight
from samples import EXPORT, IMPORT, METER_ID
from web.past import BERLIN, Past, Q, anew, counted, info, quarter

HOUR = "from=2025-06-02T10:00:00Z&to=2025-06-02T11:00:00Z"


def numbers(answer: dict[str, Any], name: str = "import_wh") -> list[Decimal | None]:
    return [bucket.get(name) for bucket in answer["buckets"]]


def qualities(answer: dict[str, Any]) -> list[str]:
    return [bucket["import_quality"] for bucket in answer["buckets"]]


def test_the_answer_says_since_when_the_meter_is_recorded(store: Store) -> None:
    store.write(counted([107323090]), [info()])
    assert Past(store, BERLIN).ask("energy?from=today")["recorded_since"] == "2025-06-02T12:00:00+02:00"


def test_quarters_of_an_hour_are_exact_and_have_the_readings_at_both_ends(store: Store) -> None:
    store.write(counted([107323090, 107324444, 107324445, 107324445, 107330000]), [info()])
    answer = Past(store).ask(f"energy?{HOUR}&bucket=15min")
    assert {key: answer[key] for key in ("meter", "simulated", "unit", "tz", "bucket", "begin", "end")} == {
        "meter": METER_ID,
        "simulated": False,
        "unit": "Wh",
        "tz": "UTC",
        "bucket": "15min",
        "begin": "2025-06-02T10:00:00+00:00",
        "end": "2025-06-02T11:00:00+00:00",
    }
    assert answer["buckets"][0] == {
        "begin": "2025-06-02T10:00:00+00:00",
        "end": "2025-06-02T10:15:00+00:00",
        "import_wh": Decimal("135.4"),
        "import_quality": "measured",
    }
    assert numbers(answer) == [Decimal(text) for text in ("135.4", "0.1", "0.0", "555.5")]
    counter = answer["import"]
    assert (counter["name"], counter["obis"], counter["total_wh"]) == ("energy_import", str(IMPORT), Decimal("691.0"))
    assert [counter[end]["register_wh"] for end in ("first", "last")] == [Decimal("10732309.0"), Decimal("10733000.0")]
    assert (counter["gaps"], counter["epochs"]) == ([], [])


def test_numbers_are_printed_with_the_digits_of_the_meter(store: Store) -> None:
    store.write(counted([107323090, 107323100]), [info()])
    text = Past(store).get(f"energy?{HOUR}&bucket=hour").text
    assert '"total_wh":1.0,' in text and '"register_wh":10732309.0,' in text


def test_exported_energy_is_beside_imported_energy(store: Store) -> None:
    store.write(counted([0, 10, 20, 30, 40]) + counted([5, 5, 7, 7, 7], obis=EXPORT), [info()])
    answer = Past(store).ask(f"energy?{HOUR}&bucket=15min")
    assert numbers(answer, "export_wh") == [Decimal("0.0"), Decimal("0.2"), Decimal("0.0"), Decimal("0.0")]
    assert {bucket["export_quality"] for bucket in answer["buckets"]} == {"measured"}
    assert (answer["export"]["name"], answer["export"]["total_wh"]) == ("energy_export", Decimal("0.2"))


def test_a_meter_without_an_export_register_has_no_export(store: Store) -> None:
    store.write(counted([0, 10]), [info()])
    assert "export" not in Past(store).get(f"energy?{HOUR}").text


def test_simulated_energy_says_so(store: Store) -> None:
    store.write(counted([0, 10]), [info(simulated=True)])
    assert Past(store).ask("energy")["simulated"] is True


def test_interpolated_readings_have_their_quality(store: Store) -> None:
    between = counted([10], first=Q + 1, quality="interpolated")
    store.write([*counted([0, None, 20, 30, 40]), *between], [info()])
    answer = Past(store).ask(f"energy?{HOUR}&bucket=15min")
    assert qualities(answer) == ["interpolated", "interpolated", "measured", "measured"]
    assert Past(store).ask("registers?at=2025-06-02T10:29:59Z")["values"][0]["quality"] == "interpolated"


def test_a_gap_has_a_sum_and_no_number_in_its_buckets(store: Store) -> None:
    store.write(counted([0, 10, None, None, 100]), [info()])
    answer = Past(store).ask(f"energy?{HOUR}&bucket=15min")
    assert numbers(answer) == [Decimal("1.0"), None, None, None]
    assert qualities(answer) == ["measured", "absent", "absent", "absent"]
    assert answer["import"]["gaps"] == [
        {"begin": "2025-06-02T10:15:00+00:00", "end": "2025-06-02T11:00:00+00:00", "energy_wh": Decimal("9.0")}
    ]
    assert answer["import"]["total_wh"] == 10
    assert "null" not in Past(store).get(f"energy?{HOUR}&bucket=15min").text


def test_a_restarted_counter_begins_an_epoch_and_the_total_continues(store: Store) -> None:
    old, new = counted([1000, 1010, 1020]), counted([3, 8], first=Q + 3, epoch=1)
    store.write([*old, *new, anew(Q * 900 + 2000, before=1025, after=1)], [info()])
    counter = Past(store).ask(f"energy?{HOUR}&bucket=15min")["import"]
    assert counter["epochs"] == [
        {"epoch": 1, "at": "2025-06-02T10:33:20+00:00", "before_wh": Decimal("102.5"), "after_wh": Decimal("0.1")}
    ]
    assert (counter["first"]["epoch"], counter["last"]["epoch"]) == (0, 1)
    assert (counter["last"]["register_wh"], counter["last"]["continuous_wh"]) == (Decimal("0.8"), Decimal("103.2"))
    assert counter["total_wh"] == counter["last"]["continuous_wh"] - counter["first"]["continuous_wh"]


def test_an_epoch_without_a_previous_reading_has_no_before_wh(store: Store) -> None:
    store.write([*counted([3, 8], epoch=1), anew(Q * 900, before=None, after=1)], [info()])
    (change,) = Past(store).ask(f"energy?{HOUR}")["import"]["epochs"]
    assert "before_wh" not in change


def test_today_has_the_energy_measured_so_far(store: Store) -> None:
    wait_over_midnight()
    now = datetime.now(UTC)
    midnight = quarter(now.replace(hour=0, minute=0, second=0, microsecond=0).isoformat())
    passed = quarter(now.isoformat()) - midnight
    store.write(counted(range(0, 10 * passed + 1, 10), first=midnight), [info(first=midnight)])
    answer = Past(store).ask("energy?from=today&bucket=day")
    assert answer["import"].get("total_wh") == (passed or None)
    assert numbers(answer) == [passed or None]
    by_quarter = Past(store).ask("energy")
    assert len(by_quarter["buckets"]) == 96
    assert numbers(by_quarter)[:passed] == [1] * passed
    assert set(qualities(by_quarter)[passed + 1 :]) <= {"absent"}


def test_a_period_without_readings_has_no_numbers(store: Store) -> None:
    store.write(counted([0, 10]), [info()])
    answer = Past(store).ask("energy?from=2024")
    assert set(qualities(answer)) == {"absent"}
    assert {"total_wh", "first", "last"} & answer["import"].keys() == set()


def household(first: int, count: int) -> list[QuarterReading]:
    """Counters of the simulated household at consecutive quarters."""
    home = Household(5, 4000, first * 900)
    states = [(first + place, home.at((first + place) * 900)) for place in range(count)]
    return [
        QuarterReading(METER_ID, obis, at, Exact(amount // TENTH_WH, -1), "measured")
        for at, state in states
        for obis, amount in ((IMPORT, state.import_mws), (EXPORT, state.export_mws))
    ]


@pytest.mark.parametrize(
    ("day", "begins", "ends", "quarters"),
    [
        ("2026-03-29", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", 92),
        ("2026-10-25", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", 100),
        ("2026-10-24", "2026-10-24T00:00:00+02:00", "2026-10-25T00:00:00+02:00", 96),
    ],
)
def test_days_when_the_clocks_change_have_92_or_100_quarters(
    store: Store, day: str, begins: str, ends: str, quarters: int
) -> None:
    first = quarter(begins)
    store.write(household(first, quarters + 1), [info(first=first)])
    past = Past(store, tz=BERLIN)
    by_day = past.ask(f"energy?from={day}&bucket=day")
    assert [(bucket["begin"], bucket["end"]) for bucket in by_day["buckets"]] == [(begins, ends)]
    for length, bars in (("15min", quarters), ("hour", quarters // 4)):
        answer = past.ask(f"energy?from={day}&bucket={length}")
        assert len(answer["buckets"]) == bars
        assert [one["end"] for one in answer["buckets"][:-1]] == [one["begin"] for one in answer["buckets"][1:]]
        for name in ("import", "export"):
            energies = numbers(answer, f"{name}_wh")
            total = by_day[name]["total_wh"]
            assert sum(energy for energy in energies if energy is not None) == answer[name]["total_wh"] == total > 0
            assert total == by_day[name]["last"]["register_wh"] - by_day[name]["first"]["register_wh"]


def test_the_tz_parameter_takes_precedence_over_the_servers_time_zone(store: Store) -> None:
    store.write(counted([0]), [info()])
    past = Past(store, tz=BERLIN)
    assert past.ask("energy?from=2025-06-02")["begin"] == "2025-06-02T00:00:00+02:00"
    assert past.ask("energy?from=2025-06-02&tz=America/New_York")["begin"] == "2025-06-02T00:00:00-04:00"
    # India's clocks are half an hour off, Nepal's three quarters
    assert past.ask("energy?from=2025-06-02&tz=Asia/Kathmandu&bucket=day")["end"] == "2025-06-03T00:00:00+05:45"


@pytest.mark.parametrize(
    ("period", "length", "bars"),
    [
        ("from=2025-06-02", "15min", 96),
        ("from=2025-10-26&to=2025-10-27", "15min", 196),
        ("from=2025-06-02&to=2025-06-04", "hour", 72),
        ("from=2025-10-20&to=2025-11-02", "hour", 337),
        ("from=2025-06", "day", 30),
        ("from=2025-07&to=2025-09", "day", 92),
        ("from=2025", "month", 12),
        ("from=2021&to=2025", "month", 60),
        ("from=2016&to=2025", "year", 10),
    ],
)
def test_the_default_bucket_length_suits_the_period(store: Store, period: str, length: str, bars: int) -> None:
    store.write(counted([0]), [info()])
    answer = Past(store, tz=BERLIN).ask(f"energy?{period}")
    assert (answer["bucket"], len(answer["buckets"])) == (length, bars)


@pytest.mark.parametrize("length", BUCKET_LENGTHS)
def test_buckets_of_any_length_have_no_gaps_between_them(store: Store, length: str) -> None:
    store.write(counted([0]), [info()])
    buckets = Past(store, tz=BERLIN).ask(f"energy?from=2025-05-17&to=2025-06-14&bucket={length}")["buckets"]
    assert all(one["end"] == next_one["begin"] for one, next_one in pairwise(buckets))
    ends = (buckets[0]["begin"], buckets[-1]["end"])
    assert ends == ("2025-05-17T00:00:00+02:00", "2025-06-15T00:00:00+02:00")


def test_the_error_for_an_unknown_bucket_length_lists_the_allowed_ones(store: Store) -> None:
    store.write([], [info()])
    sentence = Past(store).refusal("energy?bucket=decade")
    assert sentence == "'bucket=decade' is not allowed; allowed are 15min, hour, day, week, month, year."


@pytest.mark.parametrize("period", ["from=1970&to=2999", "from=2025-01-01T00:00:00Z&to=2025-04-15T04:15:00Z"])
def test_more_buckets_than_are_allowed_are_refused(store: Store, period: str) -> None:
    store.write([], [info()])
    assert Past(store).refusal(f"energy?{period}&bucket=15min") == (
        "The period has more than 10,000 buckets of the length '15min'; ask for a shorter period or longer buckets."
    )


def test_the_maximum_number_of_buckets_is_allowed(store: Store) -> None:
    store.write(counted(range(0, 20_000, 2), first=quarter("2025-01-01T00:00:00Z")), [info()])
    answer = Past(store).ask("energy?from=2025-01-01T00:00:00Z&to=2025-04-15T04:00:00Z&bucket=15min")
    assert len(answer["buckets"]) == MAX_BUCKETS
    assert sum(energy or 0 for energy in numbers(answer)) == answer["import"]["total_wh"] == Decimal("1999.8")


def test_a_period_within_a_quarter_has_no_bucket(store: Store) -> None:
    store.write(counted([0, 10]), [info()])
    answer = Past(store).ask("energy?from=2025-06-02T10:01:00Z&to=2025-06-02T10:02:00Z")
    assert (answer["buckets"], "total_wh" in answer["import"]) == ([], False)


def test_tariffs_do_not_count_twice(store: Store) -> None:
    store.write(counted([0, 10]) + counted([0, 7], obis=Obis.parse("1.8.1")), [info()])
    assert Past(store).ask(f"energy?{HOUR}")["import"]["total_wh"] == 1


def test_the_replaced_meters_energy_belongs_to_its_successor(store: Store) -> None:
    old = info("1 ISK 00 70000001", Q)
    store.write(counted([1000, 1010, 1020], meter_id=old.meter_id), [old])
    store.write(counted([3, 8], first=Q + 3), [info(first=Q + 3)])
    store.replace_meter(old.meter_id, METER_ID)
    counter = Past(store).ask(f"energy?{HOUR}&bucket=15min")["import"]
    assert (counter["total_wh"], counter["last"]["continuous_wh"]) == (Decimal("2.5"), Decimal("102.5"))
    assert [change["at"] for change in counter["epochs"]] == ["2025-06-02T10:45:00+00:00"]
    assert Past(store).ask(f"energy?{HOUR}", old.meter_id.replace(" ", ""))["import"]["total_wh"] == 2
