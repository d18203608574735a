"""The socket, and what answers behind it."""

import asyncio
import socket
import ssl

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp

from answering import answering
from iskra_server.config import ConfigError
from iskra_server.listening import address, listen, loop_factory
from running import free_port

ASK = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"


def says(word: str) -> ASGIApp:
    return PlainTextResponse(word)


def test_a_port_that_is_in_use_is_one_sentence() -> None:
    with listen("127.0.0.1", port := free_port()), pytest.raises(ConfigError, match="another program uses it"):
        listen("127.0.0.1", port)


def test_the_address_is_one_that_a_browser_understands() -> None:
    with socket.create_server(("127.0.0.1", 0)) as v4:
        port = v4.getsockname()[1]
        assert address(v4, tls=False) == f"http://127.0.0.1:{port}/"
        assert address(v4, tls=True) == f"https://127.0.0.1:{port}/"
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as v6:
        assert address(v6, tls=False) == f"http://[::1]:{v6.getsockname()[1]}/"


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
            async with httpx.AsyncClient(verify=trusting) as asking:
                assert (await asking.get(f"https://localhost:{site.port}/")).text == "x"
            await site.http.exchange(says("y"), second)
            async with httpx.AsyncClient(verify=trusting) as asking:
                assert (await asking.get(f"https://localhost:{site.port}/")).text == "y"
            await site.http.exchange(says("z"), None)
            async with httpx.AsyncClient() as asking:
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
