"""Hand-made counters of a household with a plant, 0.1 Wh at each quarter-hour."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import structs

from iskra_server.history.model.records import MeterInfo
from iskra_server.history.store.store import Store
from samples import EXPORT, METER_ID
from web.api.test_solar import PLANT, plant
from web.past import INFO, Q, counted, info
from web.serving import Site, status

HOUR = "from=2025-06-02T10:00:00Z&to=2025-06-02T11:00:00Z"
HALF_HOUR = "from=2025-06-02T10:30:00Z&to=2025-06-02T11:00:00Z"
Values = Sequence[int | None]
IMPORTED: Values = (0, 1000, 1000, 1000, 1500)
EXPORTED: Values = (0, 0, 4000, 9000, 9000)
PRODUCED: Values = (0, 500, 5000, 11000, 11250)


def ask(
    store: Store,
    imported: Values = IMPORTED,
    exported: Values = EXPORTED,
    produced: Values = PRODUCED,
    query: str = f"{HOUR}&bucket=15min",
    **changes: Any,
) -> dict[str, Any]:
    records = [*counted(imported), *counted(exported, obis=EXPORT), *counted(produced, obis=EXPORT, meter_id=PLANT)]
    store.write(records, [INFO, info(PLANT)])
    return ask_again(store, query, **changes)


def ask_again(store: Store, query: str, **changes: Any) -> dict[str, Any]:
    site = Site(history=store)
    site.statuses = [status(), plant(**changes)]
    answer = site.get(f"/api/v1/solar/energy?{query}")
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


def without_third(values: Values) -> Values:
    return (*values[:2], None, *values[3:])


def column(answer: dict[str, Any], name: str) -> list[Any]:
    return [bucket.get(name) for bucket in answer["buckets"]]


def test_each_quarter_has_its_flows_and_rates(store: Store) -> None:
    answer = ask(store)
    assert (answer["grid"], answer["has_export"]) == (METER_ID, True)
    assert column(answer, "production_wh") == [50, 450, 600, 25]
    assert column(answer, "self_consumption_wh") == [50, 50, 100, 25]
    assert column(answer, "consumption_wh") == [150, 50, 100, 75]
    assert column(answer, "self_consumption_rate") == [1, 0.1111, 0.1667, 1]
    assert column(answer, "self_sufficiency") == [0.3333, 1, 1, 0.3333]
    assert answer["total"] | {"begin": "", "end": ""} == {
        **{"begin": "", "end": "", "quarters": 4, "counted_quarters": 4},
        **{"production_wh": 1125, "import_wh": 150, "export_wh": 900, "self_consumption_wh": 225},
        **{"consumption_wh": 375, "self_consumption_rate": 0.2, "self_sufficiency": 0.6},
    }
    assert answer["production"] == [{"meter": PLANT, "counter": "export", "production_wh": 1125}]


def test_a_quarter_without_one_of_the_meters_is_absent_and_told(store: Store) -> None:
    answer = ask(store, produced=(0, 500, None, 11000, 11250))
    assert column(answer, "production_wh") == [50, None, None, 25]
    assert column(answer, "counted_quarters") == [1, 0, 0, 1]
    assert column(answer, "missing") == [None, [PLANT], [PLANT], None]
    total = answer["total"]
    assert (total["quarters"], total["counted_quarters"], total["missing"]) == (4, 2, [PLANT])
    assert (total["self_consumption_wh"], total["import_wh"]) == (75, 150)


def test_a_gap_of_both_meters_is_known_as_a_whole(store: Store) -> None:
    """The server was off: both counters went on."""
    answer = ask(store, without_third(IMPORTED), without_third(EXPORTED), without_third(PRODUCED))
    assert column(answer, "counted_quarters") == [1, 0, 0, 1]
    assert (answer["total"]["counted_quarters"], answer["total"]["self_consumption_wh"]) == (4, 225)
    hour = ask_again(store, f"{HOUR}&bucket=hour")
    assert column(hour, "self_consumption_wh") == [225] and column(hour, "missing") == [None]


def test_what_is_before_the_first_reading_of_a_meter_does_not_count(store: Store) -> None:
    answer = ask(store, produced=(None, None, 5000, 11000, 11250))
    assert column(answer, "production_wh") == [None, None, 600, 25]
    assert column(answer, "missing") == [[PLANT], [PLANT], None, None]
    year = ask_again(store, "from=2024&to=2025&bucket=year")
    assert column(year, "self_consumption_wh") == [None, 125]
    assert year["since"] == "2025-06-02T10:30:00+00:00" and "since" not in ask_again(store, f"{HALF_HOUR}&bucket=15min")
    assert year["buckets"][1]["missing"] == [METER_ID, PLANT] and year["total"]["production_wh"] == 625


def test_years_are_read_in_parts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one quarter here; a gap over the edge of a part is in the sum."""
    monkeypatch.setattr("iskra_server.web.api.solar_energy._QUARTERS_AT_ONCE", 1)
    answer = ask(store, without_third(IMPORTED), without_third(EXPORTED), without_third(PRODUCED))
    assert column(answer, "self_consumption_wh") == [50, None, None, 25]
    assert (answer["total"]["counted_quarters"], answer["total"]["self_consumption_wh"]) == (4, 225)


