"""The names of uvicorn that uvicorn_adapter.py uses: this fails first when a release moves one of them."""

import asyncio
import inspect
import tomllib
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http import h11_impl, httptools_impl
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from iskra_server.web.http.uvicorn_adapter import EmbeddedServer, HttpProtocol

project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]


async def app(scope: object, receive: object, send: object) -> None:
    """Never called."""


def test_a_newer_release_is_not_installed_unseen() -> None:
    (line,) = [line for line in project["dependencies"] if line.startswith("uvicorn")]
    assert "<" in line


@pytest.mark.parametrize("protocol", [HttpToolsProtocol, H11Protocol])
def test_a_protocol_has_the_attributes_of_a_connection(protocol: type[Any]) -> None:
    async def connect() -> None:
        config = uvicorn.Config(app, lifespan="off", log_config=None)
        config.load()
        state = ServerState()
        connection = protocol(config=config, server_state=state, app_state={})
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            address = server.sockets[0].getsockname()[:2]
            transport, _ = await asyncio.get_running_loop().create_connection(lambda: connection, *address)
            assert connection.connections is state.connections
            assert state.connections == {connection}
            assert connection.transport is transport
            assert (connection.app, connection.cycle) == (config.loaded_app, None)
            assert connection.flow.write_paused is False
            transport.abort()

    asyncio.run(connect())


@pytest.mark.parametrize("module", [httptools_impl, h11_impl])
def test_a_request_has_the_attributes_of_one(module: Any) -> None:
    source = inspect.getsource(module.RequestResponseCycle.__init__)
    for name in ("disconnected", "message_event", "more_body", "response_started", "response_complete"):
        assert f"self.{name} = " in source


def test_the_requests_that_wait_in_a_connection_are_pairs_of_a_cycle_and_its_app() -> None:
    source = inspect.getsource(HttpToolsProtocol)
    assert "self.pipeline.appendleft((self.cycle, app))" in source
    assert "cycle, app = self.pipeline.pop()" in source
    assert issubclass(HttpProtocol, HttpToolsProtocol)


def test_a_server_calls_what_an_embedded_one_replaces() -> None:
    source = inspect.getsource(uvicorn.Server)
    for call in ("self.capture_signals()", "self.startup(sockets=sockets)", "self.main_loop()", "self.servers"):
        assert call in source
    for name in ("startup", "main_loop", "capture_signals"):
        assert name in vars(EmbeddedServer) and name in vars(uvicorn.Server)
    assert "config.loaded_app" in inspect.getsource(HttpToolsProtocol)
