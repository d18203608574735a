"""The server as a user runs it: the installed command in a process of its own, at a free port of this machine."""

import fcntl
import json
import os
import random
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import tty
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta, tzinfo
from http.cookiejar import CookieJar, DefaultCookiePolicy
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx

COMMAND = Path(sys.executable).parent / "iskra-server"
# generous: on a busy machine everything takes many times as long
DEADLINE_S, ANSWER_S = 120.0, 60.0


class Server:
    """A running server: `get` asks it, `log` is what it has written to stderr so far."""

    def __init__(
        self,
        process: "subprocess.Popen[str]",
        address: str,
        verify: ssl.SSLContext | None,
        headers: dict[str, str],
    ) -> None:
        self.process = process
        self.url = f"http{'s' if verify else ''}://{address}"
        self.headers = headers
        # a new connection for each question costs both sides more than the question; none of ours is idle for long
        self._client = httpx.Client(
            verify=verify or False,
            headers=headers,
            timeout=ANSWER_S,
            limits=httpx.Limits(keepalive_expiry=1.0),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )
        self._lines: list[str] = []
        self._collecting = threading.Thread(target=self._collect)
        self._collecting.start()

    @property
    def log(self) -> str:
        return "".join(self._lines)

    def get(self, path: str) -> httpx.Response:
        return self._client.get(self.url + path)

    def ask(self, path: str, question: dict[str, str]) -> httpx.Response:
        return self._client.get(self.url + path, params=question)

    def status(self) -> dict[str, Any]:
        """The diagnosis of the first meter."""
        meter: dict[str, Any] = self.get("/api/v1/status").json()["meters"][0]
        return meter

    def cumulated(self) -> httpx.Response:
        return self.get("/api/electricity/cumulated")

    def end(self) -> None:
        """SIGTERM, and the rest of the log."""
        self.process.terminate()
        try:
            self.process.wait(DEADLINE_S)
        finally:
            self.process.kill()
            self._collecting.join()
            self._client.close()

    def _collect(self) -> None:
        assert self.process.stderr
        with self.process.stderr as lines:
            self._lines.extend(lines)


@contextmanager
def serving(
    *arguments: str,
    environ: dict[str, str] | None = None,
    verify: ssl.SSLContext | None = None,
    headers: dict[str, str] | None = None,
    within: Sequence[str] = (),
    address: str = "127.0.0.1",
    port: int | None = None,
    command: Path = COMMAND,
) -> Iterator[Server]:
    """`iskra-server ARGUMENTS --port FREE`, answering; ended by SIGTERM. Without history, unless `environ` wants it.

    `verify`: asked over HTTPS; `headers` are sent with every request. On another machine: `within` is what a command
    is prefixed with to run there, `address` how it is reached.
    """
    port = port or free_port()
    # what was found at a pseudo-terminal of the same number, in another test, would be looked for again
    home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    os.chmod(home.name, 0o777)
    process = subprocess.Popen(
        [*within, command, *arguments, "--port", str(port)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ
        | {"IES_HISTORY_ENABLED": "false", "IES_SERVER_ANNOUNCE": "false", "HOME": home.name}
        | (environ or {}),
    )
    server = Server(process, f"{address}:{port}", verify, headers or {})
    try:
        until(lambda: answers(server))
        yield server
    finally:
        server.end()
        home.cleanup()


def answers(server: Server) -> bool:
    if server.process.poll() is not None:
        raise AssertionError(f"the server has ended: {server.log}")
    try:
        return server.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False


def fetch(url: str, **options: Any) -> httpx.Response:
    """An answer of a program of this machine, by HTTP; httpx would load all authorities for each question."""
    return httpx.get(url, **{"timeout": ANSWER_S, "verify": False, **options})


def until(condition: Callable[[], Any], deadline_s: float = DEADLINE_S, every_s: float = 0.02) -> Any:
    """Wait until a condition is true, and give what it gave; AssertionError at the deadline.

    The longer it takes, the more rarely it is looked at: to look takes time from what is waited for.
    """
    begin = time.monotonic()
    while (waited_s := time.monotonic() - begin) < deadline_s:
        if result := condition():
            return result
        time.sleep(max(every_s, min(waited_s / 20, 0.1)))
    raise AssertionError(f"not within {deadline_s} s: {condition}")


def wait_over_midnight(zone: tzinfo = UTC, near_s: float = DEADLINE_S) -> None:
    """Where it is near: what a test prepares for today must be asked for on the same day."""

    def is_far() -> bool:
        now = datetime.now(zone)
        return (now + timedelta(seconds=near_s)).date() == now.date()

    until(is_far, 2 * near_s)


def _ports() -> Iterator[int]:
    """Below those that the system gives to connections, which could take one meanwhile; for each process others."""
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    block = range(20_000, 32_000)[process % 4 :: 4]
    start = random.randrange(len(block))
    yield from cycle([*block[start:], *block[:start]])


_PORTS = _ports()


# the last ports that were given away, each locked: another run of tests on this machine takes others
_LOCKS: deque[int] = deque()
MAX_LOCKS = 40


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens at, and that stays free until it is used."""
    for port in _PORTS:
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            lock = os.open(Path(tempfile.gettempdir()) / f"iskra-test-port-{port}", os.O_CREAT | os.O_WRONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                continue
            _LOCKS.append(lock)
            if len(_LOCKS) > MAX_LOCKS:
                os.close(_LOCKS.popleft())
            return port
    raise AssertionError("no port is free")


class Head:
    """An infrared head: a pseudo-terminal behind a stable link. `unplug` closes it, `plug` opens another one."""

    def __init__(self, link: Path) -> None:
        self.link = link
        self._ends: tuple[int, ...] = ()
        self.plug()

    def plug(self) -> None:
        self._ends = os.openpty()
        tty.setraw(self._ends[1])
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(self._ends[1]))

    @property
    def is_plugged(self) -> bool:
        return bool(self._ends)

    def unplug(self) -> None:
        for end in self._ends:
            os.close(end)
        self._ends = ()
        self.link.unlink()

    def send(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._ends[0], data) :]

    def send_at_line_speed(self, data: bytes, baud: int = 9600) -> None:
        """In pieces of 16 bytes, as a USB adapter hands them over, at the pace of the line."""
        started = time.monotonic()
        for at in range(0, len(data), 16):
            self.send(data[at : at + 16])
            due = started + (at + 16) * 10 / baud
            time.sleep(max(0.0, due - time.monotonic()))


@contextmanager
def repeating(head: Head, telegram: bytes, every_s: float = 0.2) -> Iterator[None]:
    """The same telegram again and again, as of a meter without a load.

    Where a reading is stale soon, on a busy machine a single one would be stale before a test has looked.
    """
    is_over = threading.Event()

    def repeat() -> None:
        head.send(telegram)
        while not is_over.wait(every_s):
            head.send(telegram)

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


@contextmanager
def events(server: Server) -> Iterator[Iterator[dict[str, Any]]]:
    """The readings of the live stream, as they come."""
    with httpx.stream("GET", server.url + "/api/v1/live", timeout=DEADLINE_S, verify=False) as response:
        yield _readings(response.iter_lines())


def _readings(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    name = ""
    for line in lines:
        if line.startswith("event:"):
            name = line.removeprefix("event:").strip()
        elif line.startswith("data:") and name == "reading":
            yield json.loads(line.removeprefix("data:"))
