"""Keeps a connection to the broker and reports denied topics.

A lost broker is tried about every second, because most are back soon; after two minutes less and less often.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from iskra_server.base.backoff import Backoff
from iskra_server.base.language import Bilingual
from iskra_server.mqtt.broker import Broker
from iskra_server.mqtt.broker_connection import BrokerConnection
from iskra_server.mqtt.message import ConnectionLost, Denied, MqttError, OldProtocolOnly, TakenOver, WrongPassword
from iskra_server.outputs.state import OutputHealth

log = logging.getLogger(__name__)

RETRY_S, MAX_RETRY_S = 1.0, 30.0
# until somebody has changed a password or the broker; some brokers refuse every password while they start
_MAX_REFUSED_S = 120.0
# at RETRY_S each, two minutes
_SOON_RETRIES = 120
# so many short connections in a row mean that another program has the same client id
_SHORT_S, _SHORT_IN_A_ROW = 20.0, 4


def retry_delays_s() -> Iterator[float]:
    """Endless. With jitter, so that a thousand readers do not all return to a broker at the same moment."""
    soon, later = Backoff(RETRY_S, RETRY_S), Backoff(2 * RETRY_S, MAX_RETRY_S)
    while True:
        yield (soon if soon.failures < _SOON_RETRIES else later).next_s()


def spread_delays_s(spread_s: float) -> Iterator[float]:
    """As `retry_delays_s`, but a reader among thousands does not come back with all the others."""
    yield random.uniform(0.0, spread_s)
    yield from retry_delays_s()


def refused_delays_s() -> Iterator[float]:
    """Endless, for a broker that will refuse the next connection as well."""
    backoff = Backoff(RETRY_S, _MAX_REFUSED_S)
    while True:
        yield backoff.next_s()


def contested_delays_s() -> Iterator[float]:
    """Endless, for a client id that two programs use: each connection ends that of the other."""
    backoff = Backoff(MAX_RETRY_S, MAX_RETRY_S)
    while True:
        yield backoff.next_s()


async def keep_connected(
    broker: Broker,
    health: OutputHealth,
    session: Callable[[BrokerConnection], Awaitable[None]],
    *,
    connected: str,
    lost: Callable[[MqttError], Bilingual],
    delays_s: Callable[[], Iterator[float]] = retry_delays_s,
) -> None:
    """Run one session after the other until cancelled. A failure is kept in `health` and logged once.

    `connected` is the log line of a connection, `lost` makes the sentence of a failure. `delays_s` are those between
    two attempts, from the end of a connection on.
    """
    delays, refused = delays_s(), refused_delays_s()
    logged: set[str] = set()
    is_contested = False
    short_in_a_row = 0
    loop = asyncio.get_running_loop()

    def report_recovery() -> None:
        nonlocal is_contested
        is_contested = False
        logged.clear()
        health.recovered()
        log.info(connected)

    while True:
        recovery: asyncio.TimerHandle | None = None
        began_s, delay_s = -_SHORT_S, RETRY_S
        try:
            async with broker.connected() as connection:
                delays, refused, began_s = delays_s(), refused_delays_s(), loop.time()
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
            # it does not pass by itself: what the broker said before is not what its owner must know
            is_refused = isinstance(reason, (WrongPassword, OldProtocolOnly))
            sentence = lost(reason)
            english, _ = sentence
            if health.failed(sentence) or (is_refused and english not in logged):
                log.warning(english)
                logged.add(english)
            delay_s = next(refused if is_refused else delays)
        finally:
            if recovery:
                recovery.cancel()
        await asyncio.sleep(delay_s)


@contextmanager
def reporting_denials(health: OutputHealth) -> Iterator[None]:
    """A denied topic does not end the session: it is reported, and the other topics go on."""
    try:
        yield
    except Denied as denied:
        report_denial(health, denied)


def report_denial(health: OutputHealth, denied: Denied) -> None:
    if health.denied(denied.action, denied.both):
        log.warning(str(denied))
