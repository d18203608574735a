import asyncio
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from iskra_server.history.model.records import MeterInfo
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.store import Store
from iskra_server.meter.virtual_meter import no_virtual_meters
from iskra_server.web.app import create_app
from iskra_server.web.http.settings import WebSettings
from iskra_server.web.http.share import MAX_RUNNING_PER_CLIENT, MAX_WAITING
from samples import METER_ID, SERVER_ID
from web.past import NAME, Past, Q, counted, info
from web.serving import ServerStub, Site, arrived, served, until, writing

ROUTES = ("energy", "power", "registers")
OTHER_ID = "1 ISK 00 70000001"
PERIOD = "from=2025-06-02T10:00:00Z&to=2025-06-02T11:00:00Z"


@pytest.fixture
def past(store: Store) -> Past:
    store.write(counted([0, 10, 20, 30, 40]), [info()])
    return Past(store)


@pytest.mark.parametrize("route", ROUTES)
def test_without_history_the_status_is_503_with_a_reason(route: str) -> None:
    answer = Site(arrived()).get(f"/api/v1/meters/{NAME}/{route}")
    assert (answer.status_code, answer.json()["detail"]) == (
        503,
        "History is switched off; set history.enabled to true.",
    )
    assert (answer.headers["cache-control"], answer.json()["reason"]) == ("no-store", "no_history")


def test_an_unknown_meter_costs_the_same_with_many_meters(tmp_path: Path) -> None:
    answers = []
    for count in (30, 3_000):
        store = Store(f"sqlite:///{tmp_path}/{count}.sqlite")
        store.write([], [info(f"1 ISK 00 {number:08}") for number in range(count)])
        asked: list[int] = []
        ask = store.query

        def counting(statement: Any, ask: Any = ask, asked: list[int] = asked) -> Any:
            rows = ask(statement)
            asked.append(len(rows))
            return rows

        store.query = counting  # type: ignore[method-assign]
        site = Site(history=store)
        store.snapshot = lambda store=store: nullcontext(store)  # type: ignore[misc, assignment]
        routes = (f"/api/v1/meters/1ISK0099999999/{route}" for route in (*ROUTES, "cost", "quarters"))
        replies = [site.get(path) for path in (*routes, "/api/v1/sum/energy?meters=1ISK0099999999,1ISK0099999998")]
        assert {reply.status_code for reply in replies} == {404}
        assert all(len(reply.json().get("meters", ())) <= 20 for reply in replies)
        assert len(site.get("/api/v1/history/meters").json()["meters"]) == min(count, 1_000)
        answers.append(([reply.content for reply in replies], asked[: -1 - 1]))
        with store.transaction(write=False) as connection:
            name = "lower(replace(meter_id, ' ', '')) IN ('x')"
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN SELECT id FROM meter WHERE {name}").all()
            assert "ix_meter_compact" in str(plan)
        store.close()
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("sentence", "said"),
    [("The disk is full.", "The disk is full."), ("", "History is being opened; try again in a moment.")],
)
def test_before_the_database_is_open_the_answer_says_why(sentence: str, said: str) -> None:
    site = Site()
    site.app = create_app(WebSettings("1", has_history=True), ServerStub(history_state=lambda: writing(sentence)))
    answer = site.get(f"/api/v1/meters/{NAME}/energy")
    assert (answer.status_code, answer.json()["detail"]) == (503, said)


def test_a_damaged_database_is_named_in_the_error(store: Store, past: Past, tmp_path: Path) -> None:
    store.close()
    for left in tmp_path.iterdir():
        left.write_bytes(b"no database, and longer than a header of SQLite's would be; " * 99)
    answer = past.get("energy")
    assert (answer.status_code, answer.json()["reason"]) == (503, "no_history")
    assert "iskra.sqlite is not a database" in answer.json()["detail"]


@pytest.mark.parametrize("route", ROUTES)
def test_an_unknown_meter_is_404_with_the_meters_in_history(past: Past, route: str) -> None:
    answer = past.get(route, name="nobody")
    assert (answer.status_code, answer.json()["reason"], answer.json()["meters"]) == (404, "unknown_meter", [METER_ID])
    assert "'nobody'" in answer.json()["detail"]


def test_an_empty_history_knows_no_meter(store: Store) -> None:
    answer = Past(store).get("energy", name="nobody")
    assert (answer.status_code, answer.json()["meters"]) == (404, [])


@pytest.mark.parametrize("name", [quote(METER_ID), NAME, NAME.lower(), SERVER_ID.hex(), SERVER_ID.hex().upper()])
def test_a_meter_is_found_by_each_of_its_names(past: Past, name: str) -> None:
    assert past.ask(f"energy?{PERIOD}", name)["import"]["total_wh"] == 4


def test_a_blank_name_is_no_meter(store: Store) -> None:
    store.write([], [MeterInfo("unknown", "", False, Q, Q)])
    assert Past(store).get("energy", name="%20").status_code == 404


@pytest.mark.parametrize("route", ROUTES)
def test_a_live_meter_of_which_nothing_is_recorded_yet_has_no_numbers(store: Store, route: str) -> None:
    past = Past(store)
    past.site.hub.publish(arrived(simulated=True, meter_id=OTHER_ID))
    answer = past.ask(route, OTHER_ID.replace(" ", ""))
    assert (answer["meter"], answer["simulated"]) == (OTHER_ID, True)
    assert "export" not in answer
    empty = {"energy": "gaps", "power": "points", "registers": "values"}[route]
    assert (answer["import"] if route == "energy" else answer)[empty] == []


