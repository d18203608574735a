"""The central server as the test says: a client that hears the messages of readers and answers them, or does not."""

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from iskra_server.fleet import protocol
from iskra_server.fleet.protocol import Correlation, Receipt
from running import DEADLINE_S


class Heard(NamedTuple):
    reader: str
    kind: str
    payload: bytes
    answer_to: str
    data: bytes

    @property
    def content(self) -> dict[str, Any]:
        decoded: dict[str, Any] = msgspec.json.decode(self.payload)
        return decoded

    @property
    def correlation(self) -> Correlation:
        found = protocol.correlation(self.data)
        assert found
        return found

    @property
    def quarters(self) -> list[int]:
        return sorted({row[0] for rows in self.content["counters"].values() for row in rows})


# None: no answer; bytes: as they are, as a collector of the first protocol sends them
Decide = Callable[[Heard], "Receipt | bytes | None"]


def keep(_message: Heard) -> Receipt:
    return Receipt("kept")


class Centre:
    """`heard` holds every message in order; `decide` may be replaced at any time."""

    def __init__(self, port: int, decide: Decide = keep) -> None:
        self.heard: list[Heard] = []
        self.decide = decide
        self._ready = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe("iskra/v1/+/+", qos=1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._ready.wait(DEADLINE_S)

    def __enter__(self) -> "Centre":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def of(self, kind: str) -> list[Heard]:
        return [message for message in list(self.heard) if message.kind == kind]

    def say(self, reader: str, correlation: bytes, receipt: Receipt | bytes) -> None:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.CorrelationData = correlation
        payload = receipt if isinstance(receipt, bytes) else protocol.encode_receipt(receipt)
        self._client.publish(f"iskra/v1/{reader}/kept", payload, qos=1, properties=properties)

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        _, _, reader, kind = message.topic.split("/")
        if kind == "kept":
            return
        properties = message.properties
        answer_to = getattr(properties, "ResponseTopic", "")
        heard = Heard(reader, kind, bytes(message.payload), answer_to, getattr(properties, "CorrelationData", b""))
        self.heard.append(heard)
        if answer_to and (answer := self.decide(heard)) is not None:
            self.say(reader, heard.data, answer)
