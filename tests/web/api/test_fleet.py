"""Who may ask the routes of a centre for what, over a real database."""

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from history.entries import METER, OTHER, quarter_reading
from iskra_server.base.secret import Secret
from iskra_server.fleet.central import queries as fleet
from iskra_server.fleet.central.tables import IngestBatch, LastContact, ReaderState, write_batch
from iskra_server.history.store.store import Store
from iskra_server.web.api import fleet as routes
from iskra_server.web.api.openapi import OPERATIONS
from iskra_server.web.http.pages import release
from iskra_server.web.http.settings import Scope
from samples import METER_ID
from web.serving import Site, served, until

# 2025-11-23 00:00 UTC
FIRST = 1_763_856_000 // 900
TOKEN, MEYER = "0123456789abcdef", "meyer-0123456789abcdef"
OTHER_ID = OTHER.meter_id
# what a query needs to be answered at all, so that it is not the question that is refused
QUESTIONS = {"group": "building:7", "from": "2025-11-23", "tz": "UTC", "kind": "building"}


@pytest.fixture
def tenants(tmp_path: Path) -> Any:
    """Meyer's meter, and another one in the same building."""
    store = Store(f"sqlite:///{tmp_path}/iskra.sqlite")
    now_s = int(time.time())
    rows = [
        quarter_reading(FIRST + place, k * place, meter=m)
        for k, m in ((1000, METER), (7, OTHER))
        for place in range(97)
    ]
    heard = [LastContact(METER_ID, "cellar", now_s, 230_500), LastContact(OTHER_ID, "cellar", now_s, 1_000)]
    write_batch(
        store, IngestBatch([*rows], [METER, OTHER], heard, [ReaderState("cellar", now_s, False, OTHER_ID, "[]")])
    )
    fleet.set_labels(
        store, {METER_ID: {"building": "7", "tenant": "Meyer"}, OTHER_ID: {"building": "7", "tenant": "Kim"}}
    )
    yield Site(history=store, token=TOKEN, scopes=(Scope(Secret(MEYER), (("tenant", "Meyer"),)),))
    store.close()


def as_meyer(site: Site, path: str) -> Any:
    return site.get(path, authorization=f"Bearer {MEYER}")


def test_without_a_database_it_says_so() -> None:
    answer = Site().get("/api/v1/fleet/meters")
    assert (answer.status_code, answer.json()["reason"]) == (503, "no_history")


def test_a_tenants_token_shows_nothing_of_another_tenant_on_any_route(tenants: Site) -> None:
    allowed = set()
    for operation in OPERATIONS:
        path = operation.path.replace("{id}", OTHER_ID.replace(" ", ""))
        asked = {each.name: QUESTIONS[each.name] for each in operation.parameters if each.name in QUESTIONS}
        answer = as_meyer(tenants, f"{path}?{urlencode(asked)}")
        assert answer.status_code in (200, 403)
        assert OTHER_ID not in answer.text
        assert "Kim" not in answer.text
        if answer.status_code == 200:
            allowed.add(operation.path)
        else:
            assert answer.json()["reason"] == "not_for_this_token"
    for_all = ("meters", "groups", "energy", "quarters.csv")
    assert allowed == {"/healthz", *(f"/api/v1/fleet/{name}" for name in for_all)}


def test_a_group_is_what_of_it_the_token_may_see(tenants: Site) -> None:
    meters = as_meyer(tenants, "/api/v1/fleet/meters?group=building:7").json()["meters"]
    assert [each["id"] for each in meters] == [METER_ID]
    assert as_meyer(tenants, "/api/v1/fleet/meters?group=tenant:Kim").json()["meters"] == []
    assert as_meyer(tenants, "/api/v1/fleet/groups?kind=building").json()["groups"] == [{"value": "7", "meters": 1}]
    assert as_meyer(tenants, "/api/v1/fleet/groups?kind=tenant").json()["groups"] == [{"value": "Meyer", "meters": 1}]
    query = "from=2025-11-23&tz=UTC&bucket=day"
    energy = as_meyer(tenants, f"/api/v1/fleet/energy?group=building:7&{query}").json()
    assert (energy["import_meters"], energy["buckets"][0]["import_wh"]) == (1, 9600.0)
    assert as_meyer(tenants, f"/api/v1/fleet/energy?group=tenant:Kim&{query}").json()["import_meters"] == 0
    rows = as_meyer(tenants, "/api/v1/fleet/quarters.csv?group=building:7&from=2025-11-23&tz=UTC").text.splitlines()[1:]
    assert len(rows) == 96
    assert {row.partition(",")[0] for row in rows} == {METER_ID}


def test_the_pages_are_for_every_token_and_whoever_sees_all_sees_all(tenants: Site) -> None:
    assert as_meyer(tenants, "/").status_code == 200
    assert as_meyer(tenants, f"/static/{release()}/js/main.js").status_code == 200
    cookie = as_meyer(tenants, "/login").headers["set-cookie"].partition(";")[0]
    assert tenants.get("/api/v1/fleet/readers", cookie=cookie).status_code == 403
    assert len(tenants.get("/api/v1/fleet/meters", cookie=cookie).json()["meters"]) == 1
    assert tenants.get(f"/docs?token={MEYER}").status_code == 303
    everything = tenants.get("/api/v1/fleet/meters", authorization=f"Bearer {TOKEN}").json()["meters"]
    assert {each["id"] for each in everything} == {METER_ID, OTHER_ID}
    assert tenants.get("/api/v1/fleet/meters").status_code == 401


def test_exports_count_before_the_database_has_answered_and_those_without_an_answer_leave_their_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    may_answer = threading.Event()

    def rows_of(*_: object) -> Iterator[str]:
        assert may_answer.wait(30)
        yield "row\n"

    monkeypatch.setattr(routes, "rows_of", rows_of)
    database: Any = object()
    csv = "/api/v1/fleet/quarters.csv"

    async def check() -> None:
        async with served(Site(history=database).app) as client:
            misuse = [(await client.get(f"{csv}?unknown=1")).status_code for _ in range(routes.MAX_EXPORTS)]
            assert set(misuse) == {400}
            asked = [asyncio.create_task(client.get(csv)) for _ in range(routes.MAX_EXPORTS_EACH + 2)]
            await until(lambda: sum(each.done() for each in asked) == 2)
            may_answer.set()
            statuses = sorted(answer.status_code for answer in await asyncio.gather(*asked))
            assert statuses == [200] * routes.MAX_EXPORTS_EACH + [429] * 2
            assert (await client.get(csv)).text == "row\n"

    asyncio.run(check())
