"""A channel: where messages go, in which language, and which of them; checked before anything is sent."""

import re
import ssl
from ipaddress import ip_address

from msgspec import Struct

from iskra_server.base.address import Address, is_host
from iskra_server.base.secret import Secret
from iskra_server.config import ConfigError, NotifyConfig
from iskra_server.outputs.notify.messages import EVENTS, Event, Language

_SCHEMES = {"email": ("smtp", "smtps")}
_HTTP = ("http", "https")
# without quoted names and comments, which nobody's address has
_MAIL_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_EXAMPLES = {
    "ntfy": "https://ntfy.sh/TOPIC",
    "webhook": "http://homeassistant.local:8123/api/webhook/ID",
    "gotify": "https://gotify.example.org",
    "email": "smtps://smtp.example.org",
}


class NotSent(Exception):
    """The message cannot be sent now, and is tried again: a sentence with what to do."""


class MessageRefused(Exception):
    """The other side will never take this message: its reason."""


class Channel(Struct, frozen=True):
    """`place` is the address without secrets; `events` is never empty."""

    kind: str
    name: str
    url: Address
    place: str
    token: Secret
    user: str
    password: Secret
    sender: str
    recipients: tuple[str, ...]
    ca_file: str
    language: Language
    events: tuple[Event, ...]
    page_url: str
    max_per_day: int

    @property
    def secrets(self) -> tuple[Secret, ...]:
        return self.url, self.token, self.password

    @property
    def is_local(self) -> bool:
        """Whether the other side is on this machine."""
        try:
            return self.url.host == "localhost" or ip_address(self.url.host).is_loopback
        except ValueError:
            return False

    def context(self) -> ssl.SSLContext | None:
        """With the certificates of `ca_file`; None for those of this machine. Raises NotSent."""
        if not self.ca_file:
            return None
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise NotSent(
                f"The certificates {self.ca_file} cannot be read: {reason}. Correct notify.ca_file."
            ) from None


def channels_from_config(configured: tuple[NotifyConfig, ...], page_url: str) -> tuple[Channel, ...]:
    """Those with a url; `page_url` is that of this server. Raises ConfigError, naming the channel."""
    channels: list[Channel] = []
    for count, config in enumerate(configured, 1):
        if config.url:
            where = f"[[notify]] number {count}"
            try:
                channels.append(_channel(config, page_url))
            except ValueError as error:
                raise ConfigError(f"{where}: {error}.") from None
            if [channel.name for channel in channels].count(channels[-1].name) > 1:
                raise ConfigError(f"{where}: another channel is named '{channels[-1].name}' too; set notify.name.")
    return tuple(channels)


def _channel(config: NotifyConfig, page_url: str) -> Channel:
    """Raises ValueError."""
    url, kind = config.url, config.kind
    if url.scheme not in _SCHEMES.get(kind, _HTTP) or not is_host(url.host):
        raise ValueError(f"notify.url must be an address such as {_EXAMPLES[kind]}")
    port = url.port
    path = url.rest.partition("?")[0].strip("/")
    if kind == "ntfy" and (not path or "?" in url.rest):
        raise ValueError("notify.url must end with the topic, such as https://ntfy.sh/TOPIC")
    if kind == "gotify" and not config.token:
        raise ValueError("notify.token must be the token of an application of gotify")
    if not all("!" <= character <= "~" for character in config.token.reveal()):
        raise ValueError("notify.token has characters that no token has")
    user = config.user or url.user
    host = f"[{url.host}]" if ":" in url.host else url.host
    return Channel(
        kind=kind,
        name=config.name or kind,
        url=url,
        place=f"{url.scheme}://{host}{f':{port}' if port else ''}",
        token=config.token,
        user=user,
        password=config.password or url.password,
        sender=_mail_address(config.sender or user, "notify.sender") if kind == "email" else "",
        recipients=_recipients(config.recipients) if kind == "email" else (),
        ca_file=config.ca_file,
        language=config.language,
        events=_events(config.events),
        page_url=config.page_url or page_url,
        max_per_day=config.max_per_day,
    )


def _events(text: str) -> tuple[Event, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if unknown := next((name for name in names if name not in EVENTS), None):
        raise ValueError(f"notify.events names '{unknown[:40]}'; known are {', '.join(EVENTS)}")
    return tuple(event for event in EVENTS if event in names) or EVENTS


def _recipients(text: str) -> tuple[str, ...]:
    addresses = tuple(address.strip() for address in text.split(",") if address.strip())
    if not addresses:
        raise ValueError("notify.recipients must be an address such as me@example.org")
    return tuple(_mail_address(address, "notify.recipients") for address in addresses)


def _mail_address(text: str, key: str) -> str:
    if not _MAIL_ADDRESS.fullmatch(text):
        raise ValueError(f"{key} must be an address such as me@example.org")
    return text
