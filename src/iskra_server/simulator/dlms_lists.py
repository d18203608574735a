"""What meters push as DLMS, element by element, as the models do for their operators (codecs/dlms/layouts.toml).

kelag       KNG-Kärnten Netz: values alone, each second        vienna     Wiener Netze: optical port, values alone
switzerland tagged values of an AM550                          slovenia   energies and power, values alone
ljubljana   power every five seconds, energies every quarter of an hour: two lists in turn
croatia     HEP, IE.5: values alone                            lower_austria  Netz NÖ: a Kaifa meter on M-Bus
"""

from collections.abc import Callable, Iterable, Iterator

from iskra_server.codecs.dlms import axdr, encoder
from iskra_server.codecs.dlms.axdr import Element
from iskra_server.codecs.dlms.encoder import code, octet_string, scale, structure, u2, u4
from iskra_server.codecs.dlms.security import TEST_KEYS, Keys
from iskra_server.history.model.records import QUARTER_S
from iskra_server.meter.units import NO_UNIT, WATT, WATT_HOUR, Unit, unit_named
from iskra_server.simulator import measured
from iskra_server.simulator.central_time import is_summer, wall_clock
from iskra_server.simulator.household import State
from iskra_server.simulator.measured import Amount
from iskra_server.simulator.simulated_meter import MeterAtSecond, Write

Lists = Callable[[MeterAtSecond], Iterable[Element]]
Frame = Callable[[bytes], bytes]
# the test keys of the Green Book
KEY, AUTH_KEY = TEST_KEYS.encryption, TEST_KEYS.authentication
CLEAR, ENCRYPTED, AUTHENTICATED = 0, 0x20, 0x30
# function of an electricity meter, and the type 103 of an AM550
_FUNCTION, _TYPE = 7, 103
_VOLT, _AMPERE = unit_named("V"), unit_named("A")
_SEGMENT = 150
_MBUS_DATA = 245
_VOLTAGES = tuple(map(measured.voltage, range(3)))
_CURRENTS = tuple(map(measured.current, range(3)))
_IMPORTS = tuple(map(measured.phase_import, range(3)))
_EXPORTS = tuple(map(measured.phase_export, range(3)))
_POWER_FACTOR = 993


def hdlc(apdu: bytes) -> bytes:
    return encoder.hdlc(apdu, _SEGMENT)


def mbus(apdu: bytes) -> bytes:
    return encoder.mbus(apdu, _MBUS_DATA)


def title(serial: int) -> bytes:
    """The system title of an ISKRA meter."""
    return b"ISK" + bytes((_TYPE,)) + (_FUNCTION << 28 | serial).to_bytes(4)


def kaifa_title(serial: int) -> bytes:
    return b"KFMg" + serial.to_bytes(4)


def push(lists: Lists, control: int | None, *, frame: Frame = hdlc, title: Callable[[int], bytes] = title) -> Write:
    """Telegrams of the lists of a moment; `control` is the security control: 0 is clear with a title, None without."""

    def write(moment: MeterAtSecond) -> bytes:
        data = b""
        for place, body in enumerate(lists(moment)):
            # two lists of a moment differ in their counters, which rise with every telegram
            counter = 2 * moment.count + place
            apdu = encoder.notification(body, _clock(moment.state.second), (counter + 1) % (1 << 24))
            if control is not None:
                apdu = encoder.seal(apdu, title(moment.serial), counter, Keys(KEY, AUTH_KEY), control)
            data += frame(apdu)
        return data

    return write


def kelag(moment: MeterAtSecond) -> Iterator[Element]:
    state = moment.state
    yield structure(
        code("0-6:25.9.0"),
        octet_string(f"11213{moment.serial:08}".encode()),
        *_time_and_date(state.second),
        *_energies(state),
        *_powers(state)[:2],
        octet_string(b""),
        octet_string(b""),
    )


def vienna(moment: MeterAtSecond) -> Iterator[Element]:
    state = moment.state
    yield structure(octet_string(_clock(state.second)), *_energies(state), *_powers(state))


