"""Takes a meter away from a broker: its entities first, then everything else that is retained of it."""

import secrets

import msgspec
from msgspec import Struct

from iskra_server.meter.identity import compact_name
from iskra_server.outputs.mqtt.connection import TIMEOUT_S, Broker, Link, UnknownProtocol, within
from iskra_server.outputs.mqtt.discovery import own_digits
from iskra_server.outputs.mqtt.outbox import Message, MqttError
from iskra_server.outputs.mqtt.settings import Settings
from iskra_server.outputs.mqtt.topics import ONLINE, Topics


class RemovalError(Exception):
    """One sentence: why a meter was not removed."""


class _Head(Struct):
    id: str = ""


async def remove(settings: Settings, name: str) -> str:
    """Remove the meter of a name, a name without spaces, or a server id in hex; gives its name. Raises RemovalError."""
    broker = Broker(settings, None)
    try:
        try:
            return await _remove(broker, settings, name)
        except UnknownProtocol:
            return await _remove(broker, settings, name)
    except MqttError as error:
        raise RemovalError(f"{settings.broker} cannot be used: {settings.masked(error)}.") from error


async def _remove(broker: Broker, settings: Settings, name: str) -> str:
    topics = Topics(settings.base, settings.prefix)
    async with broker.connected() as link:
        found = await _retained(link, topics, f"{settings.base}/#")
        meter, label = _find(topics, found, name, settings.broker)
        if found.get(topics.server) == ONLINE == found.get(topics.availability(meter)):
            raise RemovalError(f"{label} is being read now; take it out of the configuration first, or it comes back.")
        entities = own_digits(await _retained(link, topics, *topics.discovery(meter)))
        for topic in (*entities, *(each for each in found if each.startswith(f"{settings.base}/{meter}/"))):
            await link.send(Message(topic, b""))
        return label


async def _retained(link: Link, topics: Topics, *filters: str) -> dict[str, bytes]:
    """Raises MqttError where the broker keeps the echo to itself, as one does that forbids the topic."""
    echo = topics.echo(secrets.token_hex(8))
    await link.subscribe(*filters, echo)
    # the broker answers in order: behind the echo there is nothing more to read
    await link.send(Message(echo, b"end"), retain=False)
    found: dict[str, bytes] = {}
    async with within(TIMEOUT_S):
        async for message in link.messages:
            if str(message.topic) == echo:
                break
            if message.retain:
                found[str(message.topic)] = bytes(message.payload)
    await link.unsubscribe(*filters, echo)
    return found


def _find(topics: Topics, found: dict[str, bytes], name: str, broker: str) -> tuple[str, str]:
    """The meter in topics, and its name."""
    meters = {meter for topic in found if (meter := topics.meter_of_availability(topic))}
    labels = {meter: _label(found.get(topics.diagnostics(meter), b"")) or meter for meter in meters}
    wanted = compact_name(name)
    for meter, label in labels.items():
        if wanted in (meter, compact_name(label)):
            return meter, label
    known = f"it has {', '.join(sorted(labels.values()))}" if labels else "it has none"
    raise RemovalError(f"There is no meter {name} at {broker}; {known}.")


def _label(diagnostics: bytes) -> str:
    try:
        return msgspec.json.decode(diagnostics, type=_Head).id
    except (msgspec.MsgspecError, RecursionError):
        return ""
