"""A stand-in for the Supervisor of Home Assistant, as an app sees it: a real HTTP server in a thread.

    GET  /services/mqtt                      the broker, 400 while there is none
    POST /discovery                          collected in `discovery`
    GET  /discovery, /discovery/UUID         for a real Home Assistant
    any  /core/api/...                       to a real Home Assistant, with its own token
    any  /api/hassio_ingress/TOKEN/...       ingress as a browser sees it: Home Assistant and Supervisor in one step
    any  /ingress/TOKEN/...                  the Supervisor's part of it, behind a real Home Assistant
    GET  /frame#/VIEW                        the frontend: signs in to ingress, and shows the app in its frame

Ingress strips its prefix, adds X-Ingress-Path, X-Forwarded-... and X-Remote-User-..., passes on the browser's Host, its
cookies and streams of every kind, and needs the cookie of a session. Each request has a connection of its own.
"""

import asyncio
import json
import secrets
import threading
import zlib
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from supervisor_answers import APP, CORE_ANSWERS

Headers = list[tuple[str, str]]
PassOn = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]
SESSION_COOKIE = "ingress_session"
USER = {"X-Remote-User-Id": "5d8c9a1f", "X-Remote-User-Name": "owner", "X-Remote-User-Display-Name": "Owner"}
_INGRESS, _INNER_INGRESS = "/api/hassio_ingress/", "/ingress/"
_NO_INGRESS = ("/ingress/panels", "/ingress/session", "/ingress/validate_session")
# what Home Assistant does not pass on to an app: it compresses itself, and a request must not name its user
_NOT_PASSED = frozenset(("accept-encoding", "connection", "x-supervisor-token", "x-hassio-key", *map(str.lower, USER)))
_DEADLINE_S = 60.0
_FRAME = """<!doctype html><meta name=viewport content="width=device-width, initial-scale=1">
<style>body {{ margin: 0; height: 100vh; display: flex; flex-direction: column; font: 20px sans-serif }}
header {{ padding: 12px 16px; background: #03a9f4; color: #fff }} iframe {{ flex: 1; border: 0; width: 100% }}</style>
<link rel=icon href="data:,"><header>Home Assistant</header><iframe title=Strom></iframe>
<script>document.querySelector("iframe").src = "{path}" + location.hash</script>"""


class Target(NamedTuple):
    """The ingress port of an app; `source` is the address that the Supervisor connects from, None for any."""

    host: str
    port: int
    source: str | None = None


class Request(NamedTuple):
    method: str
    path: str
    headers: Headers
    body: bytes

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


