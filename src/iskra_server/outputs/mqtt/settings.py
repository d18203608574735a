"""What the publisher is told at its start, read from the keys of [outputs.mqtt]."""

import ssl
import unicodedata
from pathlib import Path
from typing import Literal

from msgspec import Struct

from iskra_server.base.address import Address, is_host
from iskra_server.base.secret import Secret, masking

Discovery = Literal["classic", "device", "off"]
Language = Literal["en", "de"]
# scheme -> port where the URL names none
_PORTS = {"mqtt": 1883, "mqtts": 8883}
# MQTT has room for 65,535 bytes in a topic, some brokers for far less; what is appended takes another hundred
_TOPIC_BYTES = 1000
# client id, user and password
_TEXT_BYTES = 65_535


class Settings(Struct, frozen=True):
    """`base` and `prefix` begin every topic; a file is "" where there is none."""

    host: str
    port: int
    tls: bool
    username: str | None
    password: Secret
    client_id: str
    base: str
    prefix: str
    discovery: Discovery
    language: Language
    state_every_s: float
    counters_every_s: float
    ca_file: str
    cert_file: str
    key_file: str

    @property
    def broker(self) -> str:
        """The broker's address for people, without a password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt{'s' if self.tls else ''}://{host}:{self.port}"

    def masked(self, said: object) -> str:
        """What a broker or a library says, without the password."""
        return masking((self.password,))(str(said))


def from_keys(
    *,
    url: str | Address,
    password: str | Secret,
    client_id: str,
    base_topic: str,
    discovery: Discovery,
    discovery_prefix: str,
    language: Language,
    state_every_s: float,
    counters_every_s: float,
    ca_file: str,
    cert_file: str,
    key_file: str,
) -> Settings:
    """The keys as they are written in the configuration. Raises ValueError with a sentence."""
    url, password = Address(url), Secret(password)
    if url.scheme not in _PORTS or not is_host(url.host) or url.rest not in ("", "/"):
        raise ValueError("the url must be like mqtt://user@host:1883, or mqtts:// for TLS")
    if url.password and password:
        raise ValueError("the url and the key password both hold a password; keep one of them")
    if (url.password or password) and not url.user:
        raise ValueError("a password needs its user: mqtt://user@host")
    settings = Settings(
        host=url.host,
        port=_port(url) or _PORTS[url.scheme],
        tls=url.scheme == "mqtts",
        username=url.user or None,
        password=url.password or password,
        client_id=client_id,
        base=_topic("base_topic", base_topic),
        prefix=_topic("discovery_prefix", discovery_prefix),
        discovery=discovery,
        language=language,
        state_every_s=state_every_s,
        counters_every_s=counters_every_s,
        ca_file=ca_file,
        cert_file=cert_file,
        key_file=key_file,
    )
    for key, text in (("client_id", client_id), ("user", settings.username), ("password", settings.password.reveal())):
        _check_text(key, text or "")
    if not settings.tls and (ca_file or cert_file or key_file):
        raise ValueError("certificates need TLS: write the url as mqtts://")
    if key_file and not cert_file:
        raise ValueError("key_file needs cert_file beside it")
    tls_context(settings)
    return settings


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """For mqtts://, read anew each time as certificates are renewed. Raises ValueError for files that are not good."""
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
            # a key with a password would ask for it at the terminal
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
    if _has_control_characters(text) or len(text.encode(errors="replace")) > _TEXT_BYTES:
        raise ValueError(f"{key} must be text without control characters, of at most {_TEXT_BYTES:,} bytes")


def _topic(key: str, topic: str) -> str:
    if not topic or set(topic) & set("+#") or not all(topic.split("/")) or _has_control_characters(topic):
        raise ValueError(f"{key} must be a topic such as house/meters, without + and # and empty levels")
    if topic.startswith("$"):
        raise ValueError(f"{key} must not begin with $: such topics are the broker's own")
    if len(topic.encode()) > _TOPIC_BYTES:
        raise ValueError(f"{key} must have at most {_TOPIC_BYTES:,} bytes")
    return topic


def _has_control_characters(text: str) -> bool:
    """Brokers end the connection for one of them (MQTT 5, 1.5.4), or for half of a surrogate pair."""
    return any(unicodedata.category(character) in ("Cc", "Cs") for character in text)
