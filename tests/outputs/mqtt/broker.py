"""A real Mosquitto at a free port of this machine, and a subscriber that notes everything it hears."""

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from running import DEADLINE_S, free_port, until

# daemons are not on everybody's path
PROGRAM = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


class Mosquitto:
    """A broker that keeps nothing over a restart. `options` are further lines of its configuration.

    On another machine: `within` is what a command is prefixed with to run there, `address` how it is reached.
    """

    def __init__(
        self,
        directory: Path,
        *options: str,
        anonymous: bool = True,
        verbose: bool = True,
        within: Sequence[str] = (),
        address: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        if PROGRAM is None:
            pytest.skip("mosquitto is not installed (deploy/debian-test-packages.txt)")
        self.port = port or free_port()
        self.address = address
        self._within = within
        self.log = directory / "mosquitto.log"
        self._config = directory / "mosquitto.conf"
        lines = [
            f"listener {self.port} {address}",
            f"allow_anonymous {str(anonymous).lower()}",
            "persistence false",
            f"log_type {'all' if verbose else 'error'}",
            f"log_dest file {self.log}",
            *(["user root"] if os.geteuid() == 0 else []),
            *options,
        ]
        self._config.write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://{self.address}:{self.port}"

    def start(self) -> "Mosquitto":
        assert PROGRAM
        self._process = subprocess.Popen(
            [*self._within, PROGRAM, "-c", self._config],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
        )
        until(self.listens)
        return self

    def listens(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex((self.address, self.port)) == 0

    def stop(self) -> None:
        """As a service manager ends it: what it keeps is written."""
        assert self._process
        self._process.terminate()
        self._process.wait(DEADLINE_S)
        self._process = None

    def freeze(self) -> None:
        """It holds its connections, and answers nobody."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """As a crash ends it: no word to anybody."""
        if self._process:
            self._process.kill()
            self._process.wait(DEADLINE_S)
            self._process = None


class Subscriber:
    """`heard` holds (moment, topic, payload) in order, `now` the newest of each topic, `kept` what was retained."""

    def __init__(
        self,
        port: int,
        topics: str = "#",
        *,
        context: Any = None,
        user: str = "",
        password: str = "",
        address: str = "127.0.0.1",
    ) -> None:
        self.heard: list[tuple[float, str, bytes]] = []
        self.now: dict[str, bytes] = {}
        self.kept: dict[str, bytes] = {}
        self._topics = topics
        self._subscribed = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_connect = self._connected
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._take
        self._client.reconnect_delay_set(1, 1)
        if context:
            self._client.tls_set_context(context)
        if user:
            self._client.username_pw_set(user, password)
        self._client.connect(address if not context else "localhost", port)
        self._client.loop_start()
        assert self._subscribed.wait(DEADLINE_S)

    def __enter__(self) -> "Subscriber":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(DEADLINE_S)

    def json(self, topic: str) -> Any:
        """The newest payload of a topic as JSON, None before the first."""
        payload = self.now.get(topic)
        return json.loads(payload) if payload else None

    def all_of(self, topic: str) -> list[bytes]:
        return [payload for _, each, payload in self.heard if each == topic]

    def wait_for(self, topic: str, count: int) -> list[bytes]:
        """So many messages of a topic."""
        until(lambda: len(self.all_of(topic)) >= count)
        return self.all_of(topic)

    def topics(self, beginning: str = "") -> set[str]:
        """Topics whose newest payload is not empty."""
        return {topic for topic, payload in list(self.now.items()) if payload and topic.startswith(beginning)}

    def _connected(self, client: paho.Client, *_: object) -> None:
        client.subscribe(self._topics, qos=1)

    def _take(self, _client: object, _userdata: object, message: paho.MQTTMessage) -> None:
        self.now[message.topic] = payload = bytes(message.payload)
        if message.retain:
            self.kept[message.topic] = payload
        self.heard.append((time.monotonic(), message.topic, payload))


def retained(port: int, beginning: str = "", **access: Any) -> dict[str, bytes]:
    """What a broker has retained, asked by somebody new."""
    with Subscriber(port, **access) as asking:
        # the broker answers in order: behind this message there is nothing more that was retained
        asking.say("test/end", "end")
        until(lambda: "test/end" in asking.now)
        return {topic: payload for topic, payload in asking.kept.items() if topic.startswith(beginning)}
