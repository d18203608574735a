"""A connection to the broker: MQTT 5, or 3.1.1 where the broker knows no other; and how long to wait for the next.

A broker that is gone is looked for every second, as most are back soon; after two minutes ever more rarely.

Time limits are ours: those of aiomqtt use asyncio.wait_for, which up to Python 3.11 can lose a cancellation, and then
the server would not stop.
"""

import asyncio
import logging
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from itertools import chain, repeat
from math import inf
from typing import Any

from aiomqtt import Client, MqttError, ProtocolVersion, Will
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from iskra_server.outputs.mqtt.outbox import Message
from iskra_server.outputs.mqtt.settings import Settings, tls_context
from iskra_server.outputs.mqtt.topics import OFFLINE

log = logging.getLogger(__name__)
# paho says at every turn what we say once
_SILENT = logging.getLogger(f"{__name__}.paho")
_SILENT.setLevel(logging.CRITICAL)

RETRY_S, MAX_RETRY_S = 1.0, 30.0
_TRIES = 120
# for connecting, and for each acknowledgement
TIMEOUT_S = 5.0
# a broker that says nothing for this long is gone; it sends the will after one and a half of it
KEEP_ALIVE_S = 20
# for the last word to a broker that may be gone
GOODBYE_S = 1.0
_UNSUPPORTED = 132
_OTHER = {ProtocolVersion.V5: ProtocolVersion.V311, ProtocolVersion.V311: ProtocolVersion.V5}
_RETAINED_AT_ONCE = 10_000


def delays_s() -> Iterator[float]:
    """Pauses between attempts, without end."""
    longer = (min(RETRY_S * 2**power, MAX_RETRY_S) for power in range(1, 5))
    return chain(repeat(RETRY_S, _TRIES), longer, repeat(MAX_RETRY_S))


class Unanswered(MqttError):
    """The broker has taken the connection, or a message, and says nothing."""


class UnknownProtocol(MqttError):
    """The broker does not speak this version of MQTT; the next connection tries the other."""


def why_ended(errors: "BaseExceptionGroup[BaseException]") -> BaseException:
    """What a group of tasks at a connection has ended by: it was cancelled, it has a bug, or the connection is lost."""
    if (task := asyncio.current_task()) and task.cancelling():
        # of a group in which a task fails while it is cancelled only the failure comes out
        return asyncio.CancelledError()
    lost, bugs = errors.split(MqttError)
    return bugs or MqttError(str(lost and lost.exceptions[0]))


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Unanswered(f"it does not answer within {seconds:.0f} s") from None


