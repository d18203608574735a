"""One connection to the broker: paho-mqtt on asyncio, by its public interface.

aiomqtt on top of paho hides the reason codes of MQTT 5, and its timeouts can lose a cancellation up to Python 3.11.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import lru_cache
from typing import Any

import paho.mqtt.client as paho
from msgspec import Struct
from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from iskra_server.base.threads import in_daemon_thread
from iskra_server.mqtt.access import BrokerAccess, tls_context
from iskra_server.mqtt.message import (
    PUBLISHING,
    READING,
    ConnectionLost,
    Denied,
    Message,
    MqttError,
    TakenOver,
    UnsupportedProtocol,
    WrongPassword,
    answered_within,
)

# for connecting, and for each acknowledgement
TIMEOUT_S = 5.0
# the broker sends the last will after one and a half of it (MQTT 5, 3.1.2.10)
KEEP_ALIVE_S = 20
_KEEP_ALIVE_CHECK_S = 1.0
# for the last message to a broker that may be gone
GOODBYE_S = 1.0
# reason codes (MQTT 5, 2.4)
_UNSUPPORTED_PROTOCOL, _BAD_USER, _NOT_AUTHORIZED, _SESSION_TAKEN_OVER = 0x84, 0x86, 0x87, 0x8E
_V5 = MQTTProtocolVersion.MQTTv5
_MAX_RECEIVED = 10_000
# Maximum Packet Size (MQTT 5, 3.1.2.11.4): anybody at the broker may publish 256 MB
MAX_PACKET_BYTES = 1 << 20


class ReceiveLimits(Struct, frozen=True):
    """What the broker may send: messages up to this size, and so many that are not acknowledged (MQTT 5, 3.1.2.11)."""

    packet_bytes: int
    unacknowledged: int


class BrokerConnection:
    """Awaited calls end when the broker has acknowledged, and raise MqttError when the connection is lost."""

    def __init__(self, client: paho.Client, client_id: str, limits: ReceiveLimits | None = None) -> None:
        self._client = client
        self._limits = limits
        self._client_id = client_id
        self._loop = asyncio.get_running_loop()
        self._error: MqttError | None = None
        self._ended = asyncio.Event()
        self._is_closed = False
        self._keep_alive_timer: asyncio.TimerHandle | None = None
        self._received: asyncio.Queue[paho.MQTTMessage | MqttError] = asyncio.Queue()
        self._connected: asyncio.Future[None] = self._loop.create_future()
        # packet id -> topics, for the error sentence, and the future of the acknowledgement
        self._unacknowledged: dict[int, tuple[tuple[str, ...], asyncio.Future[None]]] = {}
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_unsubscribe = self._on_unsubscribe

    async def open(self, access: BrokerAccess) -> None:
        """Raises MqttError. NoAnswer only after the TCP connection: it hints at an unknown protocol."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                # resolves the name, connects, TLS handshake
                await in_daemon_thread(lambda: self._connect(access))
        except TimeoutError:
            raise MqttError(
                (
                    f"it cannot be reached within {TIMEOUT_S:.0f} s",
                    f"er ist innerhalb von {TIMEOUT_S:.0f} s nicht erreichbar",
                )
            ) from None
        async with answered_within(TIMEOUT_S):
            self._add_to_loop()
            await self._connected

    def _connect(self, access: BrokerAccess) -> None:
        """Blocks. Raises MqttError."""
        try:
            if context := tls_context(access):
                self._client.tls_set_context(context)
            properties = _connect_properties(self._limits) if self._client.protocol is _V5 else None
            self._client.connect(access.host, access.port, KEEP_ALIVE_S, properties=properties)
        except (OSError, ValueError) as error:
            raise MqttError(re.sub(r"^\[Errno -?\d+\] ", "", str(error))) from None
        if self._is_closed:
            # the caller gave up meanwhile
            self._client.disconnect()

    async def close(self) -> None:
        """Disconnect. A broker that reads nothing more is left after GOODBYE_S."""
        self._is_closed = True
        self._client.disconnect()
        try:
            if self._client.socket() is not None:
                self._write()
                with suppress(TimeoutError):
                    async with asyncio.timeout(GOODBYE_S):
                        await self._ended.wait()
        finally:
            # also when this is cancelled
            self._fail(ConnectionLost(("the connection is closed", "die Verbindung ist beendet")))
            if (open_socket := self._client.socket()) is not None:
                self._on_socket_close(self._client, None, open_socket)
                open_socket.close()

    async def messages(self) -> AsyncIterator[paho.MQTTMessage]:
        """Endless; raises MqttError when the connection is lost."""
        while True:
            received = await self._received.get()
            if isinstance(received, MqttError):
                # for the next call
                self._received.put_nowait(received)
                raise received
            yield received

    def start_publish(self, message: Message, *, retain: bool = True) -> asyncio.Future[None]:
        """Send a message with QoS 1. The future ends when the broker acknowledges it, and raises Denied."""
        return self._publish_qos1(message, self._properties(message), retain=retain)

    def _properties(self, message: Message) -> Properties | None:
        if self._client.protocol is not _V5:
            return None
        if message.correlation:
            return publish_properties(message)
        return None if message.expire_s is None else _expiry_properties(message.expire_s)

    def _publish_qos1(self, message: Message, properties: Properties | None, *, retain: bool) -> asyncio.Future[None]:
        info = self._client.publish(message.topic, message.payload, qos=1, retain=retain, properties=properties)
        return self._acknowledgement(info.rc, info.mid, (message.topic,))

    async def publish(self, message: Message, *, retain: bool = True, timeout_s: float = TIMEOUT_S) -> None:
        async with answered_within(timeout_s):
            await self.start_publish(message, retain=retain)

    async def request(self, message: Message, response_topic: str) -> None:
        """Send a message that asks for a response (MQTT 5, 4.10); it is not retained."""
        properties = publish_properties(message)
        properties.ResponseTopic = response_topic
        async with answered_within(TIMEOUT_S):
            await self._publish_qos1(message, properties, retain=False)

    def publish_qos0(self, message: Message) -> None:
        """Send a message that may be lost: QoS 0, no acknowledgement."""
        self._client.publish(message.topic, message.payload, qos=0, properties=self._properties(message))
        self._write()

    def acknowledge(self, number: int) -> None:
        """A message of QoS 1, by its packet id, where the broker was given limits."""
        self._client.ack(number, 1)
        self._write()

    async def subscribe(self, *filters: str, qos: int = 0) -> None:
        """Raises Denied when the broker refuses one of the filters."""
        options: Any = SubscribeOptions(qos) if self._client.protocol is _V5 else qos
        code, number = self._client.subscribe([(topic_filter, options) for topic_filter in filters])
        async with answered_within(TIMEOUT_S):
            await self._acknowledgement(code, number, filters)

    async def unsubscribe(self, *filters: str) -> None:
        code, number = self._client.unsubscribe(list(filters))
        async with answered_within(TIMEOUT_S):
            await self._acknowledgement(code, number, filters)

    def _acknowledgement(self, code: int, number: int | None, topics: tuple[str, ...]) -> asyncio.Future[None]:
        acknowledgement: asyncio.Future[None] = self._loop.create_future()
        if code == MQTTErrorCode.MQTT_ERR_SUCCESS and number is not None and self._error is None:
            self._unacknowledged[number] = topics, acknowledgement
            self._write()
        else:
            acknowledgement.set_exception(self._error or ConnectionLost())
        return acknowledgement

    def _on_publish(self, _client: object, _data: object, number: int, code: ReasonCode, _: object) -> None:
        self._acknowledge(number, [code], PUBLISHING)

    def _on_subscribe(self, _client: object, _data: object, number: int, codes: list[ReasonCode], _: object) -> None:
        self._acknowledge(number, codes, READING)

    def _on_unsubscribe(self, _client: object, _data: object, number: int, *_: object) -> None:
        self._acknowledge(number, [], "")

    def _acknowledge(self, number: int, codes: list[ReasonCode], action: str) -> None:
        topics, acknowledgement = self._unacknowledged.pop(number, ((), None))
        if acknowledgement is None or acknowledgement.done():
            return
        for topic, code in zip(topics, codes, strict=False):
            if code.is_failure:
                acknowledgement.set_exception(Denied(action, topic, str(code)))
                return
        acknowledgement.set_result(None)

    def _on_connect(self, _client: object, _data: object, _flags: object, code: ReasonCode, _: object) -> None:
        if self._connected.done():
            return
        if not code.is_failure:
            self._connected.set_result(None)
        elif code.value == _UNSUPPORTED_PROTOCOL:
            self._connected.set_exception(UnsupportedProtocol(str(code)))
        else:
            kind = WrongPassword if code.value in (_BAD_USER, _NOT_AUTHORIZED) else MqttError
            self._connected.set_exception(
                kind((f"it refuses the connection: {code}", f"er lehnt die Verbindung ab: {code}"))
            )

    def _on_disconnect(self, _client: object, _data: object, flags: Any, code: ReasonCode, _: object) -> None:
        if code.value == _SESSION_TAKEN_OVER:
            self._fail(TakenOver(self._client_id))
        elif flags.is_disconnect_packet_from_server:
            self._fail(MqttError((f"it has ended the connection: {code}", f"er hat die Verbindung beendet: {code}")))
        else:
            self._fail(ConnectionLost())

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        if self._received.qsize() < _MAX_RECEIVED:
            self._received.put_nowait(message)

    def _fail(self, error: MqttError) -> None:
        """The connection is lost: everything that is awaited raises the error, now and later."""
        if self._error is not None:
            return
        self._error = error
        waiting = [self._connected, *(future for _, future in self._unacknowledged.values())]
        self._unacknowledged.clear()
        for future in waiting:
            if not future.done():
                future.set_exception(error)
            if not future.cancelled():
                # mark it as retrieved: asyncio logs exceptions of futures that nobody awaits any more
                future.exception()
        self._received.put_nowait(error)
        self._ended.set()

    def _add_to_loop(self) -> None:
        """From here on the event loop reads and writes the socket."""
        sock: Any = self._client.socket()
        if sock is None:
            self._fail(ConnectionLost())
            return
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client.on_socket_close = self._on_socket_close
        self._client.on_socket_register_write = self._on_register_write
        self._client.on_socket_unregister_write = self._on_unregister_write
        self._loop.add_reader(sock.fileno(), self._read)
        self._keep_alive_timer = self._loop.call_later(_KEEP_ALIVE_CHECK_S, self._keep_alive)
        self._write()

    def _keep_alive(self) -> None:
        self._client.loop_misc()
        if self._client.socket() is not None:
            self._keep_alive_timer = self._loop.call_later(_KEEP_ALIVE_CHECK_S, self._keep_alive)

    def _on_socket_close(self, _client: object, _data: object, sock: Any) -> None:
        if self._keep_alive_timer:
            self._keep_alive_timer.cancel()
        if sock.fileno() >= 0:
            self._loop.remove_reader(sock.fileno())
            self._loop.remove_writer(sock.fileno())

    def _on_register_write(self, _client: object, _data: object, sock: Any) -> None:
        self._loop.add_writer(sock.fileno(), self._write)

    def _on_unregister_write(self, _client: object, _data: object, sock: Any) -> None:
        # paho calls this once more when it is garbage collected, with a closed socket that had data to write
        if sock.fileno() >= 0:
            self._loop.remove_writer(sock.fileno())

    def _read(self) -> None:
        try:
            self._client.loop_read()
            # TLS may have decrypted more than was read: the event loop does not see that
            while isinstance(sock := self._client.socket(), ssl.SSLSocket) and sock.pending():
                self._client.loop_read()
        except OSError as error:
            self._fail(ConnectionLost(str(error)))

    def _write(self) -> None:
        """Now: the event loop would write in its next iteration only."""
        try:
            self._client.loop_write()
        except OSError as error:
            self._fail(ConnectionLost(str(error)))


def publish_properties(message: Message, packet: int = PacketTypes.PUBLISH) -> Properties:
    """`packet`: PUBLISH, or WILLMESSAGE of a last will."""
    properties = Properties(packet)  # type: ignore[no-untyped-call]
    if message.expire_s is not None:
        properties.MessageExpiryInterval = message.expire_s
    if message.correlation:
        properties.CorrelationData = message.correlation
    return properties


@lru_cache(maxsize=16)
def _expiry_properties(expire_s: int) -> Properties:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.MessageExpiryInterval = expire_s
    return properties


def _connect_properties(limits: ReceiveLimits | None) -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.MaximumPacketSize = limits.packet_bytes if limits else MAX_PACKET_BYTES
    if limits:
        properties.ReceiveMaximum = limits.unacknowledged
    return properties