def test_without_export_at_the_grid_nobody_knows_what_was_used(store: Store) -> None:
    answer = ask(store, exported=())
    assert answer["has_export"] is False
    assert column(answer, "self_consumption_wh") == [None] * 4 and column(answer, "counted_quarters") == [0] * 4
    assert answer["total"]["missing"] == [METER_ID]
    assert answer["production"][0]["production_wh"] == 1125


def test_the_counter_that_moves_is_told_beside_the_one_that_is_configured(store: Store) -> None:
    store.write(counted((0, 2000, 3000, 3500, 4000), meter_id=PLANT), [info(PLANT)])
    answer = ask(store, produced=(0, 0, 0, 0, 0))
    assert answer["production"] == [{"meter": PLANT, "counter": "export", "production_wh": 0, "other_wh": 400}]
    turned = ask_again(store, f"{HOUR}&bucket=hour", production_counter="import")
    assert turned["production"] == [{"meter": PLANT, "counter": "import", "production_wh": 400, "other_wh": 0}]
    assert turned["buckets"][0]["production_wh"] == 400


def test_meters_that_were_not_read_since_the_start_are_known_by_their_ports(store: Store) -> None:
    old = structs.replace(info(PLANT), port="/dev/ttyUSB1")
    before = MeterInfo("1 ISK 00 20000009", "", False, Q * 900 - 900, Q * 900 - 900, port="/dev/ttyUSB1")
    grid = structs.replace(INFO, port="/dev/ttyUSB0")
    store.write(
        [
            *counted(IMPORTED),
            *counted(EXPORTED, obis=EXPORT),
            *counted(PRODUCED, obis=EXPORT, meter_id=PLANT),
        ],
        [grid, before, old],
    )
    site = Site(history=store)
    site.statuses = [status(meter_id=None), plant(None)]
    answer = site.get(f"/api/v1/solar/energy?{HOUR}").json()
    assert (answer["grid"], answer["production"][0]["meter"]) == (METER_ID, PLANT)
    assert answer["total"]["self_consumption_wh"] == 225
    site.statuses = [status(meter_id=None), plant(None, port="/dev/ttyUSB7")]
    unread = site.get(f"/api/v1/solar/energy?{HOUR}")
    assert (unread.status_code, unread.json()["reason"]) == (404, "no_reading")


def test_wrong_questions_are_refused(store: Store) -> None:
    site = Site(history=store)
    site.statuses = [status()]
    assert site.get("/api/v1/solar/energy").json()["reason"] == "no_production_meter"
    site.statuses = [status(), plant()]
    for query in ("x=1", "from=1970&to=2026&bucket=hour", "from=tomorrow"):
        assert site.get(f"/api/v1/solar/energy?{query}").status_code == 400
