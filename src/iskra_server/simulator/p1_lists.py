"""What meters send on their customer port P1, line by line, as the models do.

MT382    Netherlands, DSMR 3: no checksum, powers in steps of 10 W, gas in the form of DSMR 2
M550T    Netherlands, DSMR 5: no totals, tariff 1 is the night, gas every five minutes
MIE5T    Belgium, IE.5: serial number in clear, time without a zone, tariff 1 is the day
M550T-2006  Sweden, AM550: totals and reactive power, every ten seconds
M551T    Slovenia, AM550: totals and tariffs, no checksum
Smarty   Luxembourg: totals and reactive power, encrypted with a tag
"""

from collections.abc import Callable

from iskra_server.codecs.dlms.encoder import seal
from iskra_server.codecs.dlms.security import PUBLIC_AUTHENTICATION, Keys
from iskra_server.codecs.p1 import encoder
from iskra_server.codecs.text.parity import with_parity
from iskra_server.simulator import measured
from iskra_server.simulator.central_time import is_summer, wall_clock
from iskra_server.simulator.d0_lists import kw, kwh
from iskra_server.simulator.dlms_lists import KEY
from iskra_server.simulator.household import NIGHT_BEGINS_S, NIGHT_ENDS_S, ZONE_S, State
from iskra_server.simulator.measured import Amount
from iskra_server.simulator.simulated_meter import MeterAtSecond, Write

Lines = Callable[[MeterAtSecond], list[str]]
_HOUR_S, _FIVE_MINUTES_S = 3600, 300
_TARIFFS = measured.imported_by_night, measured.imported_by_day, measured.nothing, measured.exported


def telegram(ident: str, lines: Lines) -> Write:
    return lambda moment: encoder.telegram(ident, lines(moment))


def seven_bit_telegram(ident: str, lines: Lines) -> Write:
    """Without a checksum, on a line of 7E1, as a port of 8 bits without parity hears it."""
    return lambda moment: with_parity(encoder.without_checksum(ident, lines(moment)))


def unchecked_telegram(ident: str, lines: Lines) -> Write:
    """Without a checksum, on a line of 7N1."""
    return lambda moment: encoder.without_checksum(ident, lines(moment))


def sealed_telegram(ident: str, lines: Lines) -> Write:
    """Encrypted as in Luxembourg: with the authentication key that is the same for all meters there."""

    def write(moment: MeterAtSecond) -> bytes:
        title = b"SAGg" + moment.serial.to_bytes(4)
        text = encoder.telegram(ident, lines(moment))
        return seal(text, title, moment.count, Keys(KEY, PUBLIC_AUTHENTICATION))

    return write


def dsmr3(moment: MeterAtSecond) -> list[str]:
    state = moment.state
    gas, read_at = measured.gas(_HOUR_S)(state)
    return [
        f"0-0:96.1.1({_hex_text(f'K8EG{moment.serial:010}14')})",
        *_counters(state, _TARIFFS, digits=5),
        f"0-0:96.14.0({_tariff(state):04})",
        f"1-0:1.7.0({kw(measured.import_power(state), 4, 2)})",
        f"1-0:2.7.0({kw(measured.export_power(state), 4, 2)})",
        "0-0:17.0.0(0999.00*kW)",
        "0-0:96.3.10(1)",
        "0-0:96.13.1()",
        "0-0:96.13.0()",
        "0-1:24.1.0(3)",
        f"0-1:96.1.0({_hex_text(gas_name(moment.serial))})",
        f"0-1:24.3.0({wall_clock(read_at):%y%m%d%H%M%S})(00)(60)(1)(0-1:24.2.1)(m3)",
        f"({_cubic_metres(gas)})",
        "0-1:24.4.0(1)",
    ]


def dsmr5(moment: MeterAtSecond) -> list[str]:
    state = moment.state
    gas, read_at = measured.gas(_FIVE_MINUTES_S)(state)
    return [
        "1-3:0.2.8(50)",
        f"0-0:1.0.0({_timestamp(state.second)})",
        f"0-0:96.1.1({_hex_text(f'E0044{moment.serial:010}18')})",
        *_counters(state, _TARIFFS),
        f"0-0:96.14.0({_tariff(state):04})",
        f"1-0:1.7.0({kw(measured.import_power(state), 2)})",
        f"1-0:2.7.0({kw(measured.export_power(state), 2)})",
        "0-0:96.7.21(00005)",
        "0-0:96.7.9(00003)",
        "1-0:99.97.0(1)(0-0:96.7.19)(200417201458S)(0000000236*s)",
        *(f"1-0:{phase}2.32.0(00001)" for phase in (3, 5, 7)),
        *(f"1-0:{phase}2.36.0(00001)" for phase in (3, 5, 7)),
        "0-0:96.13.0()",
        *_voltages(state),
        *_currents(state),
        *_phase_powers(state),
        "0-1:24.1.0(003)",
        f"0-1:96.1.0({_hex_text(gas_name(moment.serial))})",
        f"0-1:24.2.1({_timestamp(read_at)})({_cubic_metres(gas)}*m3)",
    ]


