import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import httpx
import pytest
from msgspec import structs
from starlette.types import Message

from iskra_server.diagnosis.advice import advise
from iskra_server.outputs.state import OutputClient, OutputState
from iskra_server.reading.hub import QUEUE_LENGTH
from iskra_server.web.api import live
from iskra_server.web.api.live import event_id
from iskra_server.web.app import create_app
from iskra_server.web.http.settings import WebSettings
from running import DEADLINE_S
from samples import METER_ID, energy
from web.serving import ServerStub, Site, arrived, served, status, until

PATH = "/api/v1/live"
CLIENT = OutputClient("192.168.1.30", 1, 1, datetime(2026, 11, 27, tzinfo=UTC), None, 0.2, 0.2)


class Event(NamedTuple):
    name: str
    id: int | None
    data: dict[str, Any]


@asynccontextmanager
async def stream(client: httpx.AsyncClient, **headers: str) -> AsyncIterator[AsyncIterator[str]]:
    """The lines of a live stream that has subscribed to the hub."""
    async with client.stream("GET", PATH, headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.aiter_lines()
        assert await anext(lines) == "retry: 2000"
        yield lines


async def event(lines: AsyncIterator[str], name: str = "reading") -> Event:
    """The next event of that name."""
    fields: dict[str, str] = {}
    async with asyncio.timeout(DEADLINE_S):
        async for line in lines:
            if line:
                key, _, text = line.partition(":")
                fields[key] = text.strip()
            elif fields.get("event") == name:
                data = json.loads(fields["data"], parse_float=Decimal)
                return Event(name, int(fields["id"]) if "id" in fields else None, data)
            else:
                fields = {}
    raise AssertionError("the stream ended")


def run(site: Site, check: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with served(site.app) as client:
            await check(client)

    asyncio.run(whole())


def total(shown: Event) -> str:
    return next(str(register["value"]) for register in shown.data["registers"] if register["name"] == "energy_import")


def test_a_stream_begins_with_the_newest_reading_and_has_every_telegram() -> None:
    newest = arrived(energy(1), age_s=3)
    site = Site(newest)

    async def check(client: httpx.AsyncClient) -> None:
        async with stream(client) as lines:
            first = await event(lines)
            assert (first.id, first.data["id"], total(first)) == (event_id(newest), METER_ID, "0.1")
            assert 3 <= first.data["measured_age_s"] < 3 + DEADLINE_S
            ids = [first.id]
            for raw in (20, 30):
                site.hub.publish(arrived(energy(raw)))
                following = await event(lines)
                ids.append(following.id)
                assert total(following) == f"{raw // 10}.0"
                assert following.data["measured_age_s"] < 3
            assert ids == sorted(set(ids), key=lambda number: number or 0)

    run(site, check)


def test_an_event_has_the_fields_of_a_meter_and_the_age_of_the_measurement() -> None:
    site = Site(arrived())

    async def check(client: httpx.AsyncClient) -> None:
        async with stream(client) as lines:
            shown = (await event(lines)).data
        (meter,) = (await client.get("/api/v1/meters")).json()["meters"]
        assert shown.keys() == meter.keys() | {"measured_age_s"}

    run(site, check)


def test_a_stale_reading_is_not_sent() -> None:
    site = Site(arrived(energy(1), age_s=61))

    async def check(client: httpx.AsyncClient) -> None:
        async with stream(client) as lines:
            site.hub.publish(arrived(energy(20)))
            assert total(await event(lines)) == "2.0"

    run(site, check)


def test_a_reading_that_the_client_has_seen_is_not_sent_again() -> None:
    newest = arrived(energy(1))
    site = Site(newest)

    async def check(client: httpx.AsyncClient) -> None:
        async with stream(client, **{"last-event-id": str(event_id(newest))}) as lines:
            site.hub.publish(arrived(energy(20)))
            assert total(await event(lines)) == "2.0"
        async with stream(client, **{"last-event-id": ""}) as lines:
            assert total(await event(lines)) == "2.0"

    run(site, check)


@pytest.mark.parametrize("text", ["9" * 5000, "not a number", "-1", str(2**63)])
def test_an_invalid_last_event_id_is_refused(text: str) -> None:
    answer = Site(arrived()).get(PATH, **{"last-event-id": text})
    assert (answer.status_code, answer.json()["reason"]) == (400, "bad_request")
    assert "Last-Event-ID must be" in answer.json()["detail"]


def test_one_client_with_all_streams_makes_room_for_another_and_gets_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MAX_STREAMS", 4)

    async def check() -> None:
        site = Site()
        greedy = [Client(site, "10.0.0.1") for _ in range(4)]
        honest = [Client(site, "10.0.0.2") for _ in range(3)]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(client.run()) for client in greedy]
            await until(lambda: len(site.hub.subscriptions()) == 4)
            assert (await asyncio.to_thread(site.get, PATH, client="10.0.0.1")).status_code == 503
            for client in honest[:2]:
                tasks.append(group.create_task(client.run()))
                await until(lambda client=client: client.status == 200)  # type: ignore[misc]
            # the two oldest streams of the first client have ended
            await until(lambda: [task.done() for task in tasks] == [True, True, False, False, False, False])
            await honest[2].run()
            assert honest[2].status == 503
            for client in (*greedy, *honest):
                client.gone.set()

    asyncio.run(check())


def test_a_status_is_sent_when_a_check_fails() -> None:
    site = Site(arrived())

    async def check(client: httpx.AsyncClient) -> None:
        async with stream(client) as lines:
            assert (await event(lines, "status")).data["ok"] is True
            site.statuses = [status(is_open=False, problem="unplugged")]
            status_event = (await event(lines, "status")).data
            assert (status_event["ok"], status_event["meters"][0]["failed_check"]) == (False, "device")

    run(site, check)


def test_a_status_is_sent_when_a_client_asks_an_emulated_device() -> None:
    site, states = Site(), [OutputState("ecotracker", ok=True, notices=(advise("nothing_asks", {"minutes": "10"}),))]
    site.app = create_app(WebSettings("1"), ServerStub(site.hub, lambda: site.statuses, output_states=lambda: states))

    async def check(client: httpx.AsyncClient) -> None:
        async with stream(client) as lines:
            (output,) = (await event(lines, "status")).data["outputs"]
            assert [notice["fault"] for notice in output["notices"]] == ["nothing_asks"]
            states[0] = OutputState("ecotracker", ok=True, clients=(CLIENT,))
            (output,) = (await event(lines, "status")).data["outputs"]
            assert ([asked["address"] for asked in output["clients"]], output["notices"]) == (["192.168.1.30"], [])

    run(site, check)


def test_a_telegram_is_encoded_once_for_all_clients() -> None:
    async def check() -> None:
        site = Site()
        clients = [Client(site) for _ in range(3)]
        async with asyncio.TaskGroup() as group:
            for client in clients:
                group.create_task(client.run())
            await until(lambda: len(site.hub.subscriptions()) == len(clients))
            site.hub.publish(arrived())
            await until(lambda: all(client.readings for client in clients))
            for client in clients:
                client.gone.set()
        first, *others = (client.readings[0] for client in clients)
        assert all(event_ is first for event_ in others)

    asyncio.run(check())


def test_a_slow_client_loses_its_oldest_events_and_delays_no_other() -> None:
    async def check() -> None:
        site = Site()
        slow, quick = Client(site), Client(site)
        slow.may_go_on.clear()
        async with asyncio.TaskGroup() as group:
            group.create_task(slow.run())
            group.create_task(quick.run())
            await until(lambda: len(site.hub.subscriptions()) == 2)
            for number in range(QUEUE_LENGTH + 10):
                site.hub.publish(arrived(energy(number)))
                await until(lambda wanted=number + 1: len(quick.readings) == wanted)  # type: ignore[misc]
            slow.may_go_on.set()
            await until(lambda: bool(slow.readings) and slow.readings[-1] is quick.readings[-1])
            slow.gone.set()
            quick.gone.set()
        in_hand = 1
        assert len(slow.readings) == in_hand + QUEUE_LENGTH

    asyncio.run(check())


def test_a_disconnected_client_leaves_no_subscription_and_no_task() -> None:
    site = Site(arrived())

    async def check(client: httpx.AsyncClient) -> None:
        tasks = len(asyncio.all_tasks())
        async with stream(client) as lines:
            await event(lines)
            assert len(site.hub.subscriptions()) == 1
        await until(lambda: not site.hub.subscriptions() and len(asyncio.all_tasks()) <= tasks)

    run(site, check)


def test_a_server_that_stops_ends_its_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    # it does not wait for the next status
    monkeypatch.setattr(live, "_STATUS_INTERVAL_S", 3600.0)
    site = Site(arrived())

    async def check(client: httpx.AsyncClient) -> None:
        async with stream(client) as lines:
            await event(lines)
            site.app.close()
            async with asyncio.timeout(DEADLINE_S):
                assert [line async for line in lines if "retry" in line] == []

    run(site, check)


def test_a_silent_stream_has_heartbeats(monkeypatch: Any) -> None:
    monkeypatch.setattr(live, "_STATUS_INTERVAL_S", 0.02)
    monkeypatch.setattr(live, "_HEARTBEAT_S", 0.05)

    async def check(client: httpx.AsyncClient) -> None:
        async with stream(client) as lines, asyncio.timeout(DEADLINE_S):
            beats = 0
            async for line in lines:
                beats += line == ":"
                if beats == 2:
                    break

    run(Site(), check)


def test_head_has_no_body_and_ends() -> None:
    answer = Site(arrived()).get(PATH, "HEAD")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_ids_grow_with_the_time_of_arrival() -> None:
    sample = arrived()
    later = structs.replace(sample, received_at=sample.received_at.replace(microsecond=1))
    latest = structs.replace(sample, received_at=sample.received_at.replace(microsecond=2))
    assert event_id(latest) - event_id(later) == 1


class Client:
    """A client of the application without a socket, as slow as it is status_event to be."""

    def __init__(self, site: Site, address: str = "127.0.0.1") -> None:
        self._site = site
        self._address = address
        self.status: int | None = None
        self.readings: list[bytes] = []
        self.gone = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def run(self) -> None:
        scope: dict[str, Any] = {"type": "http", "method": "GET", "path": PATH, "query_string": b"", "headers": []}
        scope["client"] = self._address, 1
        await self._site.app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        body = message.get("body", b"")
        self.status = message.get("status", self.status)
        if b"event: reading" in body:
            await self.may_go_on.wait()
            self.readings.append(body)


BRIEF = f"{PATH}?brief=yes"


def ids_of(answer: httpx.Response) -> list[int]:
    return [int(line.removeprefix("id: ")) for line in answer.text.splitlines() if line.startswith("id: ")]


def test_a_brief_answer_has_what_is_new_and_the_status_and_ends() -> None:
    newest = arrived(energy(1))
    site = Site(newest)

    async def check(client: httpx.AsyncClient) -> None:
        answer = await client.get(BRIEF)
        assert answer.text.startswith("retry: 100\n\n")
        assert ids_of(answer) == [event_id(newest)] and "event: status\n" in answer.text
        # the next one waits for the next telegram
        seen = {"last-event-id": str(event_id(newest))}
        waiting = asyncio.create_task(client.get(BRIEF, headers=seen))
        await until(lambda: len(site.hub.subscriptions()) == 1)
        site.hub.publish(following := arrived(energy(2)))
        assert ids_of(await waiting) == [event_id(following)]
        assert not site.hub.subscriptions()

    run(site, check)


def test_a_brief_answer_without_a_telegram_has_the_status_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "BRIEF_S", 0.05)

    async def check(client: httpx.AsyncClient) -> None:
        answer = await client.get(BRIEF)
        assert ids_of(answer) == [] and "event: status\n" in answer.text

    run(Site(), check)


@pytest.mark.parametrize("query", ["brief=no", "brief=", "brief=yes&brief=1"])
def test_another_value_of_brief_is_refused(query: str) -> None:
    assert Site().get(f"{PATH}?{query}").status_code == 400
