"""The sections of the outputs, and of readers and collectors with a central server."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from iskra_server.base.address import Address
from iskra_server.base.language import Language
from iskra_server.base.secret import Secret
from iskra_server.config.common_keys import SECRET, BrokerPassword, CaFile, CertFile, KeyFile
from iskra_server.config.emulation_sections import (
    EcoTrackerConfig,
    EmulationConfig,
    Shelly3EmConfig,
    ShellyEm1Config,
    ShellyModbusConfig,
    ShellyPro3EmConfig,
    SmaEnergyMeterConfig,
    SunSpecConfig,
    VictronConfig,
    VzloggerConfig,
)

_DAY_S = 86_400


class MqttConfig(Struct, frozen=True):
    url: Annotated[
        Address,
        Meta(
            description="MQTT broker: mqtt://USER:PASSWORD@HOST:1883, or mqtts:// for TLS. Empty: MQTT is off.",
            extra=SECRET,
        ),
    ] = Address()
    password: BrokerPassword = Secret()
    use_home_assistant: Annotated[
        bool,
        Meta(
            description="In the app of Home Assistant, without a url: use the broker that Home Assistant uses. "
            "false: MQTT is off."
        ),
    ] = True
    client_id: Annotated[
        str, Meta(description="Client identifier at the broker. Empty: a new random one at each start.")
    ] = ""
    base_topic: Annotated[
        str, Meta(min_length=1, description="First part of every topic; each server at one broker needs its own.")
    ] = "iskra-server"
    discovery: Annotated[
        Literal["classic", "device", "off"],
        Meta(
            description="Discovery format of Home Assistant: classic (one topic per entity), device (one topic per "
            "device, Home Assistant 2025.1+), off."
        ),
    ] = "classic"
    discovery_prefix: Annotated[
        str, Meta(min_length=1, description="First part of the discovery topics, as configured in Home Assistant.")
    ] = "homeassistant"
    language: Annotated[
        Language,
        Meta(description="Language of the names of entities and of the diagnosis: en (English) or de (German)."),
    ] = "en"
    state_every_s: Annotated[
        float,
        Meta(
            ge=0,
            le=_DAY_S,
            description="Minimum seconds between two state messages of a meter. 0: one for every telegram.",
        ),
    ] = 0.0
    counters_every_s: Annotated[
        float,
        Meta(
            ge=0,
            le=_DAY_S,
            description="Minimum seconds between two messages with the counters of a meter. 0: one for every telegram.",
        ),
    ] = 10.0
    ca_file: CaFile = ""
    cert_file: CertFile = ""
    key_file: KeyFile = ""


class InfluxConfig(Struct, frozen=True):
    url: Annotated[
        Address,
        Meta(
            description="InfluxDB, VictoriaMetrics or QuestDB, such as http://192.168.1.20:8086. "
            "Empty: nothing is written there.",
            extra=SECRET,
        ),
    ] = Address()
    token: Annotated[
        Secret, Meta(description="Token of InfluxDB 2 or 3 with write permission. Empty: none is sent.", extra=SECRET)
    ] = Secret()
    user: Annotated[str, Meta(description="User of InfluxDB 1. Empty: no login.")] = ""
    password: Annotated[Secret, Meta(description="Password of this user.", extra=SECRET)] = Secret()
    database: Annotated[str, Meta(description="Database of InfluxDB 1; it must exist.")] = "iskra"
    org: Annotated[str, Meta(description="Organisation of the bucket; InfluxDB 2 needs it, others ignore it.")] = ""
    bucket: Annotated[
        str, Meta(description="Bucket of InfluxDB 2, or database of InfluxDB 3. Empty: the server is InfluxDB 1.")
    ] = ""
    every_s: Annotated[
        float,
        Meta(ge=0, le=_DAY_S, description="Minimum seconds between two points of a meter. 0: one for every telegram."),
    ] = 10.0
    flush_s: Annotated[
        float, Meta(ge=0.1, le=3600, description="Maximum seconds that points wait to be sent in one request.")
    ] = 10.0
    spool_mb: Annotated[
        int,
        Meta(
            ge=1,
            le=100_000,
            description="Maximum MB of points that wait in history.data_dir while the database is away; "
            "above that the oldest are dropped.",
        ),
    ] = 64


class _BrokerConfig(Struct, frozen=True):
    """The broker between readers and their central server."""

    url: Annotated[
        Address,
        Meta(
            description="MQTT broker of the central server: mqtts://USER:PASSWORD@HOST:8883, or mqtt:// without TLS. "
            "Empty: no central server.",
            extra=SECRET,
        ),
    ] = Address()
    password: BrokerPassword = Secret()
    base_topic: Annotated[
        str, Meta(min_length=1, description="First part of every topic; the same for readers and collectors.")
    ] = "iskra/v1"
    ca_file: CaFile = ""
    cert_file: CertFile = ""
    key_file: KeyFile = ""


class UplinkConfig(_BrokerConfig, frozen=True):
    reader: Annotated[
        str,
        Meta(
            max_length=100,
            description="Name of this reader at the central server; no other reader may have it. Empty: the user in "
            "`uplink.url`, else the host name with four random digits. Chosen once and kept in the history.",
        ),
    ] = ""
    live_every_s: Annotated[
        float,
        Meta(
            ge=0,
            le=_DAY_S,
            description="Minimum seconds between two live values of a meter. 0: no live values, only closed quarters.",
        ),
    ] = 0.0


class CollectConfig(_BrokerConfig, frozen=True):
    group: Annotated[
        str, Meta(min_length=1, description="Name of the shared subscription; collectors of one group share the work.")
    ] = "collect"
    http_host: Annotated[
        str, Meta(min_length=1, description="Address at which a collector answers /metrics and /healthz.")
    ] = "127.0.0.1"
    http_port: Annotated[
        int, Meta(ge=0, le=65535, description="TCP port at which a collector answers /metrics and /healthz. 0: none.")
    ] = 0


class OutputsConfig(Struct, frozen=True):
    mqtt: MqttConfig = MqttConfig()
    influx: InfluxConfig = InfluxConfig()
    emulation: EmulationConfig = EmulationConfig()
    ecotracker: EcoTrackerConfig = EcoTrackerConfig()
    shelly_pro_3em: ShellyPro3EmConfig = ShellyPro3EmConfig()
    shelly_em1: ShellyEm1Config = ShellyEm1Config()
    shelly_3em: Shelly3EmConfig = Shelly3EmConfig()
    vzlogger: VzloggerConfig = VzloggerConfig()
    sma_energy_meter: SmaEnergyMeterConfig = SmaEnergyMeterConfig()
    victron: VictronConfig = VictronConfig()
    sunspec: SunSpecConfig = SunSpecConfig()
    shelly_modbus: ShellyModbusConfig = ShellyModbusConfig()