def belgium(moment: MeterAtSecond) -> list[str]:
    state = moment.state
    by_day, by_night = measured.imported_by_day, measured.imported_by_night
    return [
        "1-0:0.0.0(00000000)",
        f"0-0:96.1.0({moment.serial:08})",
        f"0-0:1.0.0({wall_clock(state.second):%y%m%d%H%M%S})",
        *_counters(state, (by_day, by_night, measured.exported, measured.nothing)),
        f"0-0:96.14.0({3 - _tariff(state):04})",
        f"1-0:1.7.0({kw(measured.import_power(state), 2)})",
        f"1-0:2.7.0({kw(measured.export_power(state), 2)})",
        *_phase_powers(state),
        *_voltages(state),
        *_currents(state),
        "0-0:96.3.10(1)",
        "0-0:96.13.0()",
        "0-1:96.1.1()",
    ]


def sweden(moment: MeterAtSecond) -> list[str]:
    state = moment.state
    clock = wall_clock(state.second)
    return [
        f"1-0:0.9.1({clock:%H%M%S})",
        f"1-0:0.9.2({clock:%y%m%d})",
        f"0-0:96.1.0({moment.serial:08})",
        "0-2:25.6.0(ER23)",
        "0-0:25.1.0(ER23)",
        *_four_quadrants(state),
        *_phase_powers(state),
        *_currents(state),
        *_voltages(state),
        "1-0:0.2.0((ER11))",
    ]


def slovenia(moment: MeterAtSecond) -> list[str]:
    state = moment.state
    return [
        f"0-0:96.1.0({moment.serial:08})",
        f"0-0:1.0.0({_timestamp(state.second)})",
        f"1-0:1.8.0({kwh(measured.imported(state), 6)})",
        f"1-0:1.8.1({kwh(measured.imported_by_day(state), 6)})",
        f"1-0:1.8.2({kwh(measured.imported_by_night(state), 6)})",
        f"1-0:2.8.0({kwh(measured.exported(state), 6)})",
        f"1-0:1.7.0({kw(measured.import_power(state), 2)})",
        f"1-0:2.7.0({kw(measured.export_power(state), 2)})",
        *_phase_powers(state),
        *_voltages(state),
        *_currents(state),
    ]


def luxembourg(moment: MeterAtSecond) -> list[str]:
    state = moment.state
    return [
        "1-3:0.2.8(42)",
        f"0-0:1.0.0({_timestamp(state.second)})",
        f"0-0:42.0.0({_hex_text(f'SAG10307{moment.serial:08}')})",
        *_four_quadrants(state),
        *_voltages(state),
        *_currents(state),
        *_phase_powers(state),
    ]


def gas_name(serial: int) -> str:
    """The equipment identifier of the gas meter: G, maker and model, serial number, year."""
    return f"G0039{serial:010}18"


def _counters(state: State, tariffs: tuple[Amount, ...], digits: int = 6) -> list[str]:
    codes = ("1.8.1", "1.8.2", "2.8.1", "2.8.2")
    return [f"1-0:{code}({kwh(amount(state), digits)})" for code, amount in zip(codes, tariffs, strict=True)]


def _four_quadrants(state: State) -> list[str]:
    """Energy and power, active and reactive, both directions."""
    return [
        f"1-0:1.8.0({kwh(measured.imported(state), 6)})",
        f"1-0:2.8.0({kwh(measured.exported(state), 6)})",
        f"1-0:3.8.0({_reactive(kwh(measured.inductive_energy(state), 6))})",
        f"1-0:4.8.0({_reactive(kwh(measured.capacitive_energy(state), 6))})",
        f"1-0:1.7.0({kw(measured.import_power(state), 2)})",
        f"1-0:2.7.0({kw(measured.export_power(state), 2)})",
        f"1-0:3.7.0({_reactive(kw(measured.inductive_power(state), 2))})",
        f"1-0:4.7.0({_reactive(kw(measured.capacitive_power(state), 2))})",
    ]


def _phase_powers(state: State) -> list[str]:
    return [
        f"1-0:{phase}{direction}.7.0({kw(power(index)(state), 2)})"
        for direction, power in ((1, measured.phase_import), (2, measured.phase_export))
        for index, phase in enumerate((2, 4, 6))
    ]


def _voltages(state: State) -> list[str]:
    volts = [divmod(measured.voltage(phase)(state), 10) for phase in range(3)]
    return [f"1-0:{code}2.7.0({whole:03}.{tenth}*V)" for code, (whole, tenth) in zip((3, 5, 7), volts, strict=True)]


def _currents(state: State) -> list[str]:
    amperes = [(measured.current(phase)(state) + 50) // 100 for phase in range(3)]
    return [f"1-0:{code}1.7.0({whole:03}*A)" for code, whole in zip((3, 5, 7), amperes, strict=True)]


def _tariff(state: State) -> int:
    """1 at night, 2 by day."""
    hour = (state.second + ZONE_S) // 3600 % 24
    return 1 if hour < NIGHT_ENDS_S // 3600 or hour >= NIGHT_BEGINS_S // 3600 else 2


def _timestamp(second: int) -> str:
    return f"{wall_clock(second):%y%m%d%H%M%S}{'S' if is_summer(second) else 'W'}"


def _hex_text(name: str) -> str:
    return name.encode().hex().upper()


def _cubic_metres(dm3: int) -> str:
    return f"{dm3 // 1000:05}.{dm3 % 1000:03}"


def _reactive(text: str) -> str:
    return text.replace("kW", "kvar")
