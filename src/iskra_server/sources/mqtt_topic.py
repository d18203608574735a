"""A topic of an MQTT broker to which a head publishes telegrams: raw, as hex text or in JSON (payload.py).

    mqtt://USER:PASSWORD@BROKER:1883/TOPIC
    mqtts://BROKER/TOPIC?ca_file=PATH           with TLS; also cert_file and key_file

A message that the broker has retained may be years old and never counts. Subscribed with QoS 0, so the broker sends no
message twice. A publisher with QoS 1 may: a binary telegram that comes twice in a row is left out, because SML and DLMS
number theirs. The same text twice may be a new readout in which nothing has changed.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from urllib.parse import parse_qsl, unquote

import paho.mqtt.client as paho

from iskra_server.base.address import Address
from iskra_server.base.secret import Secret
from iskra_server.mqtt.access import broker_access, has_control_characters
from iskra_server.mqtt.broker import Broker
from iskra_server.mqtt.message import Denied, MqttError, WrongPassword
from iskra_server.sources.errors import SourceError
from iskra_server.sources.payload import PayloadDecoder
from iskra_server.sources.reconnect import Line, Reconnecting, Report
from iskra_server.sources.source import FormatProblem, SourceState, plain_problem

# heads publish every 1 to 10 s
SILENCE_S = 20.0
_FILES = ("ca_file", "cert_file", "key_file")
# first bytes of telegrams with a number or a clock in them: SML, HDLC, M-Bus, general-glo-ciphering
_NUMBERED = (b"\x1b", b"\x7e", b"\x68", b"\xdb")


class TopicLine(Line):
    """A subscription. `read` waits for ever: that the broker is there is checked by the connection."""

    def __init__(self, port: str, topic: str) -> None:
        self.port = port
        self._topic = topic
        self._stack = AsyncExitStack()
        self._messages: AsyncIterator[paho.MQTTMessage]
        self._decoder = PayloadDecoder()
        self._before = b""
        # received while the line was opened
        self._data = b""

    async def open(self, broker: Broker, report: Report, silence_s: float) -> None:
        """Until the first telegram, `report` says what is missing. Raises MqttError."""
        connection = await self._stack.enter_async_context(broker.connected())
        await connection.subscribe(self._topic)
        self._messages = connection.messages()
        report(SourceState(self.port, is_open=False))
        details = {"port": self.port, "topic": self._topic, "seconds": f"{silence_s:.0f}"}
        silence = SourceState(self.port, is_open=False, problem="mqtt_silent", details=details)
        timer = asyncio.get_running_loop().call_later(silence_s, report, silence)
        try:
            self._data = await self._next(report)
        finally:
            timer.cancel()

    async def read(self) -> bytes:
        data, self._data = self._data, b""
        try:
            return data or await self._next()
        except MqttError as error:
            raise _source_error(self.port, self._topic, error) from None

    async def _next(self, report: Report | None = None) -> bytes:
        """The bytes of the next message with telegrams. Raises MqttError."""
        async for message in self._messages:
            if message.retain:
                continue
            data = self._decoder.decode(bytes(message.payload))
            if data is None and report:
                report(SourceState(self.port, is_open=False, problem="only_values", details={"port": self.port}))
            if data and not (data == self._before and data.startswith(_NUMBERED)):
                self._before = data
                return data
        raise AssertionError("messages are endless")

    async def close(self) -> None:
        await self._stack.aclose()


def mqtt_source(
    url: str | Address, *, silence_s: float = SILENCE_S, format_problem: FormatProblem = plain_problem
) -> Reconnecting:
    """`mqtt://USER:PASSWORD@BROKER/TOPIC`; raises ValueError with a sentence."""
    address = Address(url)
    port = str(address)
    path, _, query = address.rest.removeprefix("/").partition("?")
    topic = _topic(address, unquote(path))
    try:
        broker = Broker(broker_access(address, password=Secret(), **_files(address, query)))
    except ValueError as error:
        raise ValueError(f"{address} cannot be used: {error}.") from None

    async def open_line(report: Report) -> TopicLine:
        line = TopicLine(port, topic)
        try:
            await line.open(broker, report, silence_s)
        except MqttError as error:
            await line.close()
            raise _source_error(port, topic, error) from None
        except BaseException:
            await line.close()
            raise
        return line

    return Reconnecting(url=port, port=port, connect=open_line, format_problem=format_problem)


def _topic(address: Address, topic: str) -> str:
    """Raises ValueError."""
    if set(address.rest) & set("+#") or set(topic) & set("+#"):
        raise ValueError(f"{address} names several topics by + or #; name the topic of one meter.")
    if not topic or has_control_characters(topic):
        raise ValueError(f"{address} must name a topic: {address.scheme}://USER:PASSWORD@BROKER/TOPIC.")
    return topic


def _files(address: Address, query: str) -> dict[str, str]:
    """Raises ValueError."""
    files = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := next(iter(files.keys() - set(_FILES)), ""):
        raise ValueError(f"the option {unknown} is unknown; there are {', '.join(_FILES)}")
    return files


def _source_error(port: str, topic: str, error: MqttError) -> SourceError:
    if isinstance(error, WrongPassword):
        return SourceError("mqtt_password", port=port)
    if isinstance(error, Denied):
        return SourceError("mqtt_denied", port=port, topic=topic)
    return SourceError("mqtt_unavailable", port=port, reason=str(error))
