"""Checks a configuration before anything is opened, and turns it into ready settings.

A reload compares the old plan with the new one: parts with equal settings keep running.
"""

import csv
import os
import socket
import ssl
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import structs

from iskra_server import __version__
from iskra_server.base.address import is_host, is_ip_address
from iskra_server.base.build import read_build
from iskra_server.base.secret import Secret
from iskra_server.base.timezone import DetectedZone, detect_zone
from iskra_server.config import Config, ConfigError, HistoryConfig, MeterConfig
from iskra_server.cost.from_config import contracts_from_config, offers_from_config
from iskra_server.cost.price_plan import PricePlan, price_plan
from iskra_server.diagnosis.advice import format_problem
from iskra_server.history.store.location import check_address, database_address
from iskra_server.meter.virtual_meter import VirtualMeter
from iskra_server.reading.decoding import Decoding
from iskra_server.runtime.meter_setup import AUTO, meter_decoding, named_ports, port_memory
from iskra_server.runtime.output_factory import planned_outputs
from iskra_server.runtime.planned_output import PlannedOutput
from iskra_server.runtime.tls import contents, tls_context
from iskra_server.runtime.virtual_setup import virtual_meters
from iskra_server.sources import open_source
from iskra_server.sources.port_memory import PortMemory
from iskra_server.sources.shared_line import split_name
from iskra_server.sources.source import Source, SourceState
from iskra_server.web.http.settings import ScopedToken, WebSettings

_SIMULATOR = "simulator"
_TOKEN_LENGTH = 16


class Plan(NamedTuple):
    """A checked configuration; nothing is open yet."""

    config: Config
    sources: list[Source]
    # of the meter of each source
    decodings: list[Decoding]
    settings: WebSettings
    outputs: tuple[PlannedOutput, ...]
    # None: no spot prices are fetched
    prices: PricePlan | None
    virtual: tuple[VirtualMeter, ...]
    tls: ssl.SSLContext | None
    # changes when a certificate is renewed in the same file
    tls_files: bytes

    @property
    def simulated(self) -> bool:
        return _simulated(self.sources)

    @property
    def place(self) -> object:
        """Where the server listens."""
        server = self.config.server
        return server.host, server.port, server.ingress_port

    @property
    def access(self) -> object:
        """Who may see what."""
        settings = self.settings
        return settings.token, settings.scoped_tokens, settings.allowed_hosts, self.config.server.ingress_address

    @property
    def read_with(self) -> dict[MeterConfig, object]:
        """What a reader depends on besides its meter: keys and layouts; for `auto`, the ports of the other meters."""
        named = named_ports(self.config.meters)
        return {
            meter: (decoding, named if meter.url == AUTO else [])
            for meter, decoding in zip(self.config.meters, self.decodings, strict=True)
        }

    @property
    def answers(self) -> object:
        """What the HTTP answers depend on; requests that name no meter mean the first one."""
        return self.settings, self.config.meters


def plan_of(config: Config) -> Plan:
    """Raises ConfigError."""
    server = config.server
    virtual = virtual_meters(config)
    config = structs.replace(config, meters=config.meters_read)
    time_zone = _time_zone(server.time_zone)
    prices = price_plan(config)
    settings = WebSettings(
        version=__version__,
        build=read_build(),
        readout_interval_s=server.readout_interval,
        tz=time_zone.zone.key,
        tz_reason=time_zone.reason,
        token=_token(server.token),
        allowed_hosts=tuple(server.allowed_hosts.split(",")),
        contracts=(contracts := contracts_from_config(config.contracts)),
        offers=offers_from_config(config.offers, contracts),
        scoped_tokens=_scoped_tokens(config),
        is_central=not config.meters,
        has_history=config.history.enabled,
        language=server.language,
        price_zone=prices.zones[0] if prices else "",
        own_address=f"http{'s' if server.tls_cert else ''}://{socket.gethostname()}:{server.port}",
    )
    if not is_host(server.host):
        raise ConfigError(f"server.host is '{server.host}'; it must be an address of this machine, such as 127.0.0.1.")
    if not is_ip_address(server.ingress_address):
        raise ConfigError(f"server.ingress_address is '{server.ingress_address}'; it must be an IP address.")
    if server.ingress_port == server.port:
        raise ConfigError(f"server.port and server.ingress_port are both {server.port}; each needs its own port.")
    memory = port_memory(config.history.data_dir)
    named = named_ports(config.meters)
    sources = [_source(meter, memory, named) for meter in config.meters]
    _check_devices(sources)
    if config.history.enabled:
        _check_history(config.history, simulated=_simulated(sources))
    return Plan(
        config=config,
        sources=sources,
        decodings=[meter_decoding(meter) for meter in config.meters],
        settings=settings,
        outputs=planned_outputs(config, settings.contracts, settings.tz),
        prices=prices,
        virtual=virtual,
        # before the context: files that change in between differ at the next reload
        tls_files=contents(server.tls_cert, server.tls_key),
        tls=tls_context(server.tls_cert, server.tls_key),
    )


