"""The only module that uses names of uvicorn beside its documented interface.

uvicorn documents neither its protocol classes nor how to embed its server. tests/web/http/test_uvicorn_adapter.py fails
first when a release moves a name, and pyproject.toml has an upper bound.
"""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn
from starlette.types import ASGIApp

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as _Protocol
else:
    try:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as _Protocol
    except ImportError:
        # where there are no wheels of httptools
        from uvicorn.protocols.http.h11_impl import H11Protocol as _Protocol

BACKLOG = 1024
# running requests may end within it
SHUTDOWN_S = 2


class HttpProtocol(_Protocol):
    """One HTTP connection. `transport` and `connections`, the set of all open ones, are attributes of uvicorn, too."""

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def request(self) -> object:
        """Another object for each request; None before the first."""
        return self.cycle

    @property
    def awaits_body(self) -> bool:
        """Whether the head of a request is complete, and its body is not; False for one behind a running request."""
        return self.cycle is not None and self.cycle.more_body and not getattr(self, "pipeline", None)

    @property
    def has_answered(self) -> bool:
        """Whether the answer to the request has begun."""
        return self.cycle is not None and self.cycle.response_started

    def drop_request(self) -> None:
        """What still answers a request learns that its client is gone."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    @property
    def is_write_paused(self) -> bool:
        """Whether the client does not read its answer."""
        return self.flow.write_paused

    def set_app(self, app: ASGIApp) -> None:
        """`app` answers from the next request on, also those that wait behind a running one."""
        self.app = app
        if waiting := getattr(self, "pipeline", None):
            self.pipeline = deque((cycle, self.app) for cycle, _ in waiting)


class EmbeddedServer(uvicorn.Server):
    """uvicorn beside other tasks: it handles no signals, and sleeps until it is stopped."""

    def __init__(
        self,
        app: ASGIApp,
        protocol: type[HttpProtocol],
        listening: Sequence[socket.socket],
        tls: ssl.SSLContext | None,
        handshake_s: float,
    ) -> None:
        settings = uvicorn.Config(
            app,
            http=protocol,
            ws="none",
            interface="asgi3",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            # the environment must not set the number of processes, nor a header the client's address
            workers=1,
            proxy_headers=False,
            timeout_graceful_shutdown=SHUTDOWN_S,
        )
        super().__init__(settings)
        self._protocol = protocol
        self._listening = listening
        self._tls = tls
        self._handshake_s = handshake_s
        self._stopping = asyncio.Event()
        self.ready = asyncio.Event()

    @property
    def connections(self) -> set[HttpProtocol]:
        """The open ones, in the server's own set."""
        return self.server_state.connections  # type: ignore[return-value]

    def stop(self) -> None:
        """Refuse new connections; running requests may end."""
        self.should_exit = True
        for listening in self._listening:
            listening.close()
        self._stopping.set()

    async def exchange(self, app: ASGIApp, tls: ssl.SSLContext | None) -> None:
        """`app` answers from the next request on, also on open connections; a new `tls` from the next connection on.

        Running requests finish with the app that they began with.
        """
        self.config.loaded_app = app
        for connection in self.connections:
            connection.set_app(app)
        if tls is not self._tls:
            self._tls = tls
            old_servers = self.servers
            await self.startup()
            for server in old_servers:
                server.close()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.servers = [
            await loop.create_server(
                self._new_connection,
                # a copy: closing the server closes it, and the socket stays open
                sock=listening.dup(),
                backlog=BACKLOG,
                ssl=self._tls,
                ssl_handshake_timeout=self._handshake_s if self._tls else None,
            )
            for listening in self._listening
        ]
        self.started = True
        self.ready.set()

    def _new_connection(self) -> HttpProtocol:
        return self._protocol(config=self.config, server_state=self.server_state, app_state={})

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        await self._stopping.wait()