class Link:
    """A connection that stands. What it gives is done when the broker has acknowledged; it raises MqttError.

    Messages go from here into the socket at once: by aiomqtt they would wait for three more turns of the event loop.
    """

    def __init__(self, client: Client, protocol: ProtocolVersion) -> None:
        self.messages = client.messages
        self._client = client
        self._protocol = protocol
        self._paho = client._client
        self._loop = asyncio.get_running_loop()
        self._unacknowledged: dict[int, asyncio.Future[None]] = {}
        self._paho.on_publish = self._acknowledged
        self._paho.on_socket_register_write = self._wait_until_writable
        self._paho.on_socket_unregister_write = self._wait_no_longer

    def start(self, message: Message, *, retain: bool = True) -> asyncio.Future[None]:
        """Write a message; the future is done when the broker has acknowledged it."""
        properties = None
        if message.expire_s is not None and self._protocol is ProtocolVersion.V5:
            properties = _expiring(message.expire_s)
        return self._start(message, properties, retain=retain)

    def _start(self, message: Message, properties: Properties | None, *, retain: bool) -> asyncio.Future[None]:
        info = self._paho.publish(message.topic, message.payload, qos=1, retain=retain, properties=properties)
        acknowledged = self._loop.create_future()
        # where the connection has just been lost, whoever reads says so
        if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._unacknowledged[info.mid] = acknowledged
            self._write()
        return acknowledged

    async def send(self, message: Message, *, retain: bool = True, timeout_s: float = TIMEOUT_S) -> None:
        async with within(timeout_s):
            await self.start(message, retain=retain)

    async def ask(self, message: Message, answer_to: str, number: bytes) -> None:
        """Send what somebody shall answer, at a topic and with a number (MQTT 5); nothing is retained."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ResponseTopic, properties.CorrelationData = answer_to, number
        async with within(TIMEOUT_S):
            await self._start(message, properties, retain=False)

    def mention(self, message: Message) -> None:
        """Send what may be lost: nobody acknowledges it."""
        self._paho.publish(message.topic, message.payload, qos=0)
        self._write()

    async def subscribe(self, *filters: str, qos: int = 0) -> None:
        async with within(TIMEOUT_S):
            await self._client.subscribe([(each, qos) for each in filters])

    async def unsubscribe(self, *filters: str) -> None:
        async with within(TIMEOUT_S):
            await self._client.unsubscribe(list(filters))

    def _acknowledged(self, _client: object, _userdata: object, mid: int, *_: object) -> None:
        future = self._unacknowledged.pop(mid, None)
        if future and not future.done():
            future.set_result(None)

    def _wait_until_writable(self, _client: object, _userdata: object, sock: Any) -> None:
        self._loop.add_writer(sock.fileno(), self._write)

    def _wait_no_longer(self, _client: object, _userdata: object, sock: Any) -> None:
        self._loop.remove_writer(sock.fileno())

    def _write(self) -> None:
        """What is to be written; the loss of the connection is seen by whoever reads."""
        sock = self._paho.socket()
        try:
            self._paho.loop_write()
        except OSError:
            if sock is not None and sock.fileno() >= 0:
                self._loop.remove_writer(sock.fileno())


@lru_cache(maxsize=16)
def _expiring(expire_s: int) -> Properties:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.MessageExpiryInterval = expire_s
    return properties


class Broker:
    """Connects again and again; remembers which protocol the broker speaks.

    `will_topic` is that of a server; whoever only passes by has none, and not the server's name.
    """

    def __init__(self, settings: Settings, will_topic: str | None) -> None:
        self._settings = settings
        self._will = Will(will_topic, OFFLINE, qos=1, retain=True) if will_topic else None
        self._client_id = (settings.client_id if will_topic else "") or f"iskra-server-{secrets.token_hex(4)}"
        self._protocol = ProtocolVersion.V5
        self._is_known = False

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Link]:
        """Raises MqttError where there is no broker, and when it goes."""
        client = await self._client()
        try:
            async with within(TIMEOUT_S):
                await client.__aenter__()
        except BaseException as error:
            _abandon(client)
            if isinstance(error, MqttError) and not self._is_known and _is_about_protocol(error):
                self._protocol = _OTHER[self._protocol]
                raise UnknownProtocol(str(error)) from error
            raise
        self._is_known = True
        try:
            yield Link(client, self._protocol)
        finally:
            with suppress(MqttError):
                async with within(GOODBYE_S):
                    await client.__aexit__(None, None, None)

    async def _client(self) -> Client:
        settings = self._settings
        try:
            context = await asyncio.to_thread(tls_context, settings)
        except ValueError as error:
            raise MqttError(str(error)) from None
        return Client(
            settings.host,
            settings.port,
            username=settings.username,
            password=settings.password.reveal() or None,
            identifier=self._client_id,
            protocol=self._protocol,
            will=self._will,
            keepalive=KEEP_ALIVE_S,
            timeout=inf,
            tls_context=context,
            logger=_SILENT,
            max_queued_incoming_messages=_RETAINED_AT_ONCE,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )


def _is_about_protocol(error: MqttError) -> bool:
    """A broker that does not know MQTT 5 says so, or says nothing at all."""
    refused = isinstance(error, MqttConnectError) and getattr(error.rc, "value", error.rc) == _UNSUPPORTED
    return refused or isinstance(error, Unanswered)


def _abandon(client: Client) -> None:
    """A broker that answers too late finds nobody: else the connection would live on without an owner."""
    client._client.disconnect()
