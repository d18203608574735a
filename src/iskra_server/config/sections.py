"""The sections of the configuration; each key is documented here, beside its type, and nowhere else.

A key whose `Meta` has `extra=SECRET` may hold a password and can also be read from a file (IES_..._FILE). Its type is
Secret or Address; what these print holds no secret.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from iskra_server.base.address import Address
from iskra_server.base.secret import Secret
from iskra_server.config.common_keys import SECRET
from iskra_server.config.contract_sections import ContractConfig, OfferConfig
from iskra_server.config.notify_sections import AlertsConfig, NotifyConfig
from iskra_server.config.output_sections import CollectConfig, OutputsConfig, UplinkConfig
from iskra_server.config.price_section import SpotPricesConfig
from iskra_server.config.virtual_section import VirtualConfig

# text that may not be empty, for an Address; text of type str has min_length
FILLED = {"filled": True}
# the url of a server that reads no meter and shows what a database holds
NO_METER = Address("none")
_DAY_S = 86_400


class ServerConfig(Struct, frozen=True):
    host: Annotated[
        str,
        Meta(
            min_length=1,
            description="Address or host name to listen on: 0.0.0.0 is every IPv4 address, :: every IPv4 and IPv6 "
            "address, 127.0.0.1 this machine only.",
        ),
    ] = "0.0.0.0"
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port of the HTTP server.")] = 8080
    readout_interval: Annotated[
        float,
        Meta(
            ge=0,
            le=_DAY_S,
            description="Minimum seconds between new values at /api/electricity/cumulated. 0: every telegram.",
        ),
    ] = 0.0
    time_zone: Annotated[
        str,
        Meta(description="Time zone of days and months, such as Europe/Berlin. Empty: that of this machine."),
    ] = ""
    token: Annotated[
        Secret,
        Meta(
            description="Access token that clients must send (at least 16 characters; openssl rand -hex 16 makes one). "
            "Empty: no authentication.",
            extra=SECRET,
        ),
    ] = Secret()
    allowed_hosts: Annotated[
        str,
        Meta(
            description="Further host names that clients may use, separated by commas. *.example.org: every name below "
            "example.org; *: any name. Empty: IP addresses, names without a dot and local names such as NAME.local, "
            "which are always allowed.",
        ),
    ] = ""
    tls_cert: Annotated[
        str,
        Meta(
            description="File with the certificate and its chain (PEM); the server then uses HTTPS only. Empty: HTTP."
        ),
    ] = ""
    tls_key: Annotated[
        str, Meta(description="File with the private key of the certificate (PEM). Empty: the key is in tls_cert.")
    ] = ""
    announce: Annotated[
        bool, Meta(description="Announce this server on the local network (zeroconf). false: saves 4 MB of memory.")
    ] = True
    language: Annotated[
        Literal["auto", "en", "de"],
        Meta(description="Language of the page until another is chosen there: en, de, or auto, that of the browser."),
    ] = "auto"
    ingress_port: Annotated[
        int,
        Meta(
            ge=0,
            le=65535,
            description="TCP port on which Home Assistant shows the page (ingress): without a token, over HTTP, and "
            "for ingress_address only. 0: off.",
        ),
    ] = 0
    ingress_address: Annotated[
        str,
        Meta(min_length=1, description="IP address of the Supervisor, the only client of ingress_port."),
    ] = "172.30.32.2"


class MeterConfig(Struct, frozen=True):
    url: Annotated[
        Address,
        Meta(
            description="Where the meter is: auto (search the serial ports), a serial port such as "
            "/dev/serial/by-id/..., tcp://host:port, rfc2217://host:port, http://USER:PASSWORD@HOST (Tibber bridge), "
            "mqtt://USER:PASSWORD@BROKER/TOPIC, file:PATH or simulator:PROFILE. "
            "none: read no meter, only show what the database holds.",
            extra=FILLED,
        ),
    ] = Address("auto")
    name: Annotated[str, Meta(description="Name of this meter on the page. Empty: its number.")] = ""
    role: Annotated[
        Literal["grid", "production"],
        Meta(
            description="What the meter measures: grid (energy from and to the grid), or production (what a solar "
            "plant behind the first grid meter produces)."
        ),
    ] = "grid"
    production_counter: Annotated[
        Literal["export", "import"],
        Meta(
            description="Counter of a production meter that counts what the plant produces: export (2.8.0), or import "
            "(1.8.0) where the meter is wired the other way round."
        ),
    ] = "export"
    stale_after_s: Annotated[
        float,
        Meta(
            gt=0,
            le=_DAY_S,
            description="Age in seconds from which a reading is stale and no longer served. A meter that is polled: at "
            "least two and a half times the time between polls.",
        ),
    ] = 60.0
    # 3 x 100 A x 230 V: the largest meter that is connected directly
    max_power_w: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000_000,
            description="Maximum power of the connection in W, with transformers the primary one; readings that imply "
            "more are held back as implausible.",
        ),
    ] = 69_000
    counters_stale_after_s: Annotated[
        float,
        Meta(
            gt=0,
            le=_DAY_S,
            description="Age in seconds from which a counter is stale that the meter sends in a list of its own, "
            "beside a more frequent one (DLMS, D0); stale_after_s where that is longer.",
        ),
    ] = 4500.0
    factor: Annotated[
        float,
        Meta(
            gt=0,
            le=1_000_000,
            description="Transformer factor, such as 40 or 12.5: energies and powers are multiplied by it. 1: a meter "
            "without transformers.",
        ),
    ] = 1.0
    key: Annotated[
        Secret,
        Meta(
            description="Encryption key of a meter that sends encrypted telegrams (DLMS, P1 in Luxembourg), from the "
            "grid operator: 32 hex digits, also called GUEK. Empty: none.",
            extra=SECRET,
        ),
    ] = Secret()
    auth_key: Annotated[
        Secret,
        Meta(
            description="Authentication key of such a meter, if the operator gives one: 32 hex digits, also called "
            "GAK. Empty: none.",
            extra=SECRET,
        ),
    ] = Secret()
    system_title: Annotated[
        str,
        Meta(
            description="System title of an encrypted meter that does not send it (P1 in Poland): 16 hex digits, from "
            "the grid operator. Empty: the meter sends it.",
        ),
    ] = ""
    layouts: Annotated[
        str,
        Meta(description="File with layouts of DLMS lists that are not built in (TOML). Empty: none."),
    ] = ""


class HistoryConfig(Struct, frozen=True):
    enabled: Annotated[
        bool, Meta(description="Record the counters at every quarter of an hour. false: record nothing.")
    ] = True
    data_dir: Annotated[
        str, Meta(min_length=1, description="Folder of the database iskra.sqlite; created where it does not exist.")
    ] = "~/.local/share/iskra-server"
    database_url: Annotated[
        Address,
        Meta(
            description="PostgreSQL database for history: postgresql://USER:PASSWORD@HOST/DATABASE. "
            "Empty: SQLite in data_dir.",
            extra=SECRET,
        ),
    ] = Address()
    database_profile: Annotated[
        Literal["plain", "timescale", "citus"],
        Meta(
            description="Layout of a new PostgreSQL database: plain (partitions by month), timescale (TimescaleDB "
            "hypertables), citus (partitions distributed over nodes)."
        ),
    ] = "plain"
    raw_days: Annotated[
        float, Meta(ge=0, description="Days for which the values of every telegram are kept. 0: none; inf: for ever.")
    ] = 30.0
    flush_s: Annotated[
        float, Meta(ge=1, le=3600, description="Maximum seconds that telegrams wait to be written in one transaction.")
    ] = 60.0


class TokenConfig(Struct, frozen=True):
    token: Annotated[
        Secret,
        Meta(
            description="Access token (at least 16 characters) that shows some groups of meters and nothing else.",
            extra=SECRET,
        ),
    ] = Secret()
    groups: Annotated[
        str,
        Meta(
            description="Groups of meters that this token may see, separated by commas, such as tenant:Meyer or "
            'building:7, building:9; a name with a comma in quotes: "tenant:Meyer, Anna".',
        ),
    ] = ""


class LogConfig(Struct, frozen=True):
    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="Minimum level of the lines that are logged.")
    ] = "info"
    format: Annotated[
        Literal["text", "json"], Meta(description="Format of a log line: text for people, json for a log collector.")
    ] = "text"


class Config(Struct, frozen=True):
    server: ServerConfig = ServerConfig()
    meters: tuple[MeterConfig, ...] = (MeterConfig(),)
    history: HistoryConfig = HistoryConfig()
    contracts: tuple[ContractConfig, ...] = ()
    offers: tuple[OfferConfig, ...] = ()
    prices: SpotPricesConfig = SpotPricesConfig()
    virtual: tuple[VirtualConfig, ...] = ()
    tokens: tuple[TokenConfig, ...] = ()
    outputs: OutputsConfig = OutputsConfig()
    notify: tuple[NotifyConfig, ...] = ()
    alerts: AlertsConfig = AlertsConfig()
    uplink: UplinkConfig = UplinkConfig()
    collect: CollectConfig = CollectConfig()
    log: LogConfig = LogConfig()

    @property
    def meters_read(self) -> tuple[MeterConfig, ...]:
        return tuple(meter for meter in self.meters if meter.url != NO_METER)
