"""Removes a meter from a broker: first its entities, then everything else that is retained of it."""

import secrets

import msgspec
from msgspec import Struct

from iskra_server.meter.identity import compact_name, server_id
from iskra_server.mqtt.broker import Broker
from iskra_server.mqtt.broker_connection import TIMEOUT_S, BrokerConnection
from iskra_server.mqtt.message import Message, MqttError, UnsupportedProtocol, answered_within
from iskra_server.outputs.mqtt.broker_settings import MqttSettings
from iskra_server.outputs.mqtt.discovery import own_registers
from iskra_server.outputs.mqtt.topics import ONLINE, Topics


class RemovalError(Exception):
    """One sentence: why a meter was not removed."""


class _Label(Struct):
    id: str = ""


async def remove(settings: MqttSettings, name: str) -> str:
    """Remove the meter with this name, with or without spaces, or server id in hex. Returns its name.

    Raises RemovalError.
    """
    broker = Broker(settings)
    try:
        try:
            return await _remove(broker, settings, name)
        except UnsupportedProtocol:
            return await _remove(broker, settings, name)
    except MqttError as error:
        raise RemovalError(f"{settings.broker} cannot be used: {settings.masked(error)}.") from error


async def _remove(broker: Broker, settings: MqttSettings, name: str) -> str:
    topics = Topics(settings.base, settings.prefix)
    async with broker.connected() as connection:
        retained = await _retained(connection, topics, f"{settings.base}/#")
        meter, label = find_meter(topics, retained, name, settings.broker)
        if retained.get(topics.server) == ONLINE == retained.get(topics.availability(meter)):
            raise RemovalError(f"{label} is being read now; take it out of the configuration first, or it comes back.")
        entities = own_registers(await _retained(connection, topics, *topics.discovery(meter)))
        for topic in (*entities, *(topic for topic in retained if topic.startswith(f"{settings.base}/{meter}/"))):
            await connection.publish(Message(topic, b""))
        return label


async def _retained(connection: BrokerConnection, topics: Topics, *filters: str) -> dict[str, bytes]:
    """Raises MqttError, also where the broker does not deliver the echo because its access rules forbid the topic."""
    echo = topics.echo(secrets.token_hex(8))
    await connection.subscribe(*filters, echo)
    # the broker delivers in order: after the echo, all retained messages have arrived
    await connection.publish(Message(echo, b"end"), retain=False)
    retained: dict[str, bytes] = {}
    async with answered_within(TIMEOUT_S):
        async for message in connection.messages():
            if str(message.topic) == echo:
                break
            if message.retain:
                retained[str(message.topic)] = bytes(message.payload)
    await connection.unsubscribe(*filters, echo)
    return retained


def find_meter(topics: Topics, retained: dict[str, bytes], name: str, broker: str) -> tuple[str, str]:
    """The meter in topics, and its name. Raises RemovalError."""
    meters = {meter for topic in retained if (meter := topics.meter_of_availability(topic))}
    labels = {meter: _label_of(meter, topics, retained) for meter in meters}
    # a sub-meter has no diagnostics, and its state may have expired: its name makes its id
    ids = compact_name(name), server_id(name).hex()
    for meter, label in labels.items():
        if meter in ids or compact_name(label) in ids:
            return meter, label
    available = f"it has {', '.join(sorted(labels.values()))}" if labels else "it has none"
    raise RemovalError(f"There is no meter {name} at {broker}; {available}.")


def _label_of(meter: str, topics: Topics, retained: dict[str, bytes]) -> str:
    payloads = (retained.get(topic, b"") for topic in (topics.diagnostics(meter), topics.state(meter)))
    return next(filter(None, map(_label, payloads)), meter)


def _label(payload: bytes) -> str:
    try:
        return msgspec.json.decode(payload, type=_Label).id
    except (ValueError, RecursionError):
        return ""
