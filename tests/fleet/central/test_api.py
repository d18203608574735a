"""Access to the routes of a central server, over a real database."""

import asyncio
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zipfile import ZipFile

import pytest
from msgspec.structs import replace

from fleet.batches import batch_of
from history.entries import METER, OTHER, quarter_reading
from iskra_server.base.secret import Secret
from iskra_server.fleet.central import answers, api
from iskra_server.fleet.central import queries as fleet
from iskra_server.fleet.central.label_periods import LabelPeriod
from iskra_server.fleet.central.reader_state import ReaderState
from iskra_server.fleet.central.tables import LastContact, write_batch
from iskra_server.history.store.store import Store
from iskra_server.web.app import all_endpoints
from iskra_server.web.http.pages import release
from iskra_server.web.http.settings import ScopedToken
from samples import METER_ID
from web.serving import Site, served, until

# 2025-11-23 00:00 UTC
FIRST = 1_763_856_000 // 900
TOKEN, MEYER = "0123456789abcdef", "meyer-0123456789abcdef"
KIM = "kim-0123456789abcdef"
OTHER_ID = OTHER.meter_id
# 12:00 of the day
MOVE = FIRST + 48
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


def text_of(answer: Any) -> str:
    """Of an archive its names and texts."""
    if answer.headers["content-type"] != "application/zip":
        return str(answer.text)
    with ZipFile(BytesIO(answer.content)) as files:
        return "".join(name + files.read(name).decode() for name in files.namelist())


def as_meyer(site: Site, path: str) -> Any:
    return site.get(path, authorization=f"Bearer {MEYER}")


def test_without_a_database_it_says_so() -> None:
    answer = Site().get("/api/v1/fleet/meters")
    assert (answer.status_code, answer.json()["reason"]) == (503, "no_history")


def test_other_methods_and_unknown_addresses_are_refused() -> None:
    for path in ("/api/v1/fleet/nothing", "/api/v1/fleet/", "/api/v1/fleet/meters/"):
        assert [Site().get(path, method=method).status_code for method in ("GET", "POST")] == [404, 404]
    answer = Site().get("/api/v1/fleet/meters", method="POST")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"].split(", ")


def test_a_tenants_token_reveals_no_other_tenant_on_any_route(tenants: Site) -> None:
    allowed = set()
    for endpoint in all_endpoints():
        path = endpoint.path.replace("{id}", OTHER_ID.replace(" ", ""))
        query = {item.name: QUERY[item.name] for item in endpoint.parameters if item.name in QUERY}
        answer = as_meyer(tenants, f"{path}?{urlencode(query)}")
        assert answer.status_code in (200, 403)
        text = text_of(answer)
        assert OTHER_ID not in text
        assert "Kim" not in text
        if answer.status_code == 200:
            allowed.add(endpoint.path)
        else:
            assert answer.json()["reason"] == "forbidden_for_token"
    for_all = ("meters", "groups", "energy", "quarters.csv", "statement", "statements.zip")
    assert allowed == {"/healthz", *(f"/api/v1/fleet/{name}" for name in for_all)}


def test_a_group_has_only_the_meters_that_the_token_gives_access_to(tenants: Site) -> None:
    meters = as_meyer(tenants, "/api/v1/fleet/meters?group=building:7").json()["meters"]
    assert [meter["id"] for meter in meters] == [METER_ID]
    assert as_meyer(tenants, "/api/v1/fleet/meters?group=tenant:Kim").json()["meters"] == []
    assert as_meyer(tenants, "/api/v1/fleet/groups?kind=building").json()["groups"] == [{"value": "7", "meters": 1}]
    assert as_meyer(tenants, "/api/v1/fleet/groups?kind=tenant").json()["groups"] == [{"value": "Meyer", "meters": 1}]
    query = "from=2025-11-23&tz=UTC&bucket=day"
    energy = as_meyer(tenants, f"/api/v1/fleet/energy?group=building:7&{query}").json()
    assert (energy["import_completeness"]["meters"], energy["buckets"][0]["import_wh"]) == (1, 9600.0)
    kim = as_meyer(tenants, f"/api/v1/fleet/energy?group=tenant:Kim&{query}").json()
    assert kim["import_completeness"]["meters"] == 0
    rows = as_meyer(tenants, "/api/v1/fleet/quarters.csv?group=building:7&from=2025-11-23&tz=UTC").text.splitlines()[1:]
    assert len(rows) == 97
    assert {row.partition(",")[0] for row in rows} == {METER_ID}


@pytest.fixture
def moved(tmp_path: Path) -> Any:
    """Meyer lived in the flat until 12:00 of the day, then Kim; the meter was replaced at 18:00."""
    store = Store(f"sqlite:///{tmp_path}/iskra.sqlite")
    now_s = int(time.time())
    rows = [quarter_reading(FIRST + place, 1000 * place) for place in range(72)]
    rows += [quarter_reading(FIRST + place, 7 * place, meter=OTHER) for place in range(72, 193)]
    heard = [LastContact(METER_ID, "cellar", now_s, 230_500), LastContact(OTHER_ID, "cellar", now_s, 1_000)]
    infos = [replace(METER, first_s=FIRST * 900), replace(OTHER, first_s=(FIRST + 72) * 900)]
    write_batch(store, batch_of([*rows], infos, heard))
    periods = [LabelPeriod("Meyer", 0, MOVE), LabelPeriod("Kim", MOVE)]
    fleet.set_labels(store, {METER_ID: {"building": "7", "tenant": periods}, OTHER_ID: {"building": "7"}})
    store.replace_meter(METER_ID, OTHER_ID)
    tokens = tuple(ScopedToken(Secret(token), (("tenant", name),)) for name, token in (("Meyer", MEYER), ("Kim", KIM)))
    yield Site(history=store, token=TOKEN, scoped_tokens=tokens)
    store.close()


