"""The sections of the emulated grid meters (outputs/emulation): what they share, and one section for each."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from iskra_server.base.address import Address
from iskra_server.base.secret import Secret
from iskra_server.config.common_keys import SECRET, BrokerPassword

Enabled = Annotated[bool, Meta(description="Whether this server answers as such a device. false: off.")]
TypicalValues = Annotated[
    bool,
    Meta(
        description="Whether voltage, current and frequency that the meter does not send are filled in: 230 V, 50 Hz "
        "and the current of that power. false: null."
    ),
]


class EmulationConfig(Struct, frozen=True):
    meter: Annotated[
        str,
        Meta(description="Number or name of the meter that the emulated devices show. Empty: the first one."),
    ] = ""
    host: Annotated[
        str,
        Meta(
            min_length=1,
            description="Address to listen on: 0.0.0.0 is every IPv4 address of this machine; batteries must reach it.",
        ),
    ] = "0.0.0.0"
    clients: Annotated[
        str,
        Meta(
            description="Addresses or networks that may ask, separated by commas, such as 192.168.1.30, 10.0.0.0/24. "
            "Empty: every private address, as home networks have them.",
        ),
    ] = ""
    stale_after_s: Annotated[
        float,
        Meta(
            gt=0,
            le=300,
            description="Age in seconds from which a reading is not shown any more: a battery must not follow an old "
            "one. More only for a meter that sends less often.",
        ),
    ] = 10.0
    wait_fresh_s: Annotated[
        float,
        Meta(
            ge=0,
            le=10,
            description="Maximum seconds that an answer waits for the next telegram, where the client already knows "
            "the last one: it would correct the same error twice. 0: it is answered at once.",
        ),
    ] = 2.0
    min_interval_s: Annotated[
        float,
        Meta(
            ge=0,
            le=60,
            description="Minimum seconds between two answers to one client; earlier requests wait. 0: no minimum.",
        ),
    ] = 0.0
    target_w: Annotated[
        float,
        Meta(
            ge=-10_000,
            le=10_000,
            description="Grid power in W that a battery keeps, instead of 0: 30 leaves an import of 30 W. A meter that "
            "counts import only needs 20 to 50.",
        ),
    ] = 0.0
    dead_band_w: Annotated[
        float,
        Meta(ge=0, le=1000, description="Power in W that is shown as 0: no battery moves for less. 0: off."),
    ] = 0.0
    batteries: Annotated[
        int,
        Meta(
            ge=1,
            le=20,
            description="Number of batteries that follow this server, each at an address of its own: each is shown its "
            "share of the power. For EcoTracker, Shelly Pro 3EM and Shelly EM.",
        ),
    ] = 1


class EcoTrackerConfig(Struct, frozen=True):
    enabled: Enabled = False
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port; most batteries ask port 80 only.")] = 80


class ShellyPro3EmConfig(Struct, frozen=True):
    enabled: Enabled = False
    port: Annotated[
        int, Meta(ge=0, le=65535, description="TCP port for HTTP and WebSocket; batteries ask port 80. 0: UDP only.")
    ] = 80
    udp_ports: Annotated[
        str,
        Meta(description="UDP ports, separated by commas: Marstek asks 1010 or 2220. 0: HTTP only."),
    ] = "1010, 2220"
    name_case: Annotated[
        Literal["lower", "upper"],
        Meta(description="Letters of the announced name: upper for Solakon, lower for all others."),
    ] = "lower"
    typical_values: TypicalValues = True


class ShellyEm1Config(Struct, frozen=True):
    enabled: Enabled = False
    model: Annotated[
        Literal["pro-em50", "em-gen3"],
        Meta(description="The device: pro-em50 (Shelly Pro EM-50) or em-gen3 (Shelly EM Gen3)."),
    ] = "pro-em50"
    port: Annotated[
        int, Meta(ge=0, le=65535, description="TCP port for HTTP and WebSocket; batteries ask port 80. 0: UDP only.")
    ] = 80
    udp_port: Annotated[
        int,
        Meta(ge=-1, le=65535, description="UDP port. -1: that of the device, 2223 or 2222; 0: HTTP only."),
    ] = -1
    typical_values: TypicalValues = True


class Shelly3EmConfig(Struct, frozen=True):
    enabled: Enabled = False
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port.")] = 80


class VzloggerConfig(Struct, frozen=True):
    enabled: Enabled = False
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port; evcc asks 8081 unless told otherwise.")] = 8081
    obis: Annotated[
        bool,
        Meta(
            description="With the OBIS code of each channel, as vzlogger has it since July 2026; openWB cannot read it."
        ),
    ] = False


class SmaEnergyMeterConfig(Struct, frozen=True):
    enabled: Enabled = False
    model: Annotated[
        Literal["em1", "em2"],
        Meta(description="The device: em1 (Energy Meter 1.0, 600 bytes) or em2 (2.0, 608 bytes, with frequency)."),
    ] = "em1"


class VictronConfig(Struct, frozen=True):
    enabled: Enabled = False
    url: Annotated[
        Address,
        Meta(
            description="MQTT broker that Venus OS reads: mqtt://USER:PASSWORD@HOST:1883. Empty: that of outputs.mqtt.",
            extra=SECRET,
        ),
    ] = Address()
    password: BrokerPassword = Secret()
    topic: Annotated[
        str, Meta(min_length=1, description="Topic, the same as in the configuration of dbus-mqtt-grid.")
    ] = "iskra-server/victron/grid"
    ca_file: Annotated[
        str,
        Meta(
            description="CA certificates to check the certificate of the broker in url (PEM). Empty: those of this "
            "machine."
        ),
    ] = ""


ModbusWait = Annotated[
    float,
    Meta(
        ge=0,
        le=2,
        description="Maximum seconds that the power waits for the next telegram, where the client already knows the "
        "last one: 1 for an inverter that swings, if it waits that long for an answer. 0: answered at once.",
    ),
]


class SunSpecConfig(Struct, frozen=True):
    enabled: Enabled = False
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port of Modbus; inverters ask 502.")] = 502
    unit: Annotated[int, Meta(ge=1, le=247, description="Modbus address, as entered in the inverter.")] = 1
    zero_if_missing: Annotated[
        bool,
        Meta(
            description="Show what the meter does not send as 0, for an inverter that refuses NaN, which is SunSpec's "
            '"not implemented".'
        ),
    ] = False
    wait_fresh_s: ModbusWait = 0.0


class ShellyModbusConfig(Struct, frozen=True):
    enabled: Enabled = False
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port of Modbus; Sigenstor asks 502.")] = 502
    wait_fresh_s: ModbusWait = 0.0
