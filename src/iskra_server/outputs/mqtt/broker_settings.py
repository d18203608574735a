"""The settings of a broker with its topics, and of the MQTT output, checked before anything connects."""

from typing import Literal

from msgspec import structs

from iskra_server.base.language import Language
from iskra_server.config import CollectConfig, ConfigError, MqttConfig, UplinkConfig
from iskra_server.mqtt.access import URL_FORM, BrokerAccess, broker_access, has_control_characters

Discovery = Literal["classic", "device", "off"]
# a topic has at most 65,535 bytes in MQTT and far less at some brokers; the levels that we append take up to 100
_MAX_TOPIC_BYTES = 1000


class BrokerSettings(BrokerAccess, frozen=True):
    """A broker at which every topic begins with `base`."""

    base: str


class MqttSettings(BrokerSettings, frozen=True):
    """The MQTT output. Every topic of Home Assistant begins with `prefix`."""

    prefix: str
    discovery: Discovery
    language: Language
    state_every_s: float
    counters_every_s: float


def broker_settings(section: str, config: MqttConfig | UplinkConfig | CollectConfig) -> BrokerSettings:
    """Raises ConfigError, one sentence that names the section."""
    try:
        return _broker_settings(config)
    except ValueError as error:
        raise ConfigError(f"{section}: {error}.") from error


def mqtt_settings(config: MqttConfig) -> MqttSettings:
    """Raises ConfigError."""
    section = "outputs.mqtt"
    broker = broker_settings(section, config)
    try:
        prefix = checked_topic("discovery_prefix", config.discovery_prefix)
    except ValueError as error:
        raise ConfigError(f"{section}: {error}.") from error
    return MqttSettings(
        **structs.asdict(broker),
        prefix=prefix,
        discovery=config.discovery,
        language=config.language,
        state_every_s=config.state_every_s,
        counters_every_s=config.counters_every_s,
    )


def _broker_settings(config: MqttConfig | UplinkConfig | CollectConfig) -> BrokerSettings:
    """Raises ValueError."""
    if config.url.rest not in ("", "/"):
        raise ValueError(URL_FORM)
    access = broker_access(
        config.url,
        password=config.password,
        client_id=config.client_id if isinstance(config, MqttConfig) else "",
        ca_file=config.ca_file,
        cert_file=config.cert_file,
        key_file=config.key_file,
    )
    return BrokerSettings(**structs.asdict(access), base=checked_topic("base_topic", config.base_topic))


def checked_topic(key: str, topic: str) -> str:
    """Raises ValueError, a clause that names the key."""
    if not topic or set(topic) & set("+#") or not all(topic.split("/")) or has_control_characters(topic):
        raise ValueError(f"{key} must be a topic such as house/meters, without + and # and empty levels")
    if topic.startswith("$"):
        raise ValueError(f"{key} must not begin with $: such topics belong to the broker")
    if len(topic.encode()) > _MAX_TOPIC_BYTES:
        raise ValueError(f"{key} must have at most {_MAX_TOPIC_BYTES:,} bytes")
    return topic
