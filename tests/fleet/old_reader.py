"""A reader of the first protocol: it numbers its messages in four octets, and forgets what is answered in any way."""

import threading

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from running import DEADLINE_S


class OldReader:
    """`answers` are the payloads by number, as they are."""

    def __init__(self, port: int, name: str) -> None:
        self.answers: dict[bytes, bytes] = {}
        self._topic = f"iskra/v1/{name}"
        self._ready = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe(f"{self._topic}/kept", qos=1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._on_answer
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._ready.wait(DEADLINE_S)

    def __enter__(self) -> "OldReader":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def send(self, number: int | bytes, payload: bytes) -> None:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ResponseTopic = f"{self._topic}/kept"
        properties.CorrelationData = number if isinstance(number, bytes) else number.to_bytes(4)
        self._client.publish(f"{self._topic}/quarters", payload, qos=1, properties=properties).wait_for_publish(
            DEADLINE_S
        )

    def _on_answer(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        self.answers[getattr(message.properties, "CorrelationData", b"")] = bytes(message.payload)
