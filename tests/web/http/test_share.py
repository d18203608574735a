"""Fair turns of clients, with work that lasts until the test ends it."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest
from starlette.types import Message, Receive

from iskra_server.web.http.gate import GROUPS
from iskra_server.web.http.share import (
    MAX_RUNNING,
    MAX_RUNNING_PER_CLIENT,
    MAX_WAITING,
    Disconnected,
    Threads,
    TooManyRequests,
    address_of,
    client_of,
    heaviest,
)
from web.serving import until


@pytest.mark.parametrize(
    ("host", "client"),
    [
        ("192.168.1.20", "192.168.1.20"),
        ("::ffff:192.168.1.20", "192.168.1.20"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::2", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::1"),
        ("::1", "::1"),
        ("", ""),
    ],
)
def test_a_client_is_its_address_and_for_ipv6_its_network(host: str, client: str) -> None:
    assert address_of(host) == client


def test_headers_do_not_change_the_client_and_a_scoped_token_is_one_client() -> None:
    forwarded = {"type": "http", "client": ("10.0.0.1", 1), "headers": [(b"x-forwarded-for", b"10.9.9.9")]}
    assert client_of(forwarded) == "10.0.0.1"
    assert client_of({"type": "http", "headers": []}) == ""
    meyer = (("tenant", "Meyer"),)
    assert client_of(forwarded | {GROUPS: meyer}) == client_of({"type": "http", GROUPS: meyer})


def test_the_heaviest_client_makes_room_for_one_with_less() -> None:
    assert heaviest("aaab", "c") == "a"
    assert heaviest("aab", "b") is None
    assert heaviest("aaa", "a") is None
    assert heaviest("", "a") is None


class Scene:
    """Threads whose work waits for the test; `begun` lists the clients of started work, in order."""

    def __init__(self) -> None:
        self.threads = Threads()
        self.begun: list[str] = []
        self.go_on = threading.Semaphore(0)

    def ask(self, client: str, receive: Receive | None = None) -> "asyncio.Task[str]":
        return asyncio.ensure_future(self.threads.run(client, receive or staying, lambda: self._work(client)))

    def _work(self, client: str) -> str:
        self.begun.append(client)
        assert self.go_on.acquire(timeout=60)
        return client

    def let_go_on(self, count: int = 10 * MAX_RUNNING + 2 * MAX_WAITING) -> None:
        self.go_on.release(count)


async def staying() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def leaving() -> Message:
    return {"type": "http.disconnect"}


def run(check: Callable[[Scene], Awaitable[None]]) -> None:
    async def whole() -> None:
        scene = Scene()
        try:
            await check(scene)
        finally:
            scene.let_go_on()
            scene.threads.close()

    asyncio.run(whole())


def test_one_client_never_has_all_threads() -> None:
    async def check(scene: Scene) -> None:
        greedy = [scene.ask("greedy") for _ in range(20)]
        await until(lambda: len(scene.begun) == MAX_RUNNING_PER_CLIENT)
        honest = scene.ask("honest")
        await until(lambda: "honest" in scene.begun)
        assert scene.begun.count("greedy") == MAX_RUNNING_PER_CLIENT == MAX_RUNNING // 2
        scene.let_go_on()
        assert await asyncio.gather(honest, *greedy) == ["honest"] + ["greedy"] * 20

    run(check)


def test_waiting_clients_take_turns() -> None:
    async def check(scene: Scene) -> None:
        requests = [scene.ask(client) for client in ["a"] * 12 + ["b"] * 5 + ["c"] * 3]
        await until(lambda: len(scene.begun) == MAX_RUNNING)
        assert sorted(scene.begun) == ["a"] * MAX_RUNNING_PER_CLIENT + ["b"] * MAX_RUNNING_PER_CLIENT
        scene.let_go_on()
        await asyncio.gather(*requests)
        # with turns it is among the next three; without, it would be the fifteenth
        assert scene.begun.index("c") < MAX_RUNNING + 3 + MAX_RUNNING

    run(check)


def test_three_browsers_behind_one_proxy_are_answered() -> None:
    async def check(scene: Scene) -> None:
        requests = [scene.ask("proxy") for _ in range(3 * 12)]
        await until(lambda: len(scene.begun) == MAX_RUNNING_PER_CLIENT)
        scene.let_go_on()
        assert await asyncio.gather(*requests) == ["proxy"] * 3 * 12

    run(check)


def test_the_work_of_a_disconnected_client_is_never_run() -> None:
    async def check(scene: Scene) -> None:
        running = [scene.ask("greedy") for _ in range(MAX_RUNNING_PER_CLIENT)]
        gone = [scene.ask("greedy", leaving) for _ in range(MAX_WAITING)]
        answers = await asyncio.gather(*gone, return_exceptions=True)
        assert {type(answer) for answer in answers} == {Disconnected}
        scene.let_go_on()
        await asyncio.gather(*running, scene.ask("honest"))
        assert len(scene.begun) == MAX_RUNNING_PER_CLIENT + 1

    run(check)


def test_too_many_waiting_requests_are_refused_for_this_client_only() -> None:
    async def check(scene: Scene) -> None:
        requests = [scene.ask("greedy") for _ in range(MAX_RUNNING_PER_CLIENT + MAX_WAITING)]
        await until(lambda: len(scene.begun) == MAX_RUNNING_PER_CLIENT)
        with pytest.raises(TooManyRequests, match=f"has {MAX_WAITING} requests"):
            await scene.ask("greedy")
        others = [scene.ask("honest") for _ in range(MAX_WAITING)]
        scene.let_go_on()
        assert len(await asyncio.gather(*requests, *others)) == len(requests) + len(others)

    run(check)


def test_a_cancelled_request_frees_its_place() -> None:
    async def check(scene: Scene) -> None:
        requests = [scene.ask("a") for _ in range(MAX_RUNNING_PER_CLIENT + 5)]
        await until(lambda: len(scene.begun) == MAX_RUNNING_PER_CLIENT)
        for task in requests:
            task.cancel()
        await asyncio.gather(*requests, return_exceptions=True)
        # a running thread still counts
        late = scene.ask("a")
        await asyncio.sleep(0)
        assert len(scene.begun) == MAX_RUNNING_PER_CLIENT
        scene.let_go_on()
        assert await late == "a"

    run(check)


def test_a_stopping_server_runs_nothing_more() -> None:
    async def check(scene: Scene) -> None:
        scene.threads.close()
        with pytest.raises(Disconnected):
            await scene.ask("late")

    run(check)


def test_an_error_frees_the_thread() -> None:
    async def check(scene: Scene) -> None:
        for _ in range(3 * MAX_RUNNING):
            with pytest.raises(ZeroDivisionError):
                await scene.threads.run("a", staying, lambda: 1 // 0)

    run(check)
