"""The socket, and what answers behind it."""

import asyncio
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp

from answering import answering
from iskra_server.base.announcement import addresses_of
from iskra_server.config import ConfigError
from iskra_server.runtime import http_server
from iskra_server.runtime.http_server import addresses, listen, loop_factory
from running import ANSWER_S, free_port, serving

ASK = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"


def says(word: str) -> ASGIApp:
    return PlainTextResponse(word)


@contextmanager
def listening_on(host: str, port: int = 0) -> Iterator[list[socket.socket]]:
    sockets = listen(host, port)
    try:
        yield sockets
    finally:
        for each in sockets:
            each.close()


def connects(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=60).close()
    except OSError:
        return False
    return True


def test_a_port_that_is_in_use_is_one_sentence() -> None:
    with listening_on("127.0.0.1", port := free_port()), pytest.raises(ConfigError) as failure:
        listen("127.0.0.1", port)
    assert f"(pid {os.getpid()}) uses it; stop that program, or choose another with --port, " in str(failure.value)


def test_a_port_of_a_program_that_may_not_be_seen_is_told_with_the_way_to_find_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http_server, "listening_programs", lambda *_: [])
    with listening_on("127.0.0.1", port := free_port()), pytest.raises(ConfigError) as failure:
        listen("127.0.0.1", port)
    assert f"another program uses it; find it with sudo ss -lntp 'sport = :{port}' and stop it, or" in str(
        failure.value
    )


def test_a_port_of_another_server_is_told_as_such() -> None:
    with serving("serve", "simulator:MT175") as server:
        port = int(server.url.rpartition(":")[2])
        with pytest.raises(ConfigError) as failure:
            listen("0.0.0.0", port)
    assert f"iskra-server serve (pid {server.process.pid}) uses it; open its page, stop it (if" in str(failure.value)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "a..b", "x" * 70])
def test_an_address_that_this_machine_does_not_have_is_one_sentence(host: str) -> None:
    with pytest.raises(ConfigError, match=r"^Cannot listen on .*; server\.host must be an address of this machine\.$"):
        listen(host, 0)


@pytest.mark.parametrize("host", ["::", "localhost"])
def test_a_host_with_several_addresses_is_served_at_each_of_them_and_says_so(host: str) -> None:
    with listening_on(host) as sockets:
        port = sockets[0].getsockname()[1]
        served = {each.getsockname()[0] for each in sockets}
        assert {each.getsockname()[1] for each in sockets} == {port}
        assert connects("127.0.0.1", port)
        assert connects("::1", port) == any(":" in each for each in served)
        said = addresses(sockets, tls=False)
        assert all(each in said for each in served)


def test_everything_is_announced_where_it_is_served() -> None:
    with listening_on("::") as sockets:
        port = sockets[0].getsockname()[1]
        assert all(connects(each, port) for each in addresses_of("::"))


def test_one_that_is_in_use_closes_the_others() -> None:
    with listening_on("127.0.0.1") as sockets, pytest.raises(ConfigError, match=" uses it; stop that program"):
        listen("::", sockets[0].getsockname()[1])


def test_the_address_is_one_that_a_browser_understands() -> None:
    with socket.create_server(("127.0.0.1", 0)) as v4:
        port = v4.getsockname()[1]
        assert addresses([v4], tls=False) == f"http://127.0.0.1:{port}/"
        assert addresses([v4], tls=True) == f"https://127.0.0.1:{port}/"
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as v6:
        assert addresses([v6], tls=False) == f"http://[::1]:{v6.getsockname()[1]}/"


def test_the_loop_is_a_loop() -> None:
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        assert runner.run(asyncio.sleep(0, "done")) == "done"


def test_another_application_answers_from_the_next_request_on_also_on_open_connections() -> None:
    async def run() -> None:
        async with answering(says("old")) as site:
            asking = await site.client()
            await asking.send(ASK)
            await asking.answer()
            assert await asking.reader.readexactly(3) == b"old"
            await site.http.exchange(says("new"), None)
            await asking.send(ASK)
            await asking.answer()
            assert await asking.reader.readexactly(3) == b"new"

    asyncio.run(run())


def test_a_certificate_is_exchanged_while_the_socket_stays_open(certificates: list[ssl.SSLContext]) -> None:
    first, second, trusting = certificates

    async def run() -> None:
        async with answering(says("x"), first) as site:
            async with httpx.AsyncClient(verify=trusting, timeout=ANSWER_S) as asking:
                assert (await asking.get(f"https://localhost:{site.port}/")).text == "x"
            await site.http.exchange(says("y"), second)
            async with httpx.AsyncClient(verify=trusting, timeout=ANSWER_S) as asking:
                assert (await asking.get(f"https://localhost:{site.port}/")).text == "y"
            await site.http.exchange(says("z"), None)
            async with httpx.AsyncClient(timeout=ANSWER_S) as asking:
                assert (await asking.get(f"http://127.0.0.1:{site.port}/")).text == "z"

    asyncio.run(run())


@pytest.fixture
def certificates() -> list[ssl.SSLContext]:
    """Two contexts of a server, and one of a client that trusts both."""
    trustme = pytest.importorskip("trustme")
    authority, trusting = trustme.CA(), ssl.create_default_context()
    authority.configure_trust(trusting)
    servers = [ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for _ in range(2)]
    for server in servers:
        authority.issue_cert("localhost", "127.0.0.1").configure_cert(server)
    return [*servers, trusting]


def test_once_stopped_nobody_connects() -> None:
    async def run() -> None:
        async with answering(says("x")) as site:
            site.http.stop()
            with pytest.raises(ConnectionError):
                while True:
                    await site.client()

    asyncio.run(run())
