"""A channel: where messages go, in which language, and which of them; checked before anything is sent."""

import re
import ssl
from collections.abc import Iterable
from ipaddress import ip_address

from msgspec import Struct

from iskra_server.base.address import Address, host_in_url, is_host
from iskra_server.base.language import Language, in_both
from iskra_server.base.secret import Secret
from iskra_server.config import Config, ConfigError, NotifyConfig
from iskra_server.outputs.notify.failures import NotSent
from iskra_server.outputs.notify.messages import EVENTS, Event

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
# fault: sentence, Satz
_MISTAKES = {
    "url": (
        "{key} must be an address such as {example}.",
        "{key} muss eine Adresse wie {example} sein.",
    ),
    "port": (
        "{key}: {reason}.",
        "{key}: Der Port muss eine Zahl von 1 bis 65535 sein.",
    ),
    "topic": (
        "{key} must end with the topic, such as https://ntfy.sh/TOPIC.",
        "{key} muss mit dem Thema (Topic) enden, etwa https://ntfy.sh/TOPIC.",
    ),
    "gotify": (
        "{key} must be the token of an application of gotify.",
        "{key} muss das Token einer Anwendung in Gotify sein.",
    ),
    "token": (
        "{key} has characters that no token has.",
        "{key} enthält Zeichen, die in keinem Token vorkommen.",
    ),
    "events": (
        "{key} names '{unknown}'; known are {known}.",
        "{key} nennt '{unknown}'; bekannt sind {known}.",
    ),
    "mail": (
        "{key} must be an address such as me@example.org.",
        "{key} muss eine Adresse wie ich@example.org sein.",
    ),
    "name": (
        "{key}: another channel is named '{name}' too; give this one its own name.",
        "{key}: So ('{name}') heißt schon ein anderer Kanal; geben Sie diesem einen eigenen Namen.",
    ),
}


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
            raise NotSent("certificates", file=self.ca_file, reason=reason) from None


def channels_from_config(configured: tuple[NotifyConfig, ...], page_url: str) -> tuple[Channel, ...]:
    """Those with a url; `page_url` is that of this server. Raises ConfigError for the first mistake."""
    channels, problems = _channels(configured, page_url)
    if problems:
        raise problems[0]
    return channels


def channel_problems(config: Config) -> list[ConfigError]:
    """All that is wrong with the channels of a configuration."""
    return _channels(config.notify, "")[1]


def _channels(configured: Iterable[NotifyConfig], page_url: str) -> tuple[tuple[Channel, ...], list[ConfigError]]:
    """Each channel with its first mistake."""
    channels: list[Channel] = []
    problems: list[ConfigError] = []
    for count, config in enumerate(configured, 1):
        if config.url:
            path = f"notify.{count}"
            try:
                channel = _channel(config, path, page_url)
            except ConfigError as error:
                problems.append(error)
                continue
            if channel.name in [other.name for other in channels]:
                problems.append(_mistake("name", f"{path}.name", name=channel.name))
            channels.append(channel)
    return tuple(channels), problems


def _channel(config: NotifyConfig, path: str, page_url: str) -> Channel:
    """`path` is "notify.1". Raises ConfigError."""
    url, kind = config.url, config.kind
    if url.scheme not in _SCHEMES.get(kind, _HTTP) or not is_host(url.host):
        raise _mistake("url", f"{path}.url", example=_EXAMPLES[kind])
    try:
        port = url.port
    except ValueError as error:
        raise _mistake("port", f"{path}.url", reason=str(error)) from None
    topic = url.rest.partition("?")[0].strip("/")
    if kind == "ntfy" and (not topic or "?" in url.rest):
        raise _mistake("topic", f"{path}.url")
    if kind == "gotify" and not config.token:
        raise _mistake("gotify", f"{path}.token")
    if not all("!" <= character <= "~" for character in config.token.reveal()):
        raise _mistake("token", f"{path}.token")
    user = config.user or url.user
    host = host_in_url(url.host)
    return Channel(
        kind=kind,
        name=config.name or kind,
        url=url,
        place=f"{url.scheme}://{host}{f':{port}' if port else ''}",
        token=config.token,
        user=user,
        password=config.password or url.password,
        sender=_mail_address(config.sender or user, f"{path}.sender") if kind == "email" else "",
        recipients=_recipients(config.recipients, f"{path}.recipients") if kind == "email" else (),
        ca_file=config.ca_file,
        language=config.language,
        events=_events(config.events, f"{path}.events"),
        page_url=config.page_url or page_url,
        max_per_day=config.max_per_day,
    )


def _events(text: str, key: str) -> tuple[Event, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if unknown := next((name for name in names if name not in EVENTS), None):
        raise _mistake("events", key, unknown=unknown[:40], known=", ".join(EVENTS))
    return tuple(event for event in EVENTS if event in names) or EVENTS


def _recipients(text: str, key: str) -> tuple[str, ...]:
    addresses = tuple(address.strip() for address in text.split(",") if address.strip())
    if not addresses:
        raise _mistake("mail", key)
    return tuple(_mail_address(address, key) for address in addresses)


def _mail_address(text: str, key: str) -> str:
    if not _MAIL_ADDRESS.fullmatch(text):
        raise _mistake("mail", key)
    return text


def _mistake(fault: str, key: str, **details: str) -> ConfigError:
    return ConfigError(in_both(_MISTAKES[fault], key=key, **details), key)
