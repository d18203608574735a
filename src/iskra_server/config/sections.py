"""The sections of the configuration. A key is documented here, beside its type, and nowhere else.

A key whose `Meta` has `extra=SECRET` may hold a password: it is also taken from a file (IES_..._FILE). It is a Secret,
or an Address, of which only that is printed which may be seen.
"""

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

from iskra_server.base.address import Address
from iskra_server.base.secret import Secret

SECRET = {"secret": True}
# a text that may not be empty; an address has no min_length
FILLED = {"filled": True}
# the url of a server that reads nothing, and shows what a database holds
NO_METER = Address("none")
_DAY_S = 86_400
# beyond any price in any currency
_DEAREST = 1_000_000_000


class ServerConfig(Struct, frozen=True):
    host: Annotated[
        str,
        Meta(
            min_length=1,
            description="Address or host name to listen on; 127.0.0.1 serves this machine alone, :: is IPv4 and IPv6.",
        ),
    ] = "0.0.0.0"
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port of the HTTP server.")] = 8080
    readout_interval: Annotated[
        float,
        Meta(
            ge=0,
            le=_DAY_S,
            description="Seconds between new values at /api/electricity/cumulated; 0 is every telegram.",
        ),
    ] = 0.0
    time_zone: Annotated[
        str, Meta(description="Where days and months begin, such as Europe/Berlin; empty is the zone of this machine.")
    ] = ""
    token: Annotated[
        Secret,
        Meta(
            description="What whoever asks must show, at least 16 characters; empty asks nobody. openssl rand -hex 16 "
            "makes one.",
            extra=SECRET,
        ),
    ] = Secret()
    allowed_hosts: Annotated[
        str,
        Meta(
            description="Names under which this server is asked, separated by commas, beside IP addresses, names "
            "without a dot and those of the own network such as NAME.local; *.example.org is all below it, * is any.",
        ),
    ] = ""
    tls_cert: Annotated[
        str, Meta(description="File of the certificate with its chain, PEM; it makes the server speak HTTPS alone.")
    ] = ""
    tls_key: Annotated[
        str, Meta(description="File of the certificate's private key, PEM; empty is that of tls_cert.")
    ] = ""
    announce: Annotated[
        bool, Meta(description="Tell the local network (zeroconf) where this server is; false saves 4 MB of memory.")
    ] = True


class MeterConfig(Struct, frozen=True):
    url: Annotated[
        Address,
        Meta(
            description="Where the meter is: auto, a serial port such as /dev/serial/by-id/..., tcp://host:port, "
            "rfc2217://host:port, file:PATH or simulator:PROFILE; none for a server that only shows a database.",
            extra=FILLED,
        ),
    ] = Address("auto")
    name: Annotated[str, Meta(description="What people call this meter; empty is its own number.")] = ""
    stale_after_s: Annotated[
        float, Meta(gt=0, le=_DAY_S, description="Age in seconds at which a reading is no longer served.")
    ] = 60.0
    # 3 x 100 A x 230 V: the largest meter that is connected directly
    max_power_w: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000_000,
            description="The most that the connection can carry, in W; a counter that runs faster is held back.",
        ),
    ] = 69_000


class HistoryConfig(Struct, frozen=True):
    enabled: Annotated[bool, Meta(description="Keep what the counters showed at every quarter of an hour.")] = True
    data_dir: Annotated[
        str, Meta(min_length=1, description="Folder of iskra.sqlite; made where it does not exist.")
    ] = "~/.local/share/iskra-server"
    database_url: Annotated[
        Address,
        Meta(
            description="postgresql://USER:PASSWORD@HOST/DATABASE keeps history there; empty is SQLite in data_dir.",
            extra=SECRET,
        ),
    ] = Address()
    database_profile: Annotated[
        Literal["plain", "timescale", "citus"],
        Meta(
            description="How a new PostgreSQL is laid out: partitions by month, or TimescaleDB's, or also over nodes."
        ),
    ] = "plain"
    raw_days: Annotated[
        float,
        Meta(ge=0, description="Days for which every telegram's numbers are kept; 0 is none, inf is all of them."),
    ] = 30.0
    flush_s: Annotated[
        float, Meta(ge=1, le=3600, description="Seconds that telegrams may wait to be written together.")
    ] = 60.0


