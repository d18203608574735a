"""The HTTP side of the server: its sockets, and uvicorn within the limits of web/http/connection.py.

The sockets stay open as long as the process lives; what answers behind them can be exchanged.
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from iskra_server.config import ConfigError
from iskra_server.web.http.connection import WAITING_S, Connection, keep_sweeping

BACKLOG = 1024
# requests that are being answered may end
SHUTDOWN_S = 2
_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def listen(host: str, port: int) -> list[socket.socket]:
    """A socket for each address of `host`; "::" is everything, IPv4 and IPv6. Port 0 is any free one, the same for all.

    Raises ConfigError for an address or a port that cannot be had.
    """
    listening: list[socket.socket] = []
    missing: OSError | None = None
    try:
        for family, address in _addresses(host):
            try:
                port = listening[0].getsockname()[1] if listening else port
                listening.append(socket.create_server((address, port), family=family, backlog=BACKLOG))
            except OSError as error:
                # a name may have addresses that this machine lacks, such as ::1 where IPv6 is switched off
                if error.errno not in _NOT_HERE:
                    raise
                missing = error
        if not listening and missing:
            raise missing
    except OSError as error:
        for each in listening:
            each.close()
        if error.errno == errno.EADDRINUSE:
            fix = "another program uses it; choose another with --port or IES_PORT"
        elif error.errno == errno.EACCES:
            fix = "ports below 1024 need a privilege; choose another with --port or IES_PORT"
        elif error.errno in (errno.EMFILE, errno.ENFILE):
            fix = f"{error.strerror}; allow more with ulimit -n (LimitNOFILE of systemd)"
        else:
            fix = f"{error.strerror or error}; server.host must be an address of this machine"
        raise ConfigError(f"Cannot listen on {host} port {port}: {fix}.") from error
    return listening


def _addresses(host: str) -> list[tuple[socket.AddressFamily, str]]:
    """Raises OSError for a name that is not known."""
    if host == "::":
        # two sockets, as not every system has one for both, and IPv4 clients keep their address
        return [(socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")]
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except UnicodeError as error:
        raise OSError(f"{error}") from None
    return list(dict.fromkeys((family, str(place[0])) for family, _, _, _, place in found))


def addresses(listening: Iterable[socket.socket], *, tls: bool) -> str:
    """What a browser understands, for people."""
    return ", ".join(_address(*each.getsockname()[:2], tls=tls) for each in listening)


def _address(host: str, port: int, *, tls: bool) -> str:
    return f"http{'s' if tls else ''}://{f'[{host}]' if ':' in host else host}:{port}/"


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where there are wheels of it."""
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


class Http(uvicorn.Server):
    """Answers at a socket until it is stopped. Leaves signals to others, and sleeps until it is stopped."""

    def __init__(self, app: ASGIApp, listening: Sequence[socket.socket], tls: ssl.SSLContext | None = None) -> None:
        settings = uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            interface="asgi3",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            # neither the environment nor a header says how many processes there are, or who asks
            workers=1,
            proxy_headers=False,
            timeout_graceful_shutdown=SHUTDOWN_S,
        )
        super().__init__(settings)
        self._listening = listening
        self._tls = tls
        self._stopping = asyncio.Event()
        self.ready = asyncio.Event()

    async def run_until_stopped(self) -> None:
        sweeping = asyncio.create_task(keep_sweeping(self.server_state.connections), name="http sweep")
        try:
            await self.serve()
        finally:
            sweeping.cancel()

    def stop(self) -> None:
        """New connections are refused; requests that are being answered may end."""
        self.should_exit = True
        for listening in self._listening:
            listening.close()
        self._stopping.set()

    async def exchange(self, app: ASGIApp, tls: ssl.SSLContext | None) -> None:
        """`app` answers from the next request on, also on open connections; another `tls` from the next connection on.

        Requests that are being answered finish with the app that they began with.
        """
        self.config.loaded_app = app
        for connection in self.server_state.connections:
            assert isinstance(connection, Connection)
            connection.answers_with(app)
        if tls is not self._tls:
            self._tls = tls
            old = self.servers
            await self.startup()
            for server in old:
                server.close()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.servers = [
            await loop.create_server(
                self._connection,
                # a copy: closing the server closes it, and the socket itself stays
                sock=listening.dup(),
                backlog=BACKLOG,
                ssl=self._tls,
                ssl_handshake_timeout=WAITING_S if self._tls else None,
            )
            for listening in self._listening
        ]
        self.started = True
        self.ready.set()

    def _connection(self) -> Connection:
        return Connection(config=self.config, server_state=self.server_state, app_state={})

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        await self._stopping.wait()
