"""How to reach a broker, checked before anything connects."""

import ssl
import unicodedata
from pathlib import Path

from msgspec import Struct

from iskra_server.base.address import Address, host_in_url, is_host
from iskra_server.base.language import Bilingual, in_both
from iskra_server.base.secret import Secret, masking
from iskra_server.mqtt.message import MqttError

# scheme -> port where the URL names none
PORTS = {"mqtt": 1883, "mqtts": 8883}
URL_FORM = "the url must be like mqtt://user@host:1883, or mqtts:// for TLS"
# client id, user and password (MQTT 5, 1.5.4)
_MAX_TEXT_BYTES = 65_535


class BrokerAccess(Struct, frozen=True):
    """A file is "" where there is none."""

    host: str
    port: int
    tls: bool
    username: str | None
    password: Secret
    client_id: str
    ca_file: str
    cert_file: str
    key_file: str

    @property
    def broker(self) -> str:
        """The broker's address for people, without a password."""
        host = host_in_url(self.host)
        return f"mqtt{'s' if self.tls else ''}://{host}:{self.port}"

    def masked(self, text: object) -> str:
        """The text of a broker or a library without the password."""
        return masking((self.password,))(str(text))

    def nothing_published(self, error: MqttError) -> Bilingual:
        """The sentence of an output whose broker is away."""
        return in_both(
            (
                "Nothing is published to {broker}: {reason}. {advice}; retrying.",
                "An {broker} wird nichts gesendet: {reason}. {advice}; es wird weiter versucht.",
            ),
            **self.details(error),
        )

    def details(self, error: MqttError) -> dict[str, object]:
        """For a sentence about an error: broker, reason and advice."""
        english, german = error.both
        return {
            "broker": self.broker,
            "reason": (self.masked(english), self.masked(german)),
            "advice": error.advice,
        }


def broker_access(
    url: Address,
    *,
    password: Secret,
    client_id: str = "",
    ca_file: str = "",
    cert_file: str = "",
    key_file: str = "",
) -> BrokerAccess:
    """Looks at the url up to its port. Raises ValueError with a clause for the user."""
    if url.scheme not in PORTS or not is_host(url.host):
        raise ValueError(URL_FORM)
    if url.password and password:
        raise ValueError("the url and the key password both hold a password; keep one of them")
    if (url.password or password) and not url.user:
        raise ValueError("a password needs its user: mqtt://user@host")
    access = BrokerAccess(
        host=url.host,
        port=_port(url) or PORTS[url.scheme],
        tls=url.scheme == "mqtts",
        username=url.user or None,
        password=url.password or password,
        client_id=client_id,
        ca_file=ca_file,
        cert_file=cert_file,
        key_file=key_file,
    )
    _check_text("client_id", access.client_id)
    _check_text("user", url.user)
    _check_text("password", access.password.reveal())
    if not access.tls and (access.ca_file or access.cert_file or access.key_file):
        raise ValueError("certificates need TLS: write the url as mqtts://")
    if access.key_file and not access.cert_file:
        raise ValueError("key_file needs cert_file beside it")
    tls_context(access)
    return access


def tls_context(access: BrokerAccess) -> ssl.SSLContext | None:
    """None without TLS. Reads the files at each call, because certificates are renewed. Raises ValueError."""
    if not access.tls:
        return None
    for file in filter(None, (access.ca_file, access.cert_file, access.key_file)):
        if not Path(file).is_file():
            raise ValueError(f"there is no file {file}")
    try:
        context = ssl.create_default_context(cafile=access.ca_file or None)
    except (OSError, ssl.SSLError):
        raise ValueError(f"{access.ca_file} holds no certificates (PEM)") from None
    if access.cert_file:
        try:
            # without a password here, OpenSSL would ask for that of an encrypted key at the terminal
            context.load_cert_chain(access.cert_file, access.key_file or None, password="")
        except (OSError, ssl.SSLError):
            files = " and ".join(filter(None, (access.cert_file, access.key_file)))
            raise ValueError(f"{files} are no certificate with its key (PEM, without a password)") from None
    return context


def _port(url: Address) -> int | None:
    try:
        return url.port
    except ValueError:
        raise ValueError("the port in the url must be a number from 1 to 65535") from None


def _check_text(key: str, text: str) -> None:
    if has_control_characters(text) or len(text.encode(errors="replace")) > _MAX_TEXT_BYTES:
        raise ValueError(f"{key} must be text without control characters, of at most {_MAX_TEXT_BYTES:,} bytes")


def has_control_characters(text: str) -> bool:
    """Brokers end the connection for a control character, or for half of a surrogate pair (MQTT 5, 1.5.4)."""
    return any(unicodedata.category(character) in ("Cc", "Cs") for character in text)