class ContractConfig(Struct, frozen=True):
    begins: Annotated[date, Meta(description="The day from which the contract holds, until the next one begins.")] = (
        date(1970, 1, 1)
    )
    energy_price: Annotated[
        float, Meta(ge=0, le=_DEAREST, description="Price of a kWh drawn, with taxes, such as 0.3265.")
    ] = 0.0
    base_fee: Annotated[float, Meta(ge=0, le=_DEAREST, description="Base fee, with taxes.")] = 0.0
    base_fee_per: Annotated[Literal["month", "year"], Meta(description="What the base fee is paid for.")] = "month"
    feed_in: Annotated[float, Meta(ge=0, le=_DEAREST, description="Payment for a kWh fed in.")] = 0.0
    instalment: Annotated[float, Meta(ge=0, le=_DEAREST, description="What is paid in advance each month.")] = 0.0
    currency: Annotated[
        str, Meta(min_length=1, description="The same in all contracts, such as EUR or CHF (ISO 4217).")
    ] = "EUR"
    name: Annotated[str, Meta(description="What the contract is called.")] = ""
    meter: Annotated[str, Meta(description="The number of the meter that it is for; empty is every meter.")] = ""


class TokenConfig(Struct, frozen=True):
    token: Annotated[
        Secret, Meta(description="What its holder shows instead of server.token, at least 16 characters.", extra=SECRET)
    ] = Secret()
    groups: Annotated[
        str,
        Meta(
            description="Groups of a centre that this token may see, and nothing else, separated by commas, such as "
            "tenant:Meyer or building:7, building:9.",
        ),
    ] = ""


class LogConfig(Struct, frozen=True):
    level: Annotated[Literal["debug", "info", "warning", "error"], Meta(description="The least that is logged.")] = (
        "info"
    )
    format: Annotated[
        Literal["text", "json"], Meta(description="How a line is logged: for people, or for a log collector.")
    ] = "text"


class MqttConfig(Struct, frozen=True):
    url: Annotated[
        Address,
        Meta(
            description="The broker: mqtt://USER:PASSWORD@HOST:1883, or mqtts:// for TLS; empty is no MQTT.",
            extra=SECRET,
        ),
    ] = Address()
    password: Annotated[Secret, Meta(description="The password of the user in the url.", extra=SECRET)] = Secret()
    client_id: Annotated[str, Meta(description="Name at the broker; empty is a new one at each start.")] = ""
    base_topic: Annotated[
        str, Meta(min_length=1, description="What every topic begins with; each server at a broker needs its own.")
    ] = "iskra-server"
    discovery: Annotated[
        Literal["classic", "device", "off"],
        Meta(
            description="How Home Assistant is told: an entity a topic, a device a topic (from 2025.1 on), not at all."
        ),
    ] = "classic"
    discovery_prefix: Annotated[
        str, Meta(min_length=1, description="What Home Assistant's topics of discovery begin with.")
    ] = "homeassistant"
    language: Annotated[Literal["en", "de"], Meta(description="Language of the entities' names.")] = "en"
    state_every_s: Annotated[
        float, Meta(ge=0, le=_DAY_S, description="Least seconds between two states of a meter; 0 is every telegram.")
    ] = 0.0
    counters_every_s: Annotated[
        float, Meta(ge=0, le=_DAY_S, description="Least seconds between two sets of counters; 0 is every telegram.")
    ] = 10.0
    ca_file: Annotated[
        str, Meta(description="Certificates that the broker's is checked with (PEM); empty is this machine's.")
    ] = ""
    cert_file: Annotated[str, Meta(description="Certificate of this client (PEM), where the broker wants one.")] = ""
    key_file: Annotated[str, Meta(description="Key of cert_file (PEM); empty where it stands in the same file.")] = ""


