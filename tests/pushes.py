"""DLMS telegrams for the tests, made with the project's own encoder; the meters are invented."""

from collections.abc import Iterable, Iterator

from iskra_server.codecs.dlms import encoder
from iskra_server.codecs.dlms.axdr import Element
from iskra_server.codecs.dlms.decoder import DlmsDecoder
from iskra_server.codecs.dlms.encoder import code, octet_string, scale, structure, u1, u2, u4
from iskra_server.codecs.dlms.security import Keys
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Fault, Reading

# 12 September 2026, 08:15:30, UTC+2
CLOCK = bytes.fromhex("07ea090c06080f1e00ff8880")
CLOCK_S = 1789193730
TITLE = bytes.fromhex("49534b6775f5e0ff")
NAME = b"ISK1030799999999"
METER_ID = "1 ISK 00 99999999"
KEYS = Keys(bytes(range(0x30, 0x40)), bytes(range(0xA0, 0xB0)))
OTHER_KEYS = Keys(bytes(range(0x50, 0x60)), KEYS.authentication)

# code, raw, scaler, unit: each value is another one
VALUES = (
    ("1-0:1.7.0", 1234, 0, 27),
    ("1-0:2.7.0", 0, 0, 27),
    ("1-0:1.8.0", 7654321, 0, 30),
    ("1-0:2.8.0", 98765, 0, 30),
    ("1-0:32.7.0", 2311, -1, 35),
    ("1-0:52.7.0", 2322, -1, 35),
    ("1-0:72.7.0", 2333, -1, 35),
    ("1-0:31.7.0", 211, -2, 33),
    ("1-0:51.7.0", 222, -2, 33),
    ("1-0:71.7.0", 233, -2, 33),
)


def number(obis: str, raw: int) -> Element:
    """As meters send it: voltages and currents in two bytes, everything else in four."""
    return u2(raw) if Obis.parse(obis)[2] in (31, 51, 71, 32, 52, 72, 13) else u4(raw)


def tagged(values: Iterable[tuple[str, int, int, int]] = VALUES) -> Element:
    items = (structure(code(obis), number(obis, raw), scale(scaler, unit)) for obis, raw, scaler, unit in values)
    return structure(structure(code("0-0:42.0.0"), octet_string(NAME)), *items)


def flat(values: Iterable[tuple[str, int, int, int]] = VALUES) -> Element:
    """Clock, then code, value, scale; at last a meter number without a code."""
    items = ((code(obis), number(obis, raw), scale(scaler, unit)) for obis, raw, scaler, unit in values)
    return structure(
        octet_string(CLOCK), *(element for item in items for element in item), octet_string(b"178000000042")
    )


def pairs(values: Iterable[tuple[str, int, int, int]] = VALUES) -> Element:
    """Code, value, code, value behind a clock."""
    items = ((code(obis), number(obis, raw)) for obis, raw, *_ in values)
    return structure(octet_string(CLOCK), *(element for item in items for element in item))


def described(values: Iterable[tuple[str, int, int, int]] = VALUES) -> Element:
    values = tuple(values)
    rows = [encoder.descriptor(40, "0-8:25.9.0"), encoder.descriptor(1, "0-0:42.0.0")]
    rows += [encoder.descriptor(3, obis) for obis, *_ in values]
    return structure(encoder.array(*rows), octet_string(NAME), *(number(obis, raw) for obis, raw, *_ in values))


def ljubljana(
    powers: tuple[int, int] = (700, 40), phases: tuple[int, ...] = (500, 120, 80, 0, 0, 40), volts: int = 2311
) -> Element:
    """Three-phase list of values alone: 18 elements."""
    return structure(
        octet_string(NAME),
        octet_string(b"ISK99999999"),
        *map(u4, (*powers, 11, 22)),
        *map(u2, (volts, volts + 11, volts + 22, 226, 55, 37)),
        *map(u4, phases),
    )


def kng() -> Element:
    return structure(
        code("0-6:25.9.0"),
        octet_string(b"1120000000042"),
        octet_string(bytes.fromhex("080f1e00")),
        octet_string(bytes.fromhex("07ea090c06")),
        *map(u4, (7654321, 98765, 1111, 2222, 1234, 0)),
        octet_string(b""),
        octet_string(b""),
    )


def unknown() -> Element:
    return structure(octet_string(NAME), u1(7), u4(8), u4(9), encoder.array())


def apdu(body: Element, clock: bytes = CLOCK) -> bytes:
    return encoder.notification(body, clock)


def sealed(body: Element, counter: int = 100, control: int = 0x30, keys: Keys = KEYS, clock: bytes = CLOCK) -> bytes:
    return encoder.seal(apdu(body, clock), TITLE, counter, keys, control)


def results(stream: bytes, chunk: int | None = None, keys: Keys | None = None) -> list[Reading | Fault]:
    """What a new decoder makes of a stream that arrives in chunks."""
    decoder = DlmsDecoder(keys)
    return list(_fed(decoder, stream, chunk or len(stream) or 1))


def readings(stream: bytes, chunk: int | None = None, keys: Keys | None = None) -> list[Reading]:
    return [result for result in results(stream, chunk, keys) if isinstance(result, Reading)]


def faults(stream: bytes, chunk: int | None = None, keys: Keys | None = None) -> list[Fault]:
    return [result for result in results(stream, chunk, keys) if isinstance(result, Fault)]


def _fed(decoder: DlmsDecoder, stream: bytes, chunk: int) -> Iterator[Reading | Fault]:
    for at in range(0, len(stream), chunk):
        yield from decoder.feed(stream[at : at + chunk])
