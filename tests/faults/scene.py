"""A scene for one fault: the real server, a head on a pseudo-terminal, and whatever else stands around it."""

import fcntl
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

import telegrams
from outputs.mqtt.broker import Mosquitto, Subscriber
from running import Head, Server, serving, until
from sources.bridges import FakeBridge, bridge

FIRST_ENERGY = 123456780
TOPIC = "house/meter/raw"
# a driver that counts errors
_DRIVER = Path(__file__).parent / "driver"
# without them root may open everything, and see who holds what
_POWERS = "-dac_override,-dac_read_search,-sys_ptrace"
# a /dev of its own, with the pseudo-terminals of this machine
_OWN_DEV = 'mount --bind /dev/pts "$0/pts" && mount --rbind "$0" /dev && exec "$@"'


class Scene:
    """`head` is plugged in and serves nothing yet; `deliver` sends the bytes of good telegrams to the server."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.head = Head(folder / "usb-infrared-head")
        self.heads = [self.head]
        self.server: Server
        self.deliver: Callable[[bytes], None] = self.head.send
        self._stack = stack
        self._energy = FIRST_ENERGY

    def serve(self, *meters: object, before: tuple[str, ...] = (), environ: dict[str, str] | None = None) -> None:
        """The server, for the head if no meters are named; any server before it has ended."""
        urls = map(str, meters or (self.head.link,))
        self.server = self._stack.enter_context(serving("serve", *urls, environ=environ, within=before))

    def serve_counting(self) -> None:
        """With a driver that counts errors, which it has none of."""
        self.driver_counts(framing=0, overruns=0)
        self.serve(environ={"PYTHONPATH": str(_DRIVER), "STAGED_DRIVER": str(self.folder / "driver")})
        self.is_open()

    def driver_counts(self, *, framing: int, overruns: int) -> None:
        """So many since the head was plugged in."""
        written = self.folder / "written"
        written.write_text(f"{framing} {overruns}")
        written.rename(self.folder / "driver")

    def serve_weak(self, *meters: object, environ: dict[str, str] | None = None) -> None:
        """Without the powers of root: permissions count, and other programs' files are not seen."""
        if os.geteuid() or not shutil.which("setpriv"):
            pytest.skip("only root can give powers away, with setpriv")
        self.serve(*meters, before=("setpriv", "--bounding-set", _POWERS, "--inh-caps", _POWERS), environ=environ)

    def serve_auto(self, environ: dict[str, str] | None = None) -> Path:
        """Searching among the ports of a /dev of its own; gives its folder of stable names."""
        if os.geteuid() or not shutil.which("unshare"):
            pytest.skip("only root can give a program a /dev of its own, with unshare")
        by_id = self.folder / "dev" / "serial" / "by-id"
        by_id.mkdir(parents=True)
        (self.folder / "dev" / "pts").mkdir()
        own_dev = ("unshare", "--mount", "sh", "-c", _OWN_DEV, str(self.folder / "dev"))
        self.serve("auto", before=own_dev, environ=environ)
        return by_id

    def plug(self, by_id: Path, name: str) -> Head:
        """One more head, under a stable name."""
        made = Head(by_id / name)
        self.heads.append(made)
        return made

    def is_open(self) -> None:
        until(lambda: self.server.status()["facts"]["is_open"])

    def is_read_at(self, line: str) -> None:
        """A search has these settings now; bytes at others would be noise."""
        until(lambda: self.server.status()["facts"]["line"] == line)

    def good(self, **entries: Any) -> bytes:
        """The next telegram of the meter."""
        self._energy += 1
        entries = {"energy": self._energy, **entries}
        return telegram(seconds=self._energy, **entries)

    def told(self, fault: str) -> dict[str, Any]:
        """The status of the source that tells of a fault, as soon as one does."""
        found: dict[str, Any] = until(lambda: self._telling(fault))
        return found

    def is_read(self) -> None:
        """Good telegrams are served, to the last digit."""

        def is_served() -> bool:
            self.deliver(self.good())
            answer = self.server.cumulated()
            body = msgspec.json.decode(answer.content, type=dict[str, msgspec.Raw])
            low, high = FIRST_ENERGY, self._energy
            return answer.status_code == 200 and low < float(bytes(body["value"])) * 10_000 <= high

        until(is_served)

        def is_well() -> bool:
            if self.server.status()["ok"]:
                return True
            # on a busy machine the last telegram may be too old already
            self.deliver(self.good())
            return False

        until(is_well)

    @contextmanager
    def held(self) -> Iterator[None]:
        """The head's port locked by this program."""
        with self.head.link.open("rb") as port:
            fcntl.flock(port, fcntl.LOCK_EX)
            yield

    def listen(self, port: int = 0) -> socket.socket:
        """A TCP server that the server may connect to."""
        return self._stack.enter_context(socket.create_server(("127.0.0.1", port)))

    def serve_bridge(self) -> FakeBridge:
        """The server at a bridge, which serves what is delivered."""
        served = self._stack.enter_context(bridge())
        self.deliver = lambda data: setattr(served, "body", data)
        self.serve(f"{served.url}/?poll_s=0.5")
        return served

    def serve_topic(self) -> Mosquitto:
        """The server at a topic of a broker that is not started yet."""
        broker = Mosquitto(self.folder)
        self._stack.callback(broker.kill)
        self.serve(f"{broker.url}/{TOPIC}")
        return broker

    def publish(self, broker: Mosquitto) -> None:
        """From now on telegrams are delivered to the topic."""
        head = self._stack.enter_context(Subscriber(broker.port, "nothing"))
        self.deliver = lambda data: head.say(TOPIC, data)

    def accept(self, listening: socket.socket) -> None:
        """From now on telegrams are delivered to the next client."""
        client, _ = listening.accept()
        self.deliver = self._stack.enter_context(client).sendall

    def _telling(self, fault: str) -> dict[str, Any] | None:
        statuses: list[dict[str, Any]] = self.server.get("/api/v1/status").json()["meters"]
        for status in statuses:
            if fault in (status["advice"]["fault"], *(notice["fault"] for notice in status["notices"])):
                return status
        return None


def telegram(*, energy: int, seconds: int = 1000, scaler: int = -1, power: int | None = 300, **more: Any) -> bytes:
    entries = telegrams.meter_entries(energy=energy, scaler=scaler, power=power)
    return telegrams.telegram(entries, seconds=seconds, **more)


@contextmanager
def scene() -> Iterator[Scene]:
    """In a folder that everybody may enter."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        made = Scene(folder, stack)
        try:
            yield made
        finally:
            stack.close()
            for head in made.heads:
                if head.is_plugged:
                    head.unplug()
