"""What a configuration asks for, tried before anything is opened or changed: each mistake in it is a sentence."""

import ssl
from typing import NamedTuple

from msgspec import structs

from iskra_server import __version__, delivery
from iskra_server.codecs.decoder import recognise
from iskra_server.config import Config, ConfigError, MeterConfig
from iskra_server.config.masking import masked_url
from iskra_server.diagnosis.advice import tell
from iskra_server.prices import contracts_of
from iskra_server.sources import open_source
from iskra_server.sources.source import Source
from iskra_server.tls import tls_context
from iskra_server.web.settings import Scope, Settings
from iskra_server.zone import Found, found_zone

_SIMULATOR = "simulator:"
_TOKEN_LENGTH = 16


class Plan(NamedTuple):
    """A configuration of which everything that can be wrong was tried, and nothing was opened yet."""

    config: Config
    sources: list[Source]
    settings: Settings
    tls: ssl.SSLContext | None

    @property
    def simulated(self) -> bool:
        return bool(self.sources) and all(source.simulated for source in self.sources)


def plan_of(config: Config) -> Plan:
    """Raises ConfigError."""
    server = config.server
    config = structs.replace(config, meters=config.meters_read)
    delivery.check(config)
    found = _zone(server.time_zone)
    settings = Settings(
        version=__version__,
        readout_interval_s=server.readout_interval,
        tz=found.zone.key,
        tz_reason=found.reason,
        token=_token(server.token),
        allowed_hosts=tuple(server.allowed_hosts.split(",")),
        contracts=contracts_of(config.contracts),
        scopes=_scopes(config),
        centre=not config.meters,
    )
    return Plan(
        config, [_source(meter) for meter in config.meters], settings, tls_context(server.tls_cert, server.tls_key)
    )


def _source(meter: MeterConfig) -> Source:
    try:
        if not meter.url.startswith(_SIMULATOR):
            return open_source(meter.url, recognise=recognise, tell=tell)
        # the simulator is imported only where it is used
        from iskra_server.simulator.virtual import from_url  # noqa: PLC0415

        return from_url(meter.url)
    except ValueError as error:
        # a sentence about an address repeats it
        reason = str(error).rstrip(".").replace(meter.url, url := masked_url(meter.url))
        raise ConfigError(f"The meter {url} cannot be read: {reason}.") from None


def _zone(name: str) -> Found:
    try:
        return found_zone(name)
    except ValueError as error:
        raise ConfigError(f"server.time_zone: {error}.") from error


def _token(token: str, key: str = "server.token") -> str:
    """What can be guessed or does not fit into a header is refused."""
    if token and (len(token) < _TOKEN_LENGTH or not all("!" <= character <= "~" for character in token)):
        raise ConfigError(f"{key} must be at least {_TOKEN_LENGTH} letters, digits or signs, without spaces.")
    return token


def _scopes(config: Config) -> tuple[Scope, ...]:
    """Tokens that see the meters of some groups: none of them may be mistaken for another, or for one that sees all."""
    if config.tokens and not config.server.token:
        raise ConfigError("tokens need server.token: without it, everybody sees everything.")
    tokens = [config.server.token, *(each.token for each in config.tokens)]
    for place, each in enumerate(config.tokens, 1):
        if not each.token:
            raise ConfigError(f"tokens.token is missing in the section [[tokens]] number {place}.")
        if tokens.count(each.token) > 1:
            raise ConfigError(f"The tokens.token of the section [[tokens]] number {place} stands elsewhere, too.")
    return tuple(Scope(_token(each.token, "tokens.token"), _groups(each.groups)) for each in config.tokens)


def _groups(text: str) -> tuple[tuple[str, str], ...]:
    parts = [each.strip().partition(":") for each in text.split(",")]
    if not all(kind and colon and value for kind, colon, value in parts):
        raise ConfigError(f"tokens.groups must be groups such as tenant:Meyer, building:7; it is '{text}'.")
    return tuple((kind.strip(), value.strip()) for kind, _, value in parts)