class SupervisorStandIn:
    """What it knows may be changed while it runs."""

    def __init__(self) -> None:
        self.host, self.port = "", 0
        # of the app, and of a real Home Assistant
        self.token, self.core_token = secrets.token_hex(28), secrets.token_hex(28)
        # what the config.yaml of the app declares
        self.services, self.discoverable = {"mqtt"}, {"iskra_server"}
        self.mqtt: dict[str, Any] | None = None
        # messages with uuid, service and config, in the order in which they came; a changed one counts again
        self.discovery: list[dict[str, Any]] = []
        # it is started anew, as when it is updated
        self.is_ready = True
        # the address of a real Home Assistant, and a long-lived token
        self.home_assistant: tuple[str, str] | None = None
        self.app: Target | None = None
        self.session = secrets.token_hex(32)
        self.ingress_token = secrets.token_urlsafe(32)
        # as Home Assistant before 2026.2, which compresses a stream and never flushes
        self.holds_streams_back = False
        # method, path, and status where it is this server's own
        self.requests: list[tuple[str, str, int]] = []
        # of the last request through ingress, as the app got them
        self.passed: Headers = []

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def environ(self) -> dict[str, str]:
        """Of the app."""
        return {"SUPERVISOR": f"{self.host}:{self.port}", "SUPERVISOR_TOKEN": self.token}

    @property
    def core_environ(self) -> dict[str, str]:
        """Of a real Home Assistant, which then loads its integration `hassio`."""
        return {**self.environ, "SUPERVISOR_TOKEN": self.core_token}

    @property
    def ingress_path(self) -> str:
        """Without the slash at the end, as in X-Ingress-Path."""
        return f"{_INGRESS}{self.ingress_token}"

    @property
    def page_url(self) -> str:
        """For a client with `cookies`."""
        return f"{self.url}{self.ingress_path}/"

    @property
    def frame_url(self) -> str:
        return f"{self.url}/frame"

    @property
    def cookies(self) -> dict[str, str]:
        return {SESSION_COOKIE: self.session}

    def renew_ingress(self) -> None:
        """The app was started again: its old address is gone."""
        self.ingress_token = secrets.token_urlsafe(32)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            # clients go away as they like
            with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                if request := await _request(reader):
                    await self._answer(request, reader, writer)
        finally:
            await _close(writer)

    async def _answer(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = urlsplit(request.path).path
        for prefix in (_INGRESS, _INNER_INGRESS):
            if path.startswith(prefix) and path not in _NO_INGRESS:
                await self._ingress(request, prefix, reader, writer)
                return
        if path.startswith("/core/api/") and self.home_assistant and self._bearer(request) == self.token:
            url, token = self.home_assistant
            place = urlsplit(url)
            kept = [pair for pair in request.headers if pair[0].lower() not in ("authorization", "connection", "host")]
            headers = [("Host", place.netloc), ("Authorization", f"Bearer {token}"), *kept]
            sent = request._replace(path=request.path.removeprefix("/core"), headers=headers)
            await self._proxy(sent, Target(place.hostname or "", place.port or 80), reader, writer)
            return
        if path == "/frame":
            cookie = f"Set-Cookie: {SESSION_COOKIE}={self.session}; Path={_INGRESS}; SameSite=Strict; HttpOnly\r\n"
            page = _FRAME.format(path=f"{self.ingress_path}/").encode()
            self._reply(writer, request, HTTPStatus.OK, page, f"Content-Type: text/html; charset=utf-8\r\n{cookie}")
            return
        status, content = self._api(request, path)
        result = {"result": "ok", "data": content} if status == 200 else {"result": "error", "message": content}
        self._reply(writer, request, status, json.dumps(result).encode(), "Content-Type: application/json\r\n")

    def _api(self, request: Request, path: str) -> tuple[int, Any]:
        if not self.is_ready:
            return 400, "System is not ready with state: setup"
        if self._bearer(request) not in (self.token, self.core_token):
            return 401, "Unauthorized"
        answer: tuple[int, Any] = 404, "Not found"
        match request.method, path.strip("/").split("/"):
            case "GET", ["services", "mqtt"] if "mqtt" not in self.services:
                answer = 403, "No access to mqtt service!"
            case "GET", ["services", "mqtt"]:
                answer = (200, self.mqtt) if self.mqtt else (400, "Service not enabled")
            case "POST", ["discovery"]:
                answer = self._discover(json.loads(request.body))
            case "GET", ["discovery"]:
                answer = 200, {"discovery": self.discovery[-1:], "services": {}}
            case "GET", ["discovery", uuid]:
                found = [message for message in self.discovery if message["uuid"] == uuid]
                answer = (200, found[-1]) if found else (404, "Discovery message not found")
            case "POST", ["ingress", "session"]:
                answer = 200, {"session": self.session}
            case _ if self._bearer(request) == self.core_token:
                answer = 200, CORE_ANSWERS.get(path, {})
        return answer

    def _discover(self, message: dict[str, Any]) -> tuple[int, Any]:
        """Home Assistant hears of one that is new or has changed."""
        if set(message) != {"service", "config"} or message["service"] not in self.discoverable:
            return 403, "Apps must list services they provide via discovery in their config!"
        known = [other for other in self.discovery if other["service"] == message["service"]]
        uuid: str = known[0]["uuid"] if known else secrets.token_hex(16)
        if not known or known[-1]["config"] != message["config"]:
            self.discovery.append({"addon": APP, "uuid": uuid, **message})
        return 200, {"uuid": uuid}

    def _bearer(self, request: Request) -> str:
        return request.header("x-supervisor-token") or request.header("authorization").rpartition(" ")[2]

    async def _ingress(
        self, request: Request, prefix: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        token, _, path = request.path.removeprefix(prefix).partition("/")
        if f"{SESSION_COOKIE}={self.session}" not in request.header("cookie"):
            self._reply(writer, request, HTTPStatus.UNAUTHORIZED, b"401: Unauthorized")
        elif token != self.ingress_token or not self.app:
            self._reply(writer, request, HTTPStatus.SERVICE_UNAVAILABLE, b"503: Service Unavailable")
        else:
            headers = [pair for pair in request.headers if pair[0].lower() not in _NOT_PASSED]
            if prefix == _INGRESS:
                headers += [("X-Hass-Source", "core.ingress"), ("X-Ingress-Path", self.ingress_path)]
                headers += [("X-Forwarded-Host", request.header("host")), ("X-Forwarded-Proto", "http")]
            client = writer.get_extra_info("peername")[0]
            before = [value for name, value in headers if name.lower() == "x-forwarded-for"] or ["None"]
            headers = [pair for pair in headers if pair[0].lower() != "x-forwarded-for"]
            self.passed = [*headers, *USER.items(), ("X-Forwarded-For", ", ".join((*before, client)))]
            sent = request._replace(path=f"/{path}", headers=self.passed)
            is_compressed = self.holds_streams_back and "deflate" in request.header("accept-encoding")
            await self._proxy(sent, self.app, reader, writer, _hold_back if is_compressed else _pass_on)

    async def _proxy(
        self,
        request: Request,
        target: Target,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        pass_back: PassOn = _pass_on,
    ) -> None:
        """Passes on whatever comes, at once, until one side ends."""
        source = (target.source, 0) if target.source else None
        try:
            answers, questions = await asyncio.open_connection(target.host, target.port, local_addr=source)
        except OSError:
            self._reply(writer, request, HTTPStatus.BAD_GATEWAY, b"502: Bad Gateway")
            return
        self.requests.append((request.method, request.path, 0))
        is_upgrade = request.header("upgrade") != ""
        headers = [*request.headers, ("Connection", "Upgrade" if is_upgrade else "close")]
        lines = [f"{request.method} {request.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        questions.write("\r\n".join((*lines, "", "")).encode() + request.body)
        both = [asyncio.create_task(_pass_on(reader, questions)), asyncio.create_task(pass_back(answers, writer))]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in both:
                each.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            await _close(questions)

    def _reply(self, writer: asyncio.StreamWriter, request: Request, status: int, body: bytes, more: str = "") -> None:
        self.requests.append((request.method, request.path, status))
        head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Length: {len(body)}\r\n"
        writer.write(f"{head}{more}Connection: close\r\n\r\n".encode() + body)


async def _request(reader: asyncio.StreamReader) -> Request | None:
    """None from a client that only opened a connection."""
    async with asyncio.timeout(_DEADLINE_S):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return None
        first, *lines = head.decode("latin-1").rstrip().split("\r\n")
        method, path, _ = first.split(" ")
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        request = Request(method, path, headers, b"")
        return request._replace(body=await reader.readexactly(int(request.header("content-length") or 0)))


async def _hold_back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A stream of events compressed and never flushed, so that it arrives in lumps of many kB; all else as it is."""
    head = await reader.readuntil(b"\r\n\r\n")
    if b"content-type: text/event-stream" not in head.lower():
        writer.write(head)
        return await _pass_on(reader, writer)
    assert b"transfer-encoding: chunked" in head.lower()
    writer.write(head.removesuffix(b"\r\n") + b"content-encoding: deflate\r\n\r\n")
    compressor = zlib.compressobj()
    while size := int(await reader.readline(), 16):
        data = compressor.compress(await reader.readexactly(size))
        await reader.readline()
        if data:
            writer.write(b"%x\r\n%b\r\n" % (len(data), data))
        await writer.drain()
    rest = compressor.flush()
    writer.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(rest), rest))
    await writer.drain()


@contextmanager
def supervisor(host: str = "127.0.0.1", port: int = 0) -> Iterator[SupervisorStandIn]:
    box = SupervisorStandIn()
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def main() -> None:
        end = asyncio.Event()
        server = await asyncio.start_server(box.serve, host, port)
        box.host, box.port = server.sockets[0].getsockname()[:2]
        started.set_result((asyncio.get_running_loop(), end))
        await end.wait()
        server.close()

    def run() -> None:
        try:
            # it cancels what is still being passed on
            asyncio.run(main())
        except OSError as error:
            started.set_exception(error)

    thread = threading.Thread(target=run, name="supervisor")
    thread.start()
    loop, end = started.result(_DEADLINE_S)
    try:
        yield box
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(_DEADLINE_S)
