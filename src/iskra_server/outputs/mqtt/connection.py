"""A connection to the broker: MQTT 5, or 3.1.1 where the broker knows no other; and how long to wait for the next.

A broker that is gone is looked for every second, as most are back soon; after two minutes ever more rarely.

This is paho-mqtt on asyncio by its public interface. aiomqtt on top of it hides what the broker says of each message
(the reason codes of MQTT 5), and its time limits can lose a cancellation up to Python 3.11.
"""

import asyncio
import logging
import secrets
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import lru_cache
from itertools import chain, repeat
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from iskra_server.base.threads import in_daemon_thread
from iskra_server.outputs.mqtt.outbox import PUBLISHING, READING, Denied, Message, MqttError
from iskra_server.outputs.mqtt.settings import Settings, tls_context
from iskra_server.outputs.mqtt.topics import OFFLINE
from iskra_server.outputs.state import OutputHealth

log = logging.getLogger(__name__)

RETRY_S, MAX_RETRY_S = 1.0, 30.0
_TRIES = 120
# for connecting, and for each acknowledgement
TIMEOUT_S = 5.0
# a broker that says nothing for this long is gone; it sends the will after one and a half of it
KEEP_ALIVE_S = 20
_LOOK_S = 1.0
# for the last word to a broker that may be gone
GOODBYE_S = 1.0
# reason codes of MQTT 5, 2.4
_UNSUPPORTED_PROTOCOL, _BAD_USER, _NOT_AUTHORIZED, _SESSION_TAKEN_OVER = 0x84, 0x86, 0x87, 0x8E
_V5, _V311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311
_OTHER = {_V5: _V311, _V311: _V5}
_RETAINED_AT_ONCE = 10_000
# so many connections in a row that are lost so soon are no accident
_SHORT_S, _SHORT_IN_A_ROW = 20.0, 4
# what the broker hands over at most (MQTT 5): anybody there may publish 256 MB
LARGEST_PACKET = 1 << 20


def delays_s() -> Iterator[float]:
    """Pauses between attempts, without end."""
    longer = (min(RETRY_S * 2**power, MAX_RETRY_S) for power in range(1, 5))
    return chain(repeat(RETRY_S, _TRIES), longer, repeat(MAX_RETRY_S))


class Lost(MqttError):
    """The connection has ended without a word."""

    def __init__(self, why: str = "the connection is lost") -> None:
        super().__init__(why)


class Unanswered(MqttError):
    """The broker has taken the connection, or a message, and says nothing."""


class UnknownProtocol(MqttError):
    """The broker does not speak this version of MQTT; the next connection tries the other."""


class TakenOver(MqttError):
    """Another program has connected with the same client id, so the broker has ended this connection."""

    advice = "Give each program a client_id of its own"

    def __init__(self, client_id: str, *, is_sure: bool = True) -> None:
        certainty = "uses" if is_sure else "seems to use"
        super().__init__(f"another program {certainty} the client id {client_id} there")


def why_ended(errors: "BaseExceptionGroup[BaseException]") -> BaseException:
    """What a group of tasks at a connection has ended by: it was cancelled, it has a bug, or the connection is lost."""
    if (task := asyncio.current_task()) and task.cancelling():
        # of a group in which a task fails while it is cancelled only the failure comes out
        return asyncio.CancelledError()
    lost, bugs = errors.split(MqttError)
    while isinstance(lost, BaseExceptionGroup):
        lost = lost.exceptions[0]  # type: ignore[assignment]
    return bugs or lost or Lost()


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Unanswered(f"it does not answer within {seconds:.0f} s") from None


