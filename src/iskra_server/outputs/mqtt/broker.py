"""Keeps a connection to the broker and reports denied topics.

A lost broker is tried about every second, because most are back soon; after two minutes less and less often.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from iskra_server.base.backoff import Backoff
from iskra_server.outputs.mqtt.broker_connection import TIMEOUT_S, BrokerConnection
from iskra_server.outputs.mqtt.broker_settings import BrokerSettings
from iskra_server.outputs.mqtt.message import (
    ConnectionLost,
    Denied,
    MqttError,
    NoAnswer,
    TakenOver,
    UnsupportedProtocol,
)
from iskra_server.outputs.mqtt.topics import OFFLINE
from iskra_server.outputs.state import OutputHealth

log = logging.getLogger(__name__)

RETRY_S, MAX_RETRY_S = 1.0, 30.0
# at RETRY_S each, two minutes
_SOON_RETRIES = 120
# so many short connections in a row mean that another program has the same client id
_SHORT_S, _SHORT_IN_A_ROW = 20.0, 4
_V5, _V311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311


def retry_delays_s() -> Iterator[float]:
    """Endless. With jitter, so that a thousand readers do not all return to a broker at the same moment."""
    soon, later = Backoff(RETRY_S, RETRY_S), Backoff(2 * RETRY_S, MAX_RETRY_S)
    while True:
        yield (soon if soon.failures < _SOON_RETRIES else later).next_s()


def contested_delays_s() -> Iterator[float]:
    """Endless, for a client id that two programs use: each connection ends that of the other."""
    backoff = Backoff(MAX_RETRY_S, MAX_RETRY_S)
    while True:
        yield backoff.next_s()


class Broker:
    """Makes connections, and remembers which protocol the broker speaks: MQTT 5, else 3.1.1.

    `will_topic` gets the server's last will. A short-lived client has none, and does not use the configured client id.
    """

    def __init__(self, settings: BrokerSettings, will_topic: str | None) -> None:
        self._settings = settings
        self._will_topic = will_topic
        self.has_configured_id = bool(settings.client_id and will_topic)
        self.client_id = (settings.client_id if will_topic else "") or f"iskra-server-{secrets.token_hex(4)}"
        self._protocol = _V5
        # this protocol worked at the last connection
        self._is_protocol_proven = False

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[BrokerConnection]:
        """Raises MqttError when there is no broker, and when the connection is lost."""
        connection = BrokerConnection(self._client(), self.client_id)
        try:
            try:
                await connection.open(self._settings)
            except (UnsupportedProtocol, NoAnswer) as error:
                # A broker without MQTT 5 says so, or does not answer. One that spoke this protocol before and does not
                # answer may be busy: it gets the same protocol once more. After that it may have been replaced.
                if isinstance(error, NoAnswer) and self._is_protocol_proven:
                    self._is_protocol_proven = False
                    raise
                self._protocol = _V311 if self._protocol == _V5 else _V5
                raise UnsupportedProtocol(str(error)) from None
            self._is_protocol_proven = True
            yield connection
        finally:
            await connection.close()

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
    health: OutputHealth,
    session: Callable[[BrokerConnection], Awaitable[None]],
    *,
    connected: str,
    lost: Callable[[MqttError], str],
) -> None:
    """Run one session after the other until cancelled. A failure is kept in `health` and logged once.

    `connected` is the log line of a connection, `lost` makes the sentence of a failure.
    """
    delays = retry_delays_s()
    is_contested = False
    short_in_a_row = 0
    loop = asyncio.get_running_loop()

    def report_recovery() -> None:
        nonlocal is_contested
        is_contested = False
        health.recovered()
        log.info(connected)

    while True:
        recovery: asyncio.TimerHandle | None = None
        began_s = -_SHORT_S
        try:
            async with broker.connected() as connection:
                delays, began_s = retry_delays_s(), loop.time()
                if is_contested:
                    # recovered only if the other program stays away
                    recovery = loop.call_later(3 * MAX_RETRY_S, report_recovery)
                else:
                    report_recovery()
                await session(connection)
        except MqttError as error:
            # MQTT 3.1.1 and Mosquitto 2.0 give no reason when another program takes over
            is_short = isinstance(error, ConnectionLost) and loop.time() - began_s < _SHORT_S
            short_in_a_row = short_in_a_row + 1 if is_short else 0
            is_taken_over = broker.has_configured_id and short_in_a_row >= _SHORT_IN_A_ROW
            reason = TakenOver(broker.client_id, is_sure=False) if is_taken_over else error
            if isinstance(reason, TakenOver):
                is_contested, delays = True, contested_delays_s()
            sentence = lost(reason)
            if health.failed(sentence):
                log.warning(sentence)
        finally:
            if recovery:
                recovery.cancel()
        await asyncio.sleep(next(delays))


@contextmanager
def reporting_denials(health: OutputHealth) -> Iterator[None]:
    """A denied topic does not end the session: it is reported, and the other topics go on."""
    try:
        yield
    except Denied as denied:
        report_denial(health, denied)


def report_denial(health: OutputHealth, denied: Denied) -> None:
    if health.denied(denied.action, str(denied)):
        log.warning(str(denied))