def fleet_requests(every: bool) -> Iterator[str]:
    """The routes under fleet with their parameters, as someone would try who wants to see more."""
    groups = ["building:7", "tenant:Meyer", "tenant:Kim"]
    periods = ["from=2025-11-22&to=2025-11-24", "from=2025-11-23T11:45:00Z&to=2025-11-23T12:15:00Z"]
    zones, buckets = ["UTC"], ["15min", "day", "year"]
    if every:
        groups += ["tenant:", "tenant:%", "tenant: Kim", "building:7&group=tenant:Kim", "building:7%00"]
        periods += ["from=2025-11-23", "from=2025", "from=2020&to=today", "from=2025-11-23T11:45:00Z"]
        zones += ["Pacific/Kiritimati", "Pacific/Niue", "Asia/Kathmandu"]
        buckets += ["hour", "week", "month"]
    for group in groups:
        yield f"meters?group={group}"
        for period in periods:
            for zone in zones:
                yield f"quarters.csv?group={group}&{period}&tz={zone}"
                for bucket in buckets:
                    yield f"energy?group={group}&{period}&tz={zone}&bucket={bucket}"
        for kind in ("html", "csv"):
            yield f"statement?group={group}&from=2025-11-22&to=2025-11-24&format={kind}"
        for kind in ("tenant", "building", "tariff"):
            yield f"statements.zip?group={group}&from=2025-11-22&to=2025-11-24&each={kind}"
    for kind in ("building", "tenant", "tariff", "meter", ""):
        yield f"groups?kind={kind}"
        yield f"groups?kind={kind}&after=A&limit=1000"
    yield from (
        "meters",
        "meters?find=1",
        "meters?after=0-0",
        "meters?limit=1000&find=ISK",
        "meters?at=2025",
        "readers",
    )


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("token", "first", "last"), [(MEYER, 0, MOVE), (KIM, MOVE, 2**31)])
def test_a_tenant_sees_his_own_time_only_whatever_he_asks(
    moved: Site, token: str, first: int, last: int, every: bool
) -> None:
    own, other = ("Meyer", "Kim") if token == MEYER else ("Kim", "Meyer")
    answered = 0
    for path in fleet_requests(every):
        answer = moved.get(f"/api/v1/fleet/{path}", authorization=f"Bearer {token}")
        if answer.status_code != 200:
            assert answer.status_code in (400, 403), path
            assert every or not path.startswith("statement?"), answer.text
            continue
        answered += 1
        # but for the name that he asked for himself
        assert other not in text_of(answer) or f"tenant:{other}" in path or f"tenant: {other}" in path, path
        if path.startswith("quarters"):
            times = [datetime.fromisoformat(line.split(",")[2]) for line in answer.text.splitlines()[1:]]
            assert all(first <= time.timestamp() // 900 <= last for time in times), path
        elif path.startswith("energy"):
            body = answer.json()
            # the meters of 1,000 and of 7 steps of 0.1 Wh a quarter-hour
            known = sum(bucket.get("import_wh", 0) for bucket in body["buckets"])
            assert known <= (4800.0 if token == MEYER else 2300.0 + 84.0) + 1e-6, path
            assert all(_is_inside(bucket, first, last) for bucket in body["buckets"] if "import_wh" in bucket), path
            outside = [bucket for bucket in body["buckets"] if not _is_inside(bucket, first, last)]
            assert all(bucket["import_completeness"]["meters"] == 0 for bucket in outside), path
        elif path.startswith("meters"):
            # Meyer does not live there any more, and Kim has the new meter
            ids = [meter["id"] for meter in answer.json()["meters"]]
            assert ids in ([], [] if token == MEYER else [OTHER_ID]), path
    assert answered > (200 if every else 20)
    day = moved.get(
        "/api/v1/fleet/energy?group=building:7&from=2025-11-23&tz=UTC", authorization=f"Bearer {token}"
    ).json()
    expected = 4800.0 if token == MEYER else 2300.0 + 7 * 24 / 10
    assert sum(bucket.get("import_wh", 0) for bucket in day["buckets"]) == pytest.approx(expected)
    groups = moved.get("/api/v1/fleet/groups?kind=tenant", authorization=f"Bearer {token}").json()["groups"]
    assert [group["value"] for group in groups] == [own]


def _is_inside(bucket: Any, first: int, last: int) -> bool:
    begin, end = (datetime.fromisoformat(bucket[name]).timestamp() // 900 for name in ("begin", "end"))
    return bool(begin < last and end > first)


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
        assert may_answer.wait(60)
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
