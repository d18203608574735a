"""The answers of a central server, from a real database."""

import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fleet.batches import batch_of
from history.entries import METER, quarter_reading
from iskra_server.base.legal_note import LEGAL_NOTE
from iskra_server.fleet.central import answers
from iskra_server.fleet.central import queries as fleet
from iskra_server.fleet.central.label_periods import LabelPeriod
from iskra_server.fleet.central.reader_state import ReaderState
from iskra_server.fleet.central.tables import LastContact, write_batch
from iskra_server.history.store.store import Store
from samples import METER_ID
from web.serving import Site

# 2025-11-23 00:00 UTC
FIRST = 1_763_856_000 // 900


@pytest.fixture
def site(tmp_path: Path) -> Any:
    store = Store(f"sqlite:///{tmp_path}/iskra.sqlite")
    now_s = int(time.time())
    rows = [quarter_reading(FIRST + place, 1000 * place) for place in range(97)]
    heard = [LastContact(METER_ID, "cellar", now_s, 230_500)]
    states = [ReaderState("cellar", now_s, False, "Nothing listens there.", "[]")]
    write_batch(store, batch_of([*rows], [METER], heard, states))
    fleet.set_labels(store, {METER_ID: {"building": "7"}})
    yield Site(history=store)
    store.close()


def ask(site: Site, path: str) -> tuple[int, Any]:
    answer = site.get(path)
    return answer.status_code, answer.json()


def test_the_meters_of_a_central_server(site: Site) -> None:
    code, body = ask(site, "/api/v1/fleet/meters?group=building:7")
    (meter,) = body["meters"]
    assert (code, body["next"]) == (200, None)
    assert (meter["id"], meter["reader"], meter["silent"], meter["power_w"]) == (METER_ID, "cellar", False, 230.5)
    assert ask(site, "/api/v1/fleet/meters?group=building:8")[1]["meters"] == []


def test_pages_follow_each_other(site: Site) -> None:
    body = ask(site, "/api/v1/fleet/meters?limit=1&after=0-0")[1]
    assert len(body["meters"]) == 1
    assert ask(site, "/api/v1/fleet/groups?kind=building")[1]["groups"] == [{"value": "7", "meters": 1}]


def test_the_energy_of_a_group(site: Site) -> None:
    query = "group=building:7&from=2025-11-23&tz=UTC&bucket=hour"
    code, body = ask(site, f"/api/v1/fleet/energy?{query}")
    assert (code, len(body["buckets"])) == (200, 24)
    assert body["import_completeness"] == {"meters": 1, "complete": 1, "quarters": 96, "measured": 96, "estimated": 0}
    assert body["export_completeness"] == {"meters": 0, "complete": 0, "quarters": 0, "measured": 0, "estimated": 0}
    assert body["buckets"][0]["import_completeness"]["quarters"] == 4
    assert body["buckets"][0]["import_wh"] == 400.0
    assert "export_wh" not in body["buckets"][0]
    assert body["note"] == LEGAL_NOTE["en"]


def test_a_house_has_tenants_in_a_period_though_they_have_moved_out_since(site: Site, tmp_path: Path) -> None:
    with closing(Store(f"sqlite:///{tmp_path}/iskra.sqlite")) as store:
        fleet.set_labels(store, {METER_ID: {"tenant": [LabelPeriod("Meyer", to_quarter=FIRST + 96)]}})
    query = "from={}&tz=UTC"
    for date, has_tenants in (("2025-11-23", True), ("2025-11-24", False)):
        path = f"group=building:7&{query.format(date)}"
        assert ask(site, f"/api/v1/fleet/energy?{path}")[1]["has_tenants"] is has_tenants
        assert site.get(f"/api/v1/fleet/statements.zip?{path}").status_code == (200 if has_tenants else 400)
    assert "has_tenants" not in ask(site, f"/api/v1/fleet/energy?group=tenant:Meyer&{query.format('2025-11-23')}")[1]


def test_readers_have_their_status(site: Site) -> None:
    body = ask(site, "/api/v1/fleet/readers")[1]
    (reader,) = body["readers"]
    assert (body["conflicts"], body["next"], reader["meters"]) == (0, None, 1)
    assert "skew_s" not in reader
    assert (reader["name"], reader["ok"], reader["silent"], reader["sources"]) == ("cellar", False, False, [])


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("meters?after=x", "is not valid"),
        ("meters?after=%C2%B2-1", "is not valid"),
        ("meters?after=2147483648-1", "is not valid"),
        ("meters?after=1-2147483648", "is not valid"),
        (f"meters?after={'9' * 5000}-1", "is not valid"),
        ("meters?find=%00", "control character"),
        ("groups?kind=a%00", "control character"),
        ("meters?group=seven", "write it like building:7"),
        ("energy", "'group' is missing"),
        ("energy?group=a:b&bucket=moon", "allowed are 15min"),
        ("energy?group=a:b&from=2020&to=2026&bucket=15min", "has more than 3,000 buckets"),
        ("energy?group=a:b&from=1970&to=2999&bucket=15min", "has more than 3,000 buckets"),
        ("quarters.csv", "'group' is missing"),
        ("quarters.csv?group=a:b&from=soon", "soon"),
    ],
)
def test_invalid_parameters_are_one_sentence(site: Site, path: str, sentence: str) -> None:
    code, body = ask(site, f"/api/v1/fleet/{path}")
    assert (code, body["reason"]) == (400, "bad_request")
    assert sentence in body["detail"]


def test_energy_of_too_many_readings_is_refused_before_it_is_read(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MAX_READINGS", 24)
    query = "energy?group=building:7&from=2025-11-23&tz=UTC&bucket"
    refused = ask(site, f"/api/v1/fleet/{query}=hour")
    assert (refused[0], refused[1]["detail"]) == (
        400,
        "This needs 25 meter readings, and the maximum is 24; "
        "ask for a smaller group, a shorter period or longer buckets.",
    )
    assert ask(site, f"/api/v1/fleet/{query}=day")[0] == 200


def test_quarters_as_csv(site: Site) -> None:
    answer = site.get("/api/v1/fleet/quarters.csv?group=building:7&from=2025-11-23&tz=Europe/Berlin")
    lines = answer.text.splitlines()
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert lines[:2] == [
        "meter,register,time,value_wh,quality,epoch,note",
        "1 ISK 00 12345678,1-0:1.8.0*255,2025-11-23T01:00:00+01:00,0.0,measured,0," + LEGAL_NOTE["en"],
    ]
    # the counter begins an hour after the day in Berlin; the reading at its end belongs to it
    assert len(lines) == 1 + 92 + 1
    assert lines[-1] == "1 ISK 00 12345678,1-0:1.8.0*255,2025-11-24T00:00:00+01:00,9200.0,measured,0,"