def switzerland(moment: MeterAtSecond) -> Iterator[Element]:
    state = moment.state

    def value(text: str, amount: Amount, scaler: int, unit: Unit, element: Callable[[int], Element] = u4) -> Element:
        return structure(code(text), element(amount(state)), scale(scaler, unit))

    def energy(text: str, amount: Amount) -> Element:
        return value(text, lambda state: amount(state) // 10, 0, WATT_HOUR)

    yield structure(
        structure(code("0-0:96.1.0"), octet_string(f"{moment.serial:08}".encode())),
        structure(code("0-0:96.1.1"), octet_string(b"160000")),
        value("1.7.0", measured.import_power, 0, WATT),
        value("2.7.0", measured.export_power, 0, WATT),
        energy("1.8.0", measured.imported),
        energy("2.8.0", measured.exported),
        *(value(f"{c}2.7.0", amount, -1, _VOLT, u2) for c, amount in zip((3, 5, 7), _VOLTAGES, strict=True)),
        *(value(f"{c}1.7.0", amount, -2, _AMPERE, u2) for c, amount in zip((3, 5, 7), _CURRENTS, strict=True)),
        energy("1.8.1", measured.imported_by_day),
        energy("1.8.2", measured.imported_by_night),
        energy("2.8.1", measured.exported),
        energy("2.8.2", measured.nothing),
    )


def slovenia(moment: MeterAtSecond) -> Iterator[Element]:
    state = moment.state
    yield structure(_device_name(moment), *_powers(state)[:2], *_tariffs(state))


def ljubljana(moment: MeterAtSecond) -> Iterator[Element]:
    state = moment.state
    yield structure(
        _device_name(moment),
        octet_string(f"ISK{moment.serial:08}".encode()),
        *_powers(state),
        *_phases(state, u2, (*_VOLTAGES, *_CURRENTS)),
        *_phases(state, u4, (*_IMPORTS, *_EXPORTS)),
    )
    if state.second % QUARTER_S == 0:
        yield structure(
            _device_name(moment),
            octet_string(b""),
            Element(axdr.BOOLEAN, True),
            octet_string(b"\0\2"),
            *_tariffs(state),
            *_energies(state)[2:],
        )


def croatia(moment: MeterAtSecond) -> Iterator[Element]:
    state = moment.state
    limit = encoder.array(u4(9999))
    yield structure(
        octet_string(f"{moment.serial:08}".encode()),
        *_time_and_date(state.second),
        *_tariffs(state),
        u4(measured.inductive_energy(state) // 10),
        u4(0),
        u4(measured.capacitive_energy(state) // 10),
        u4(0),
        *_powers(state)[:2],
        u2(_POWER_FACTOR),
        *_phases(state, u4, (*_IMPORTS, *_EXPORTS)),
        *_phases(state, u2, (*_VOLTAGES, *_CURRENTS)),
        u4(13_800),
        limit,
        limit,
        limit,
        Element(axdr.BOOLEAN, True),
    )


def lower_austria(moment: MeterAtSecond) -> Iterator[Element]:
    state = moment.state

    def rows() -> Iterator[Element]:
        yield from (code("1.8.0"), u4(measured.imported(state) // 10), scale(0, WATT_HOUR))
        yield from (code("2.8.0"), u4(measured.exported(state) // 10), scale(0, WATT_HOUR))
        yield from (code("1.7.0"), u4(measured.import_power(state)), scale(0, WATT))
        yield from (code("2.7.0"), u4(measured.export_power(state)), scale(0, WATT))
        for c, volts in zip((3, 5, 7), _VOLTAGES, strict=True):
            yield from (code(f"{c}2.7.0"), u2(volts(state)), scale(-1, _VOLT))
        for c, amperes in zip((3, 5, 7), _CURRENTS, strict=True):
            yield from (code(f"{c}1.7.0"), u2(amperes(state)), scale(-2, _AMPERE))
        yield from (code("13.7.0"), u2(_POWER_FACTOR), scale(-3, NO_UNIT))

    number = octet_string(f"1781{moment.serial:08}".encode())
    yield structure(octet_string(_clock(state.second)), *rows(), number)


def _device_name(moment: MeterAtSecond) -> Element:
    return octet_string(f"ISK{_TYPE}{_FUNCTION:02}{moment.serial:08}".encode())


def _energies(state: State) -> list[Element]:
    wanted = (measured.imported, measured.exported, measured.inductive_energy, measured.capacitive_energy)
    return [u4(amount(state) // 10) for amount in wanted]


def _powers(state: State) -> list[Element]:
    wanted = (measured.import_power, measured.export_power, measured.inductive_power, measured.capacitive_power)
    return [u4(amount(state)) for amount in wanted]


def _tariffs(state: State) -> list[Element]:
    imports = (measured.imported, measured.imported_by_day, measured.imported_by_night)
    exports = (measured.exported, measured.exported, measured.nothing)
    return [u4(amount(state) // 10) for amount in (*imports, *exports)]


def _phases(state: State, element: Callable[[int], Element], wanted: Iterable[Amount]) -> list[Element]:
    return [element(amount(state)) for amount in wanted]


def _time_and_date(second: int) -> tuple[Element, Element]:
    clock = _clock(second)
    return octet_string(clock[5:9]), octet_string(clock[:5])


def _clock(second: int) -> bytes:
    """A date-time of 12 bytes: date, weekday, time, hundredths, minutes from local time to UTC, summer."""
    now, summer = wall_clock(second), is_summer(second)
    date = now.year.to_bytes(2) + bytes((now.month, now.day, now.isoweekday()))
    time = bytes((now.hour, now.minute, now.second, 0))
    return date + time + (-120 if summer else -60).to_bytes(2, signed=True) + bytes((0x80 if summer else 0,))