class InfluxConfig(Struct, frozen=True):
    url: Annotated[
        Address,
        Meta(
            description="InfluxDB, VictoriaMetrics or QuestDB, such as http://192.168.1.20:8086; empty is none.",
            extra=SECRET,
        ),
    ] = Address()
    token: Annotated[Secret, Meta(description="Token of InfluxDB 2 or 3 that may write.", extra=SECRET)] = Secret()
    user: Annotated[str, Meta(description="User of InfluxDB 1, where it asks for one.")] = ""
    password: Annotated[Secret, Meta(description="The password of this user.", extra=SECRET)] = Secret()
    database: Annotated[str, Meta(description="Database of InfluxDB 1; it must exist.")] = "iskra"
    org: Annotated[str, Meta(description="Organisation of the bucket, as InfluxDB 2 wants it.")] = ""
    bucket: Annotated[str, Meta(description="Bucket of InfluxDB 2 or database of 3; empty is InfluxDB 1.")] = ""
    every_s: Annotated[
        float, Meta(ge=0, le=_DAY_S, description="Least seconds between two points of a meter; 0 is every telegram.")
    ] = 10.0
    flush_s: Annotated[
        float, Meta(ge=0.1, le=3600, description="Seconds that points may wait to be sent together.")
    ] = 10.0
    spool_mb: Annotated[
        int,
        Meta(
            ge=1, le=100_000, description="The most that points may take in history.data_dir while it is away, in MB."
        ),
    ] = 64


class _BrokerConfig(Struct, frozen=True):
    """A broker between readers and their centre."""

    url: Annotated[
        Address,
        Meta(
            description="The broker of the centre: mqtts://USER:PASSWORD@HOST:8883, or mqtt:// without TLS; "
            "empty is no centre.",
            extra=SECRET,
        ),
    ] = Address()
    password: Annotated[Secret, Meta(description="The password of the user in the url.", extra=SECRET)] = Secret()
    base_topic: Annotated[
        str, Meta(min_length=1, description="What every topic begins with; the same for readers and collectors.")
    ] = "iskra/v1"
    ca_file: Annotated[
        str, Meta(description="Certificates that the broker's is checked with (PEM); empty is this machine's.")
    ] = ""
    cert_file: Annotated[str, Meta(description="Certificate of this client (PEM), where the broker wants one.")] = ""
    key_file: Annotated[str, Meta(description="Key of cert_file (PEM); empty where it stands in the same file.")] = ""


class UplinkConfig(_BrokerConfig, frozen=True):
    reader: Annotated[
        str, Meta(max_length=100, description="Name of this reader at the centre; empty is the name of this machine.")
    ] = ""
    live_every_s: Annotated[
        float, Meta(ge=0, le=_DAY_S, description="Least seconds between two live values of a meter; 0 sends none.")
    ] = 0.0


class CollectConfig(_BrokerConfig, frozen=True):
    group: Annotated[
        str, Meta(min_length=1, description="Collectors with the same group share the messages among them.")
    ] = "collect"


class OutputsConfig(Struct, frozen=True):
    mqtt: MqttConfig = MqttConfig()
    influx: InfluxConfig = InfluxConfig()


class Config(Struct, frozen=True):
    server: ServerConfig = ServerConfig()
    meters: tuple[MeterConfig, ...] = (MeterConfig(),)
    history: HistoryConfig = HistoryConfig()
    contracts: tuple[ContractConfig, ...] = ()
    tokens: tuple[TokenConfig, ...] = ()
    outputs: OutputsConfig = OutputsConfig()
    uplink: UplinkConfig = UplinkConfig()
    collect: CollectConfig = CollectConfig()
    log: LogConfig = LogConfig()

    @property
    def meters_read(self) -> tuple[MeterConfig, ...]:
        return tuple(meter for meter in self.meters if meter.url != NO_METER)
