"""Connections to a broker, in the version of MQTT that it speaks."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes

from iskra_server.mqtt.access import BrokerAccess
from iskra_server.mqtt.broker_connection import TIMEOUT_S, BrokerConnection, ReceiveLimits, publish_properties
from iskra_server.mqtt.message import Message, NoAnswer, OldProtocolOnly, UnsupportedProtocol

_V5, _V311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311


class Broker:
    """Makes connections, and remembers which protocol the broker speaks: MQTT 5, else 3.1.1.

    `will` is what the broker publishes when the connection is lost. A client without one does not use the configured
    client id. With `needs_mqtt_5` a connection in 3.1.1 is an error. With `limits` each message that is received is to
    be acknowledged by `BrokerConnection.acknowledge`.
    """

    def __init__(
        self,
        access: BrokerAccess,
        will: Message | None = None,
        *,
        client_id: str = "",
        needs_mqtt_5: bool = False,
        limits: ReceiveLimits | None = None,
    ) -> None:
        self._access = access
        self._will = will
        self.has_configured_id = bool(access.client_id and will)
        configured = access.client_id if will else ""
        self.client_id = client_id or configured or f"iskra-server-{secrets.token_hex(4)}"
        self._limits = limits
        self._needs_mqtt_5 = needs_mqtt_5
        self._protocol = _V5
        # this protocol worked at the last connection
        self._is_protocol_proven = False

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[BrokerConnection]:
        """Raises MqttError when there is no broker, and when the connection is lost."""
        connection = BrokerConnection(self._client(), self.client_id, self._limits)
        try:
            try:
                await connection.open(self._access)
            except (UnsupportedProtocol, NoAnswer) as error:
                # A broker without MQTT 5 says so, or does not answer. One that spoke this protocol before and does not
                # answer may be busy: it gets the same protocol once more. After that it may have been replaced.
                if isinstance(error, NoAnswer) and self._is_protocol_proven:
                    self._is_protocol_proven = False
                    raise
                if isinstance(error, UnsupportedProtocol) and self._needs_mqtt_5:
                    self._protocol = _V5
                    raise OldProtocolOnly from None
                self._protocol = _V311 if self._protocol == _V5 else _V5
                raise UnsupportedProtocol(str(error)) from None
            if self._needs_mqtt_5 and self._protocol is not _V5:
                # the broker may be replaced by a newer one
                self._protocol = _V5
                raise OldProtocolOnly
            self._is_protocol_proven = True
            yield connection
        finally:
            await connection.close()

    def _client(self) -> paho.Client:
        access = self._access
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            self.client_id,
            protocol=self._protocol,
            reconnect_on_failure=False,
            manual_ack=self._limits is not None,
        )
        client.connect_timeout = TIMEOUT_S
        if access.username is not None:
            client.username_pw_set(access.username, access.password.reveal() or None)
        if will := self._will:
            properties = publish_properties(will, PacketTypes.WILLMESSAGE) if self._protocol is _V5 else None
            client.will_set(will.topic, will.payload, qos=1, retain=True, properties=properties)
        return client