@pytest.mark.parametrize("route", ROUTES)
def test_an_answer_is_revalidated_by_its_etag(past: Past, route: str) -> None:
    first = past.get(f"{route}?{PERIOD}")
    assert first.headers["cache-control"] == "private, no-cache"
    for tag in (first.headers["etag"], f'"x", W/{first.headers["etag"]}', "*"):
        again = past.get(f"{route}?{PERIOD}", **{"if-none-match": tag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
        assert "content-type" not in again.headers


def test_a_changed_answer_has_another_etag(store: Store, past: Past) -> None:
    tag = past.get("energy?from=2025-06-02").headers["etag"]
    store.write(counted([50], first=Q + 5))
    again = past.get("energy?from=2025-06-02", **{"if-none-match": tag})
    assert (again.status_code, again.headers["etag"] == tag) == (200, False)


def test_head_has_the_same_headers(past: Past) -> None:
    answers = [past.site.get(f"/api/v1/meters/{NAME}/energy?{PERIOD}", method) for method in ("GET", "HEAD")]
    assert answers[0].headers == answers[1].headers


@pytest.mark.parametrize("route", ROUTES)
def test_invalid_parameters_are_refused(past: Past, route: str) -> None:
    assert "'bukcet' is not a parameter here; allowed are " in past.refusal(f"{route}?bukcet=day")
    assert "'2025-13' is not a period" in past.refusal(f"{route}?from=2025-13")
    assert "'Mars/Phobos' is not a time zone" in past.refusal(f"{route}?tz=Mars/Phobos")
    assert past.get(f"{route}?tz=Mars/Phobos").json()["reason"] == "bad_request"


class Slow(Reads):
    """A slow database that counts its concurrent queries."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.go_on = threading.Event()
        self.asking = 0
        self.virtual = no_virtual_meters

    @contextmanager
    def snapshot(self) -> Iterator[Reads]:
        yield self

    def replacement_chain(self, names: Collection[str]) -> list[MeterInfo]:
        with self.lock:
            self.asking += 1
        self.go_on.wait(60)
        return []

    def first_meters(self, limit: int) -> list[MeterInfo]:
        return []


def test_a_slow_database_delays_no_live_answer_and_has_few_queries_at_once() -> None:
    slow = Slow()

    async def check() -> None:
        async with served(Site(arrived(), history=slow).app) as client:
            requests = [
                asyncio.create_task(client.get("/api/v1/meters/nobody/energy"))
                for _ in range(3 * MAX_RUNNING_PER_CLIENT)
            ]
            try:
                await until(lambda: slow.asking >= MAX_RUNNING_PER_CLIENT)
                for _ in range(20):
                    assert (await client.get("/api/v1/meters")).status_code == 200
                assert slow.asking == MAX_RUNNING_PER_CLIENT
            finally:
                slow.go_on.set()
            assert {answer.status_code for answer in await asyncio.gather(*requests)} == {404}

    asyncio.run(check())


def test_requests_of_disconnected_clients_are_not_run_and_one_too_many_is_refused() -> None:
    slow = Slow()

    async def check() -> None:
        async with served(Site(arrived(), history=slow).app) as client:
            port = client.base_url.port
            assert port
            writers = []
            for _ in range(MAX_RUNNING_PER_CLIENT + MAX_WAITING):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"GET /api/v1/meters/nobody/energy HTTP/1.1\r\nhost: a\r\n\r\n")
                writers.append(writer)
            try:
                refused = await _refused(client)
                assert f"{MAX_WAITING} requests to history waiting" in refused.json()["detail"]
                assert (refused.json()["reason"], refused.headers["retry-after"]) == ("too_many_requests", "1")
            finally:
                for writer in writers:
                    writer.close()
                await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)
            waiting = asyncio.create_task(client.get("/api/v1/meters/nobody/energy"))
            # until the server has noticed the disconnects
            async with asyncio.timeout(60):
                while waiting.done() and waiting.result().status_code == 429:
                    waiting = asyncio.create_task(client.get("/api/v1/meters/nobody/energy"))
                    await asyncio.sleep(0.01)
            slow.go_on.set()
            assert (await waiting).status_code in (404, 429)
            assert (await client.get("/api/v1/meters/nobody/energy")).status_code == 404
        # requests that ran at the time of the disconnect, and the last two
        assert slow.asking <= MAX_RUNNING_PER_CLIENT + 2

    asyncio.run(check())


async def _refused(client: httpx.AsyncClient) -> httpx.Response:
    """The first refusal."""
    async with asyncio.timeout(60):
        while True:
            try:
                answer = await client.get("/api/v1/meters/nobody/energy", timeout=0.2)
            except httpx.TimeoutException:
                continue
            assert answer.status_code == 429
            return answer


def test_concurrent_requests_get_their_own_answers(store: Store) -> None:
    store.write(counted(range(0, 8000, 10), meter_id=METER_ID), [info()])
    store.write(counted(range(0, 1600, 2), meter_id=OTHER_ID), [info(OTHER_ID)])
    names = [NAME, OTHER_ID.replace(" ", "")] * 10
    site = Site(history=store)

    async def check() -> Sequence[object]:
        async with served(site.app) as client:
            paths = [f"/api/v1/meters/{name}/energy?{PERIOD}" for name in names]
            answers = await asyncio.gather(*(client.get(path) for path in paths))
            return [answer.json()["import"]["total_wh"] for answer in answers]

    assert asyncio.run(check()) == [4, 0.8] * 10
