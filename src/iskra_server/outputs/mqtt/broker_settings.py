"""The settings of a broker connection and of the MQTT output, checked before anything connects."""

import ssl
import unicodedata
from pathlib import Path
from typing import Literal

from msgspec import Struct, structs

from iskra_server.base.address import Address, is_host
from iskra_server.base.secret import Secret, masking
from iskra_server.config import CollectConfig, ConfigError, MqttConfig, UplinkConfig

Discovery = Literal["classic", "device", "off"]
Language = Literal["en", "de"]
# scheme -> port where the URL names none
_PORTS = {"mqtt": 1883, "mqtts": 8883}
# a topic has at most 65,535 bytes in MQTT and far less at some brokers; the levels that we append take up to 100
_MAX_TOPIC_BYTES = 1000
# client id, user and password (MQTT 5, 1.5.4)
_MAX_TEXT_BYTES = 65_535


class BrokerSettings(Struct, frozen=True):
    """How to reach a broker. Every topic begins with `base`; a file is "" where there is none."""

    host: str
    port: int
    tls: bool
    username: str | None
    password: Secret
    client_id: str
    base: str
    ca_file: str
    cert_file: str
    key_file: str

    @property
    def broker(self) -> str:
        """The broker's address for people, without a password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt{'s' if self.tls else ''}://{host}:{self.port}"

    def masked(self, text: object) -> str:
        """The text of a broker or a library without the password."""
        return masking((self.password,))(str(text))


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
        prefix = _topic("discovery_prefix", config.discovery_prefix)
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
    url, password = config.url, config.password
    if url.scheme not in _PORTS or not is_host(url.host) or url.rest not in ("", "/"):
        raise ValueError("the url must be like mqtt://user@host:1883, or mqtts:// for TLS")
    if url.password and password:
        raise ValueError("the url and the key password both hold a password; keep one of them")
    if (url.password or password) and not url.user:
        raise ValueError("a password needs its user: mqtt://user@host")
    settings = BrokerSettings(
        host=url.host,
        port=_port(url) or _PORTS[url.scheme],
        tls=url.scheme == "mqtts",
        username=url.user or None,
        password=url.password or password,
        client_id=config.client_id if isinstance(config, MqttConfig) else "",
        base=_topic("base_topic", config.base_topic),
        ca_file=config.ca_file,
        cert_file=config.cert_file,
        key_file=config.key_file,
    )
    _check_text("client_id", settings.client_id)
    _check_text("user", url.user)
    _check_text("password", settings.password.reveal())
    if not settings.tls and (settings.ca_file or settings.cert_file or settings.key_file):
        raise ValueError("certificates need TLS: write the url as mqtts://")
    if settings.key_file and not settings.cert_file:
        raise ValueError("key_file needs cert_file beside it")
    tls_context(settings)
    return settings


def tls_context(settings: BrokerSettings) -> ssl.SSLContext | None:
    """None without TLS. Reads the files at each call, because certificates are renewed. Raises ValueError."""
    if not settings.tls:
        return None
    for file in filter(None, (settings.ca_file, settings.cert_file, settings.key_file)):
        if not Path(file).is_file():
            raise ValueError(f"there is no file {file}")
    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
    except (OSError, ssl.SSLError):
        raise ValueError(f"{settings.ca_file} holds no certificates (PEM)") from None
    if settings.cert_file:
        try:
            # without a password here, OpenSSL would ask for that of an encrypted key at the terminal
            context.load_cert_chain(settings.cert_file, settings.key_file or None, password="")
        except (OSError, ssl.SSLError):
            files = " and ".join(filter(None, (settings.cert_file, settings.key_file)))
            raise ValueError(f"{files} are no certificate with its key (PEM, without a password)") from None
    return context


def _port(url: Address) -> int | None:
    try:
        return url.port
    except ValueError:
        raise ValueError("the port in the url must be a number from 1 to 65535") from None


def _check_text(key: str, text: str) -> None:
    if _has_control_characters(text) or len(text.encode(errors="replace")) > _MAX_TEXT_BYTES:
        raise ValueError(f"{key} must be text without control characters, of at most {_MAX_TEXT_BYTES:,} bytes")


def _topic(key: str, topic: str) -> str:
    if not topic or set(topic) & set("+#") or not all(topic.split("/")) or _has_control_characters(topic):
        raise ValueError(f"{key} must be a topic such as house/meters, without + and # and empty levels")
    if topic.startswith("$"):
        raise ValueError(f"{key} must not begin with $: such topics belong to the broker")
    if len(topic.encode()) > _MAX_TOPIC_BYTES:
        raise ValueError(f"{key} must have at most {_MAX_TOPIC_BYTES:,} bytes")
    return topic


def _has_control_characters(text: str) -> bool:
    """Brokers end the connection for a control character, or for half of a surrogate pair (MQTT 5, 1.5.4)."""
    return any(unicodedata.category(character) in ("Cc", "Cs") for character in text)
