"""Access to the routes of a central server, over a real database."""

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from fleet.batches import batch_of
from history.entries import METER, OTHER, quarter_reading
from iskra_server.base.secret import Secret
from iskra_server.fleet.central import answers, api
from iskra_server.fleet.central import queries as fleet
from iskra_server.fleet.central.reader_state import ReaderState
from iskra_server.fleet.central.tables import LastContact, write_batch
from iskra_server.history.store.store import Store
from iskra_server.web.app import ENDPOINTS
from iskra_server.web.http.pages import release
from iskra_server.web.http.settings import ScopedToken
from samples import METER_ID
from web.serving import Site, served, until

# 2025-11-23 00:00 UTC
FIRST = 1_763_856_000 // 900
TOKEN, MEYER = "0123456789abcdef", "meyer-0123456789abcdef"
OTHER_ID = OTHER.meter_id
# required parameters, so that a refusal is not due to a missing one
QUERY = {"group": "building:7", "from": "2025-11-23", "tz": "UTC", "kind": "building"}


@pytest.fixture
def tenants(tmp_path: Path) -> Any:
    """Meyer's meter and another tenant's in the same building."""
    store = Store(f"sqlite:///{tmp_path}/iskra.sqlite")
    now_s = int(time.time())
    rows = [
        quarter_reading(FIRST + place, k * place, meter=m)
        for k, m in ((1000, METER), (7, OTHER))
        for place in range(97)
    ]
    heard = [LastContact(METER_ID, "cellar", now_s, 230_500), LastContact(OTHER_ID, "cellar", now_s, 1_000)]
    write_batch(store, batch_of([*rows], [METER, OTHER], heard, [ReaderState("cellar", now_s, False, OTHER_ID, "[]")]))
    fleet.set_labels(
        store, {METER_ID: {"building": "7", "tenant": "Meyer"}, OTHER_ID: {"building": "7", "tenant": "Kim"}}
    )
    yield Site(history=store, token=TOKEN, scoped_tokens=(ScopedToken(Secret(MEYER), (("tenant", "Meyer"),)),))
    store.close()


def as_meyer(site: Site, path: str) -> Any:
    return site.get(path, authorization=f"Bearer {MEYER}")


def test_without_a_database_it_says_so() -> None:
    answer = Site().get("/api/v1/fleet/meters")
    assert (answer.status_code, answer.json()["reason"]) == (503, "no_history")


def test_a_tenants_token_reveals_no_other_tenant_on_any_route(tenants: Site) -> None:
    allowed = set()
    for endpoint in ENDPOINTS:
        path = endpoint.path.replace("{id}", OTHER_ID.replace(" ", ""))
        query = {item.name: QUERY[item.name] for item in endpoint.parameters if item.name in QUERY}
        answer = as_meyer(tenants, f"{path}?{urlencode(query)}")
        assert answer.status_code in (200, 403)
        assert OTHER_ID not in answer.text
        assert "Kim" not in answer.text
        if answer.status_code == 200:
            allowed.add(endpoint.path)
        else:
            assert answer.json()["reason"] == "forbidden_for_token"
    for_all = ("meters", "groups", "energy", "quarters.csv")
    assert allowed == {"/healthz", *(f"/api/v1/fleet/{name}" for name in for_all)}


def test_a_group_has_only_the_meters_that_the_token_gives_access_to(tenants: Site) -> None:
    meters = as_meyer(tenants, "/api/v1/fleet/meters?group=building:7").json()["meters"]
    assert [meter["id"] for meter in meters] == [METER_ID]
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


def test_every_token_opens_the_pages_and_the_main_token_sees_everything(tenants: Site) -> None:
    assert as_meyer(tenants, "/").status_code == 200
    assert as_meyer(tenants, f"/static/{release()}/js/main.js").status_code == 200
    cookie = as_meyer(tenants, "/login").headers["set-cookie"].partition(";")[0]
    assert tenants.get("/api/v1/fleet/readers", cookie=cookie).status_code == 403
    assert len(tenants.get("/api/v1/fleet/meters", cookie=cookie).json()["meters"]) == 1
    assert tenants.get(f"/docs?token={MEYER}").status_code == 303
    everything = tenants.get("/api/v1/fleet/meters", authorization=f"Bearer {TOKEN}").json()["meters"]
    assert {meter["id"] for meter in everything} == {METER_ID, OTHER_ID}
    assert tenants.get("/api/v1/fleet/meters").status_code == 401


def test_exports_count_before_the_first_query_and_failed_ones_do_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    may_answer = threading.Event()

    def csv_lines(*_: object) -> Iterator[str]:
        assert may_answer.wait(30)
        yield "row\n"

    monkeypatch.setattr(answers, "csv_lines", csv_lines)
    database: Any = object()
    csv = "/api/v1/fleet/quarters.csv"

    async def check() -> None:
        async with served(Site(history=database).app) as client:
            invalid = [(await client.get(f"{csv}?unknown=1")).status_code for _ in range(api.MAX_EXPORTS)]
            assert set(invalid) == {400}
            requests = [asyncio.create_task(client.get(csv)) for _ in range(api.MAX_EXPORTS_PER_CLIENT + 2)]
            await until(lambda: sum(request.done() for request in requests) == 2)
            may_answer.set()
            statuses = sorted(answer.status_code for answer in await asyncio.gather(*requests))
            assert statuses == [200] * api.MAX_EXPORTS_PER_CLIENT + [429] * 2
            assert (await client.get(csv)).text == "row\n"

    asyncio.run(check())
