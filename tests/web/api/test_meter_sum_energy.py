"""The energy of several meters together, over HTTP, from a real database."""

from datetime import UTC, datetime
from typing import Any

from iskra_server.history.store.store import Store
from samples import EXPORT, METER_ID
from web.past import INFO, Past, Q, counted, info
from web.serving import Site, arrived

OTHER = "1 ISK 00 12345679"
BOTH = "meters=1ISK0012345678,1ISK0012345679"
DAY = "from=2025-06-02T10:00:00Z&to=2025-06-02T10:45:00Z&bucket=15min"


def ask(store: Store, query: str, tz: str = "UTC") -> dict[str, Any]:
    answer = Past(store, tz).site.get(f"/api/v1/sum/energy?{query}")
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


def test_a_bucket_has_a_sum_where_every_meter_has_it(store: Store) -> None:
    records = counted([0, 1000, 2000, 3000]) + counted([100, 300, None, 900], meter_id=OTHER)
    store.write(records, [INFO, info(OTHER)])
    answer = ask(store, f"{BOTH}&{DAY}")
    buckets = answer["buckets"]
    assert isinstance(buckets, list)
    assert [bucket.get("import_wh") for bucket in buckets] == [120, None, None]
    assert [bucket.get("missing") for bucket in buckets] == [None, [OTHER], [OTHER]]
    # the gap of one meter is known as a whole
    assert answer["import_wh"] == 380 and "until" not in answer and "export_wh" not in answer
    assert answer["parts"] == [{"meter": METER_ID, "import_wh": 300}, {"meter": OTHER, "import_wh": 80}]


def test_without_a_reading_at_the_ends_the_period_has_no_sum(store: Store) -> None:
    store.write([*counted([0, 1000, 2000, 3000]), *counted([5, 9], first=Q + 1, meter_id=OTHER)], [INFO, info(OTHER)])
    answer = ask(store, f"{BOTH}&{DAY}")
    assert "import_wh" not in answer and [part.get("import_wh") for part in answer["parts"]] == [300, None]


def test_a_period_within_one_quarter_has_no_sum(store: Store) -> None:
    store.write([*counted([0, 10]), *counted([0, 10], meter_id=OTHER)], [INFO, info(OTHER)])
    answer = ask(store, f"{BOTH}&from=2025-06-02T10:03:00Z&to=2025-06-02T10:05:00Z")
    assert (answer["buckets"], answer.get("import_wh")) == ([], None)
    assert answer["parts"] == [{"meter": METER_ID}, {"meter": OTHER}]


def test_a_meter_that_is_read_and_not_recorded_yet_has_no_energy(store: Store) -> None:
    store.write(counted([0, 10, 20, 30]), [INFO])
    site = Site(arrived(), arrived(meter_id=OTHER), history=store)
    answer = site.get(f"/api/v1/sum/energy?{BOTH}&{DAY}")
    assert answer.status_code == 200, answer.text
    assert [bucket["missing"] for bucket in answer.json()["buckets"]] == [[OTHER]] * 3
    assert answer.json()["parts"] == [{"meter": METER_ID, "import_wh": 3}, {"meter": OTHER}]


def test_it_is_simulated_where_one_of_the_meters_is(store: Store) -> None:
    # history never has both kinds
    infos = [info(METER_ID, simulated=True), info(OTHER, simulated=True)]
    store.write([*counted([0, 10]), *counted([0, 10], meter_id=OTHER)], infos)
    assert ask(store, f"{BOTH}&{DAY}")["simulated"] is True
    site = Site(arrived(), arrived(meter_id=OTHER, simulated=True))
    assert site.get(f"/api/v1/sum?{BOTH}").json()["simulated"] is True
    assert Site(arrived(), arrived(meter_id=OTHER)).get(f"/api/v1/sum?{BOTH}").json()["simulated"] is False


def test_export_is_that_of_the_meters_that_count_it(store: Store) -> None:
    records = [*counted([0, 10, 20, 30]), *counted([0, 10, 20, 30], meter_id=OTHER)]
    store.write([*records, *counted([0, 5, 6, 7], obis=EXPORT, meter_id=OTHER)], [INFO, info(OTHER)])
    answer = ask(store, f"{BOTH}&{DAY}")
    assert (answer["export_meters"], answer["export_wh"], answer["import_wh"]) == ([OTHER], 0.7, 6)


def ask_of_a_running_day(store: Store, now: int) -> dict[str, Any]:
    """Eight quarters before `now` to four after it, in one bucket: in a time zone where midnight is hours away."""
    begin, end = (datetime.fromtimestamp(quarter * 900, UTC) for quarter in (now - 8, now + 4))
    period = f"from={begin:%Y-%m-%dT%H:%M:%SZ}&to={end:%Y-%m-%dT%H:%M:%SZ}&bucket=day"
    return ask(store, f"{BOTH}&{period}", "UTC" if 3 <= begin.hour <= 18 else "Etc/GMT+8")


def test_what_is_running_counts_until_the_newest_quarter_of_all(store: Store) -> None:
    now = int(datetime.now(UTC).timestamp()) // 900
    counts = range(0, 90, 10)
    store.write(
        [*counted(counts, first=now - 8), *counted(counts[:-2], first=now - 8, meter_id=OTHER)], [INFO, info(OTHER)]
    )
    answer = ask_of_a_running_day(store, now)
    assert datetime.fromisoformat(answer["until"]) == datetime.fromtimestamp((now - 2) * 900, UTC)
    assert (answer["import_wh"], [bucket["import_wh"] for bucket in answer["buckets"]]) == (12, [12])


def test_a_silent_meter_alone_is_missing_in_what_is_running(store: Store) -> None:
    now = int(datetime.now(UTC).timestamp()) // 900
    store.write(
        [*counted(range(9), first=now - 8), *counted([0, 1], first=now - 12, meter_id=OTHER)], [INFO, info(OTHER)]
    )
    answer = ask_of_a_running_day(store, now)
    assert [bucket["missing"] for bucket in answer["buckets"]] == [[OTHER]] and "import_wh" not in answer


def test_a_meter_and_the_one_that_it_replaced_are_not_added(store: Store) -> None:
    store.write([*counted([0, 10]), *counted([0, 10], first=Q + 2, meter_id=OTHER)], [INFO, info(OTHER)])
    store.replace_meter(METER_ID, OTHER)
    answer = Past(store).site.get(f"/api/v1/sum/energy?{BOTH}&{DAY}")
    assert answer.status_code == 400 and "would count twice" in answer.json()["detail"]


def test_it_takes_two_to_twenty_meters(store: Store) -> None:
    names = ",".join(f"m{number}" for number in range(21))
    assert "name 2 to 20" in Past(store).site.get(f"/api/v1/sum/energy?meters={names}").json()["detail"]
    store.write([*counted([0, 10]), *counted([0, 10], meter_id=OTHER)], [INFO, info(OTHER)])
    answer = Past(store).site.get(f"/api/v1/sum/energy?{BOTH}&from=2024&bucket=15min")
    assert answer.status_code == 400 and "more than 3,000 buckets" in answer.json()["detail"]
