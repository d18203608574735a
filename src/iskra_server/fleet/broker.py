"""The MQTT broker between readers and their central server, as settings for outputs/mqtt."""

import socket

from iskra_server.base.address import Address
from iskra_server.base.secret import Secret
from iskra_server.outputs.mqtt.settings import Settings, from_keys

BROKER_KEYS = ("url", "password", "base_topic", "ca_file", "cert_file", "key_file")


def settings(
    *,
    url: str | Address,
    password: str | Secret,
    base_topic: str,
    ca_file: str,
    cert_file: str,
    key_file: str,
    client_id: str = "",
) -> Settings:
    """From the keys of the configuration. Raises ValueError with a sentence."""
    return from_keys(
        url=url,
        password=password,
        client_id=client_id,
        base_topic=base_topic,
        ca_file=ca_file,
        cert_file=cert_file,
        key_file=key_file,
        # nothing is announced to Home Assistant through this broker
        discovery="off",
        discovery_prefix="homeassistant",
        language="en",
        state_every_s=0.0,
        counters_every_s=0.0,
    )


def reader_name(name: str) -> str:
    """The configured name of a reader, else the host name of its machine. Raises ValueError with a sentence."""
    name = name or socket.gethostname()
    if not name or set(name) & set("/+#$\0 "):
        raise ValueError(f"the reader's name '{name}' cannot be part of a topic; choose letters, digits, - and .")
    return name