def _simulated(sources: Sequence[Source]) -> bool:
    return bool(sources) and all(source.simulated for source in sources)


def _check_history(keys: HistoryConfig, *, simulated: bool) -> None:
    try:
        if keys.database_url:
            check_address(keys.database_url)
        database_address(keys.data_dir, keys.database_url, simulated=simulated)
    except ValueError as error:
        raise ConfigError(f"history.{error}.") from None


def _source(meter: MeterConfig, memory: PortMemory, named: Sequence[str]) -> Source:
    try:
        if meter.url.scheme != _SIMULATOR:
            return open_source(meter.url, memory=memory, named=named, format_problem=format_problem)
        # the simulator is imported only where it is used
        from iskra_server.simulator.simulated_source import from_url  # noqa: PLC0415

        return from_url(meter.url)
    except ValueError as error:
        reason = meter.url.masked(error).rstrip(".")
        raise ConfigError(f"The meter {meter.url} cannot be read: {reason}.") from None


def _check_devices(sources: list[Source]) -> None:
    """Raises ConfigError for two names of one serial port: their readers would disturb each other.

    Several meters of an RS-485 line share their port if each has an address.
    """
    states: dict[str, list[SourceState]] = defaultdict(list)
    for state in (source.state for source in sources if not source.simulated):
        path, _ = split_name(state.port)
        device = os.path.realpath(path)
        if os.path.exists(device):
            for other in states[device]:
                _check_sharing(device, other, state)
        states[device].append(state)


def _check_sharing(device: str, first: SourceState, second: SourceState) -> None:
    (first_path, first_address), (second_path, second_address) = split_name(first.port), split_name(second.port)
    if not first_address or not second_address:
        raise ConfigError(
            f"The meters {first_path} and {second_path} are the same device ({device}); keep one of them. Several D0 "
            "meters of an RS-485 line each need ?protocol=d0&address= with their address."
        )
    if first_address == second_address:
        raise ConfigError(f"Two meters at {device} have the address {first_address}; keep one of them.")
    if first.line != second.line:
        raise ConfigError(f"Two meters at {device} have {first.line} and {second.line}; a line has one speed.")


def _time_zone(name: str) -> DetectedZone:
    try:
        return detect_zone(name)
    except ValueError as error:
        raise ConfigError(f"server.time_zone: {error}.") from error


def _token(token: Secret, key: str = "server.token") -> Secret:
    """Raises ConfigError for a token that can be guessed, or does not fit into a header."""
    text = token.reveal()
    if text and (len(text) < _TOKEN_LENGTH or not all("!" <= character <= "~" for character in text)):
        raise ConfigError(f"{key} must be at least {_TOKEN_LENGTH} letters, digits or punctuation, without spaces.")
    return token


def _scoped_tokens(config: Config) -> tuple[ScopedToken, ...]:
    """Tokens for the meters of some groups. All tokens must differ. Raises ConfigError."""
    if config.tokens and not config.server.token:
        raise ConfigError("tokens need server.token: without it, everybody sees everything.")
    tokens = [config.server.token, *(scoped.token for scoped in config.tokens)]
    for number, scoped in enumerate(config.tokens, 1):
        if not scoped.token:
            raise ConfigError(f"tokens.token is missing in the section [[tokens]] number {number}.")
        if tokens.count(scoped.token) > 1:
            raise ConfigError(f"The tokens.token of the section [[tokens]] number {number} is used twice.")
    return tuple(ScopedToken(_token(scoped.token, "tokens.token"), _groups(scoped.groups)) for scoped in config.tokens)


def _groups(text: str) -> tuple[tuple[str, str], ...]:
    # as a line of CSV: a name with a comma is quoted; TOML may have it on several lines
    rows = list(csv.reader([" ".join(text.splitlines())], skipinitialspace=True))
    parts = [group.strip().partition(":") for row in rows for group in row]
    if not parts or not all(kind and colon and value for kind, colon, value in parts):
        raise ConfigError(
            "tokens.groups must be groups such as tenant:Meyer, building:7, one with a comma in its name in quotes "
            f"(\"tenant:Meyer, Anna\"); it is '{text}'."
        )
    return tuple((kind.strip(), value.strip()) for kind, _, value in parts)
