"""The sockets of the HTTP server, open as long as the process lives, and the server behind them.

Its app and its certificate can be exchanged while it runs.
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence

from starlette.types import ASGIApp

from iskra_server.base.processes import is_server, listening_programs, sockets_of_other_servers
from iskra_server.config import ConfigError
from iskra_server.web.http.connection import WAITING_S, Connection, keep_sweeping
from iskra_server.web.http.uvicorn_adapter import BACKLOG, EmbeddedServer

_NO_SUCH_ADDRESS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def listen(
    host: str, port: int, port_settings: str = "--port, IES_PORT or server.port", host_setting: str = "server.host"
) -> list[socket.socket]:
    """A socket for each address of `host`; "::" is every IPv4 and IPv6 address. Port 0 is a free one, the same for all.

    Raises ConfigError for an address or a port that cannot be used; `port_settings` are where another one is chosen.
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
                if error.errno not in _NO_SUCH_ADDRESS:
                    raise
                missing = error
        if not listening and missing:
            raise missing
    except OSError as error:
        for opened in listening:
            opened.close()
        fix = _what_to_do(error, port, port_settings, host_setting)
        raise ConfigError(f"Cannot listen on {host} port {port}: {fix}.") from error
    return listening


def _what_to_do(error: OSError, port: int, port_settings: str, host_setting: str) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"{_who_listens(port)}, or choose another with {port_settings}"
        case errno.EACCES:
            return f"ports below 1024 need a privilege; choose another with {port_settings}"
        case errno.EMFILE | errno.ENFILE:
            return f"{error.strerror}; allow more with ulimit -n (LimitNOFILE of systemd)"
        case _:
            return f"{error.strerror or error}; {host_setting} must be an address of this machine"


def _who_listens(port: int) -> str:
    """Who has a port that is in use, and what to do about it."""
    programs = ", ".join(listening_programs(port, "tcp"))
    if is_server(programs) or any(opened.port == port for opened in sockets_of_other_servers()):
        server = programs or "another iskra-server"
        return f"{server} uses it; open its page, stop it (if it is the service, sudo systemctl stop iskra-server)"
    if programs:
        return f"{programs} uses it; stop that program"
    return f"another program uses it; find it with sudo ss -lntp 'sport = :{port}' and stop it"


def _addresses(host: str) -> list[tuple[socket.AddressFamily, str]]:
    """Raises OSError for an unknown name."""
    if host == "::":
        # two sockets: not every system has one for both, and with one IPv4 clients would show as IPv6 addresses
        return [(socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")]
    try:
        entries = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except UnicodeError as error:
        raise OSError(f"{error}") from None
    return list(dict.fromkeys((family, str(place[0])) for family, _, _, _, place in entries))


def addresses(listening: Iterable[socket.socket], *, tls: bool) -> str:
    """URLs for people."""
    return ", ".join(_url(*opened.getsockname()[:2], tls=tls) for opened in listening)


def _url(host: str, port: int, *, tls: bool) -> str:
    return f"http{'s' if tls else ''}://{f'[{host}]' if ':' in host else host}:{port}/"


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop, where it is installed."""
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


class Http(EmbeddedServer):
    """Answers at the sockets until it is stopped, within the limits of web/http/connection.py."""

    def __init__(self, app: ASGIApp, listening: Sequence[socket.socket], tls: ssl.SSLContext | None = None) -> None:
        super().__init__(app, Connection, listening, tls, handshake_s=WAITING_S)

    async def run_until_stopped(self) -> None:
        sweeping = asyncio.create_task(keep_sweeping(self.connections), name="http sweep")
        try:
            await self.serve()
        finally:
            sweeping.cancel()
