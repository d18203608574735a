"""A server that publishes what a head sends, and telegrams for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import telegrams
from iskra_server.base.address import Address
from iskra_server.base.secret import Secret
from iskra_server.config import MqttConfig
from iskra_server.outputs.mqtt.broker_settings import MqttSettings, mqtt_settings
from outputs.mqtt.broker import Mosquitto
from running import Head, Server, serving, until

METER = telegrams.SERVER_ID.hex()
BASE = f"iskra-server/{METER}"
STATE, COUNTERS, AVAILABILITY, DIAGNOSTICS = (
    f"{BASE}/{name}" for name in ("state", "counters", "availability", "diagnostics")
)
SERVER = "iskra-server/availability"


def settings(url: str, password: str = "", **keys: Any) -> MqttSettings:
    return mqtt_settings(MqttConfig(url=Address(url), password=Secret(password), **keys))


@contextmanager
def publishing(head: Head, broker: Mosquitto | str, **environ: str) -> Iterator[Server]:
    """`iskra-server serve` at a head, with a broker; IES_... as keywords without their beginning."""
    url = broker if isinstance(broker, str) else broker.url
    given = {f"IES_{name}": value for name, value in environ.items()}
    with serving("serve", str(head.link), environ={"IES_MQTT_URL": url} | given) as server:
        until(lambda: server.status()["facts"]["is_open"])
        yield server


def telegram(number: int, *, power: int | None = 300, scaler: int = -1) -> bytes:
    """The telegram of a second: 0.1 Wh x (123456780 + number), locked where power is None."""
    energy = (123456780 + number) if scaler < 0 else 12345
    return telegrams.telegram(telegrams.meter_entries(energy=energy, power=power, scaler=scaler), seconds=1000 + number)