class Link:
    """A connection. What it gives is done when the broker has acknowledged; it raises MqttError when it is lost."""

    def __init__(self, client: paho.Client, client_id: str) -> None:
        self._client = client
        self._client_id = client_id
        self._loop = asyncio.get_running_loop()
        self._lost: MqttError | None = None
        self._gone = asyncio.Event()
        self._is_closed = False
        self._keeping_alive: asyncio.TimerHandle | None = None
        self._received: asyncio.Queue[paho.MQTTMessage | MqttError] = asyncio.Queue()
        self._connected: asyncio.Future[None] = self._loop.create_future()
        # by number of the packet: what was sent, for a sentence, and what waits for its acknowledgement
        self._unacknowledged: dict[int, tuple[tuple[str, ...], asyncio.Future[None]]] = {}
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_unsubscribe = self._on_unsubscribe

    async def open(self, settings: Settings) -> None:
        """Raises MqttError: Unanswered only where there is a connection, as that says something of the protocol."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                # it resolves the name, connects, and shakes hands for TLS
                await in_daemon_thread(lambda: self._connect(settings))
        except TimeoutError:
            raise MqttError(f"it cannot be reached within {TIMEOUT_S:.0f} s") from None
        async with within(TIMEOUT_S):
            self._listen()
            await self._connected

    def _connect(self, settings: Settings) -> None:
        """Blocks. Raises MqttError."""
        try:
            if context := tls_context(settings):
                self._client.tls_set_context(context)
            properties = _bounded() if self._client.protocol is _V5 else None
            self._client.connect(settings.host, settings.port, KEEP_ALIVE_S, properties=properties)
        except (OSError, ValueError) as error:
            raise MqttError(str(error)) from None
        if self._is_closed:
            # nobody has waited for it
            self._client.disconnect()

    async def close(self) -> None:
        """Say goodbye where there is a connection; a broker that takes nothing more is left."""
        self._is_closed = True
        self._client.disconnect()
        try:
            if self._client.socket() is not None:
                self._write()
                with suppress(TimeoutError):
                    async with asyncio.timeout(GOODBYE_S):
                        await self._gone.wait()
        finally:
            # also where this is cancelled
            self._lose(Lost("the connection is closed"))
            if (left := self._client.socket()) is not None:
                self._on_socket_close(self._client, None, left)
                left.close()

    @property
    def messages(self) -> AsyncIterator[paho.MQTTMessage]:
        """Endless; raises MqttError when the connection is lost."""
        return self._messages()

    async def _messages(self) -> AsyncIterator[paho.MQTTMessage]:
        while True:
            received = await self._received.get()
            if isinstance(received, MqttError):
                # for whoever asks again
                self._received.put_nowait(received)
                raise received
            yield received

    def start(self, message: Message, *, retain: bool = True) -> asyncio.Future[None]:
        """Write a message; the future is done when the broker has taken it, and raises Denied where it refuses it."""
        properties = None
        if message.expire_s is not None and self._client.protocol is _V5:
            properties = _expiring(message.expire_s)
        return self._start(message, properties, retain=retain)

    def _start(self, message: Message, properties: Properties | None, *, retain: bool) -> asyncio.Future[None]:
        info = self._client.publish(message.topic, message.payload, qos=1, retain=retain, properties=properties)
        return self._acknowledgement(info.rc, info.mid, (message.topic,))

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
        self._client.publish(message.topic, message.payload, qos=0)
        self._write()

    async def subscribe(self, *filters: str, qos: int = 0) -> None:
        """Raises Denied where the broker refuses one of them."""
        wanted: list[Any] = [(each, SubscribeOptions(qos) if self._client.protocol is _V5 else qos) for each in filters]
        code, number = self._client.subscribe(wanted)
        async with within(TIMEOUT_S):
            await self._acknowledgement(code, number, filters)

    async def unsubscribe(self, *filters: str) -> None:
        code, number = self._client.unsubscribe(list(filters))
        async with within(TIMEOUT_S):
            await self._acknowledgement(code, number, filters)

    def _acknowledgement(self, code: int, number: int | None, topics: tuple[str, ...]) -> asyncio.Future[None]:
        acknowledged: asyncio.Future[None] = self._loop.create_future()
        if code == MQTTErrorCode.MQTT_ERR_SUCCESS and number is not None and self._lost is None:
            self._unacknowledged[number] = topics, acknowledged
            self._write()
        else:
            acknowledged.set_exception(self._lost or Lost())
        return acknowledged

    def _on_publish(self, _client: object, _data: object, number: int, code: ReasonCode, _: object) -> None:
        self._acknowledged(number, [code], PUBLISHING)

    def _on_subscribe(self, _client: object, _data: object, number: int, codes: list[ReasonCode], _: object) -> None:
        self._acknowledged(number, codes, READING)

    def _on_unsubscribe(self, _client: object, _data: object, number: int, *_: object) -> None:
        self._acknowledged(number, [], "")

    def _acknowledged(self, number: int, codes: list[ReasonCode], action: str) -> None:
        topics, acknowledged = self._unacknowledged.pop(number, ((), None))
        if acknowledged is None or acknowledged.done():
            return
        for topic, code in zip(topics, codes, strict=False):
            if code.is_failure:
                acknowledged.set_exception(Denied(action, topic, str(code)))
                return
        acknowledged.set_result(None)

    def _on_connect(self, _client: object, _data: object, _flags: object, code: ReasonCode, _: object) -> None:
        if self._connected.done():
            return
        if not code.is_failure:
            self._connected.set_result(None)
        elif code.value == _UNSUPPORTED_PROTOCOL:
            self._connected.set_exception(UnknownProtocol(str(code)))
        else:
            error = MqttError(f"it refuses the connection: {code}")
            if code.value in (_BAD_USER, _NOT_AUTHORIZED):
                error.advice = "See that user and password are right"
            self._connected.set_exception(error)

    def _on_disconnect(self, _client: object, _data: object, flags: Any, code: ReasonCode, _: object) -> None:
        if code.value == _SESSION_TAKEN_OVER:
            self._lose(TakenOver(self._client_id))
        elif flags.is_disconnect_packet_from_server:
            self._lose(MqttError(f"it has ended the connection: {code}"))
        else:
            self._lose(Lost())

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        if self._received.qsize() < _RETAINED_AT_ONCE:
            self._received.put_nowait(message)

    def _lose(self, lost: MqttError) -> None:
        """Once: everybody who waits for something is told."""
        if self._lost is not None:
            return
        self._lost = lost
        waiting = [self._connected, *(future for _, future in self._unacknowledged.values())]
        self._unacknowledged.clear()
        for future in waiting:
            if not future.done():
                future.set_exception(lost)
            if not future.cancelled():
                # asyncio logs an exception that nobody has looked at, and nobody may wait any more
                future.exception()
        self._received.put_nowait(lost)
        self._gone.set()

    def _listen(self) -> None:
        """From here on the event loop drives the client."""
        sock: Any = self._client.socket()
        if sock is None:
            self._lose(Lost())
            return
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client.on_socket_close = self._on_socket_close
        self._client.on_socket_register_write = self._on_writing
        self._client.on_socket_unregister_write = self._on_written
        self._loop.add_reader(sock.fileno(), self._read)
        self._keeping_alive = self._loop.call_later(_LOOK_S, self._keep_alive)
        self._write()

    def _keep_alive(self) -> None:
        self._client.loop_misc()
        if self._client.socket() is not None:
            self._keeping_alive = self._loop.call_later(_LOOK_S, self._keep_alive)

    def _on_socket_close(self, _client: object, _data: object, sock: Any) -> None:
        if self._keeping_alive:
            self._keeping_alive.cancel()
        if sock.fileno() >= 0:
            self._loop.remove_reader(sock.fileno())
            self._loop.remove_writer(sock.fileno())

    def _on_writing(self, _client: object, _data: object, sock: Any) -> None:
        self._loop.add_writer(sock.fileno(), self._write)

    def _on_written(self, _client: object, _data: object, sock: Any) -> None:
        # paho asks once more when it is collected, for a socket that was closed with something left to write
        if sock.fileno() >= 0:
            self._loop.remove_writer(sock.fileno())

    def _read(self) -> None:
        try:
            self._client.loop_read()
            # TLS may have decrypted more than was read, of which the socket says nothing
            while isinstance(sock := self._client.socket(), ssl.SSLSocket) and sock.pending():
                self._client.loop_read()
        except OSError as error:
            self._lose(Lost(str(error)))

    def _write(self) -> None:
        """At once, as the event loop would only do so in its next turn."""
        try:
            self._client.loop_write()
        except OSError as error:
            self._lose(Lost(str(error)))


@lru_cache(maxsize=16)
def _expiring(expire_s: int) -> Properties:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.MessageExpiryInterval = expire_s
    return properties


def _bounded() -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.MaximumPacketSize = LARGEST_PACKET
    return properties


class Broker:
    """Connects again and again; remembers which protocol the broker speaks.

    `will_topic` is that of a server; whoever only passes by has none, and not the server's name.
    """

    def __init__(self, settings: Settings, will_topic: str | None) -> None:
        self._settings = settings
        self._will_topic = will_topic
        self.has_name = bool(settings.client_id and will_topic)
        self.client_id = (settings.client_id if will_topic else "") or f"iskra-server-{secrets.token_hex(4)}"
        self._protocol = _V5
        self._is_known = False

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Link]:
        """Raises MqttError where there is no broker, and when it goes."""
        link = Link(self._client(), self.client_id)
        try:
            try:
                await link.open(self._settings)
            except (UnknownProtocol, Unanswered) as error:
                # a broker that does not know MQTT 5 says so, or says nothing at all
                if self._is_known:
                    raise
                self._protocol = _OTHER[self._protocol]
                raise UnknownProtocol(str(error)) from None
            self._is_known = True
            yield link
        finally:
            await link.close()

    def _client(self) -> paho.Client:
        settings = self._settings
        client = paho.Client(
            CallbackAPIVersion.VERSION2, self.client_id, protocol=self._protocol, reconnect_on_failure=False
        )
        client.connect_timeout = TIMEOUT_S
        if settings.username is not None:
            client.username_pw_set(settings.username, settings.password.reveal() or None)
        if self._will_topic:
            client.will_set(self._will_topic, OFFLINE, qos=1, retain=True)
        return client


async def keep_connected(
    broker: Broker,
    standing: OutputHealth,
    session: Callable[[Link], Awaitable[None]],
    *,
    connected: str,
    lost: Callable[[MqttError], str],
) -> None:
    """One session after the other, until it is cancelled; what is wrong stands in `standing` and once in the log."""
    delays = delays_s()
    # two programs with one client id throw each other out: each connects all the time, and neither is well
    is_contested = False
    short = 0
    loop = asyncio.get_running_loop()

    def back() -> None:
        nonlocal is_contested
        is_contested = False
        standing.back()
        log.info(connected)

    while True:
        well: asyncio.TimerHandle | None = None
        began_s = -_SHORT_S
        try:
            async with broker.connected() as link:
                delays, began_s = delays_s(), loop.time()
                if is_contested:
                    well = loop.call_later(3 * MAX_RETRY_S, back)
                else:
                    back()
                await session(link)
        except MqttError as error:
            # with MQTT 3.1.1, and by Mosquitto 2.0, a client is thrown out without a word
            short = short + 1 if isinstance(error, Lost) and loop.time() - began_s < _SHORT_S else 0
            is_contest = broker.has_name and short >= _SHORT_IN_A_ROW
            reason = TakenOver(broker.client_id, is_sure=False) if is_contest else error
            if isinstance(reason, TakenOver):
                is_contested, delays = True, repeat(MAX_RETRY_S)
            sentence = lost(reason)
            if standing.gone(sentence):
                log.warning(sentence)
        finally:
            if well:
                well.cancel()
        await asyncio.sleep(next(delays))


@contextmanager
def noting_denials(standing: OutputHealth) -> Iterator[None]:
    """A topic that the broker denies ends no session: the others go on, and it is said."""
    try:
        yield
    except Denied as denied:
        note(standing, denied)


def note(standing: OutputHealth, denied: Denied) -> None:
    if standing.denied(denied.what, str(denied)):
        log.warning(str(denied))
