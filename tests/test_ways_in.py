"""Every way in but a serial port, from the device through `serve` to HTTP: bridge, broker, hex text, raw TCP.

The devices behave as their documentation says: ESPHome's stream_server and Tasmota's TCP bridge send raw bytes in the
pieces of their buffer, Tasmota serves two connections and ends the first for a third.
"""

import os
import socket
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

import telegrams
from outputs.mqtt.broker import Mosquitto, Subscriber
from outputs.mqtt.secured import guarded
from running import COMMAND, Server, serving, until
from sources.bridges import PASSWORD, bridge

EVERY_S = 0.3
SERIES = telegrams.series(400)


def kwh(server: Server) -> float | None:
    answer = server.cumulated()
    return answer.json()["value"] if answer.status_code == 200 else None


def rises(server: Server) -> None:
    """Two readings, one after the other."""
    first = until(lambda: kwh(server))
    until(lambda: (now := kwh(server)) and now > first)


class Device:
    """A TCP server that sends a telegram again and again to everybody who is connected; bytes in pieces."""

    def __init__(self, form: Callable[[bytes], bytes], *, piece: int, greeting: bytes = b"", limit: int = 8) -> None:
        self._form, self._piece, self._greeting, self._limit = form, piece, greeting, limit
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self._clients: list[socket.socket] = []
        self._stopped = threading.Event()
        self.dropped = 0
        self._thread = threading.Thread(target=self._run)

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()
        for client in [self._listener, *self._clients]:
            client.close()

    def _run(self) -> None:
        for telegram in SERIES:
            self._accept()
            data = self._form(telegram)
            for place in range(0, len(data), self._piece):
                for client in list(self._clients):
                    self._send(client, data[place : place + self._piece])
            if self._stopped.wait(EVERY_S):
                return

    def _accept(self) -> None:
        with suppress(TimeoutError):
            client, _ = self._listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._clients.append(client)
            self._send(client, self._greeting)
        while len(self._clients) > self._limit:
            self.dropped += 1
            self._clients.pop(0).close()

    def _send(self, client: socket.socket, data: bytes) -> None:
        try:
            client.sendall(data)
        except OSError:
            client.close()
            self._clients.remove(client)


@contextmanager
def device(form: Callable[[bytes], bytes] = bytes, **behaviour: int | bytes) -> Iterator[Device]:
    made = Device(form, **{"piece": 128} | behaviour)  # type: ignore[arg-type]
    made.start()
    try:
        yield made
    finally:
        made.stop()


def as_text(data: bytes) -> bytes:
    return b"mac=00:08:DC:00:00:01\r\nSML(" + data.hex().upper().encode() + b")\r\ntime=12\r\n"


def as_lines(data: bytes) -> bytes:
    return b"\r\n".join(data[place : place + 16].hex(" ").encode() for place in range(0, len(data), 16)) + b"\r\n--\r\n"


@pytest.mark.parametrize(
    ("form", "behaviour"),
    [
        (bytes, {"piece": 128}),
        (bytes, {"piece": 64, "limit": 2}),
        # telnet: WILL ECHO, WILL SUPPRESS-GO-AHEAD, DO BINARY
        (bytes, {"greeting": b"\xff\xfb\x01\xff\xfb\x03\xff\xfd\x00"}),
        (as_text, {"piece": 100}),
        (as_lines, {"piece": 33}),
    ],
    ids=["ESPHome stream_server", "Tasmota TCP bridge", "telnet server", "hex text", "lines of hex"],
)
def test_a_head_on_the_network_by_tcp(form: Callable[[bytes], bytes], behaviour: dict[str, int | bytes]) -> None:
    with device(form, **behaviour) as head, serving("serve", f"tcp://127.0.0.1:{head.port}") as server:
        rises(server)


def test_a_connection_that_tasmota_ends_for_a_third_one_is_opened_again() -> None:
    with device(limit=2) as head, serving("serve", f"tcp://127.0.0.1:{head.port}") as server:
        rises(server)
        others = [socket.create_connection(("127.0.0.1", head.port)) for _ in range(2)]
        until(lambda: head.dropped)
        for other in others:
            other.close()
        rises(server)


@contextmanager
def telegrams_sent(send: Callable[[bytes], object]) -> Iterator[None]:
    """A head sends one telegram after the other."""
    stopped = threading.Event()

    def send_all() -> None:
        for telegram in SERIES:
            send(telegram)
            if stopped.wait(EVERY_S):
                return

    thread = threading.Thread(target=send_all)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def test_a_tibber_bridge(tmp_path: Path) -> None:
    with bridge() as served, telegrams_sent(lambda telegram: setattr(served, "body", telegram)):
        url = f"{served.url}/data.json?node_id=1&poll_s=0.5"
        with serving("serve", url) as server:
            rises(server)
            assert server.status()["facts"]["source"] == url.replace(PASSWORD, "***")
            port = server.url.rpartition(":")[2]
            environ = os.environ | {"IES_PORT": port, "IES_METERS": url}
            subprocess.run([COMMAND, "support-bundle", tmp_path / "x.zip"], check=True, env=environ)
            shown = server.log + server.get("/api/v1/status").text
    with zipfile.ZipFile(tmp_path / "x.zip") as files:
        contents = {name: files.read(name) for name in files.namelist()}
    assert b"http://admin:***@127.0.0.1" in contents["configuration.toml"]
    # what the bridge served is in it
    assert telegrams.readings(contents["telegrams-1.bin"])
    assert [name for name, content in contents.items() if PASSWORD.encode() in content] == []
    assert PASSWORD not in shown


def test_a_bridge_whose_head_is_dead_never_has_a_current_reading() -> None:
    with bridge() as served:
        served.body = SERIES[0]
        with serving("serve", f"{served.url}/?poll_s=0.5") as server:
            until(lambda: len(served.requests) > 3)
            assert server.cumulated().status_code == 503
            served.body = SERIES[1]
            until(lambda: server.cumulated().status_code == 200)


def test_a_wrong_password_of_a_bridge_is_said_in_one_sentence() -> None:
    with bridge() as served:
        url = served.url.replace(PASSWORD, "WRONG-PASS")
        with serving("serve", url) as server:
            until(lambda: "refuses the user or the password" in server.log)
            assert "refuses the user or the password (401)" in server.status()["sentence"]
            assert "WRONG-PASS" not in server.log + server.get("/api/v1/status").text


def test_a_topic_of_a_broker(tmp_path: Path) -> None:
    topic = "tele/tasmota_8BD1DC/RESULT"
    with (
        guarded(tmp_path, "meter", PASSWORD) as broker,
        Subscriber(broker.port, "nothing", user="meter", password=PASSWORD) as head,
    ):
        head.say(topic, SERIES[399].hex(), retain=True)
        url = f"mqtt://meter:{PASSWORD}@127.0.0.1:{broker.port}/{topic}"
        with serving("serve", url) as server:
            until(lambda: topic in broker.log.read_text())
            assert server.cumulated().status_code == 503
            with telegrams_sent(lambda data: head.say(topic, f'{{"SSerialReceived":"{data.hex()}"}}'.encode())):
                rises(server)
        assert PASSWORD not in server.log


def test_a_broker_that_is_away_is_said_in_one_sentence(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    with serving("serve", f"{broker.url}/house/meter") as server:
        until(lambda: "There is no connection to the broker" in server.status()["sentence"])
        until(lambda: "Check that the broker is running" in server.log)
