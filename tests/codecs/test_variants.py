"""What meters of other makers send, in every form that was seen: read exactly, and alike whatever the form.

The telegrams are made here by hand, with checksums computed bit by bit, so that an error of the project's own encoders
cannot hide one of its decoders. All meters are invented.
"""

from decimal import Decimal
from functools import reduce
from random import Random

import pytest

import texts
from iskra_server.codecs.decoder import DECODERS
from iskra_server.codecs.detecting import DetectingDecoder
from iskra_server.meter.reading import Reading

Values = dict[str, tuple[str, str]]


def crc(data: bytes, polynomial: int, start: int, final: int) -> int:
    """A reflected CRC of 16 bits, bit by bit."""
    register = start
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (polynomial if register & 1 else 0)
    return register ^ final


def parity(data: bytes) -> bytes:
    return bytes(byte | (f"{byte:b}".count("1") % 2) << 7 for byte in data)


def p1(ident: str, lines: list[str], *, end: str = "\r\n", blank: bool = True, form: str = "{:04X}\r\n") -> bytes:
    text = f"/{ident}{end}{end if blank else ''}{''.join(line + end for line in lines)}!".encode()
    return text + form.format(crc(text, 0xA001, 0, 0)).encode()


def d0(ident: str, lines: list[str], *, end: str = "\r\n", last: str = "!\r\n") -> bytes:
    body = f"{end.join(lines)}{end}{last}".encode() + b"\x03"
    return f"/{ident}\r\n\x02".encode() + body + bytes((reduce(lambda a, b: a ^ b, body),))


def hdlc(apdu: bytes) -> bytes:
    head = (0xA000 | len(apdu) + 13).to_bytes(2) + b"\xcf\x02\x23\x13"
    frame = head + crc(head, 0x8408, 0xFFFF, 0xFFFF).to_bytes(2, "little") + b"\xe6\xe7\x00" + apdu
    return b"\x7e" + frame + crc(frame, 0x8408, 0xFFFF, 0xFFFF).to_bytes(2, "little") + b"\x7e"


def read(stream: bytes, protocol: str, chunk: int = 61) -> list[Reading]:
    """By the decoder of the protocol, and by the one that finds it: both must say the same."""
    found = texts.readings(texts.decode(DECODERS[protocol](), stream, chunk))
    detected = texts.readings(texts.decode(DetectingDecoder(), stream, chunk))
    assert [each.registers for each in detected] == [each.registers for each in found]
    return found


def check(reading: Reading, values: Values) -> None:
    for code, (value, unit) in values.items():
        assert texts.value(reading, code) == (Decimal(value), unit), code


DUTCH = [
    "1-3:0.2.8(50)", "0-0:1.0.0(260115103000W)", "0-0:96.1.1(4530303939303030303030303030303237)",
    "1-0:1.8.1(000123.456*kWh)", "1-0:1.8.2(000654.321*kWh)", "1-0:2.8.1(000000.001*kWh)", "1-0:2.8.2(000000.000*kWh)",
    "0-0:96.14.0(0002)", "1-0:1.7.0(01.234*kW)", "1-0:2.7.0(00.000*kW)", "1-0:32.7.0(229.0*V)", "1-0:31.7.0(005*A)",
]  # fmt: skip
DUTCH_VALUES = {
    "1.8.1": ("123456", "Wh"), "1.8.2": ("654321", "Wh"), "2.8.1": ("1", "Wh"), "1.7.0": ("1234", "W"),
    "32.7.0": ("229.0", "V"), "31.7.0": ("5", "A"),
}  # fmt: skip
SWEDISH = [
    "0-0:1.0.0(260115103000W)", "1-0:1.8.0(00006678.394*kWh)", "1-0:2.8.0(00000000.000*kWh)",
    "1-0:3.8.0(00000021.988*kVArh)", "1-0:4.8.0(00001020.971*kvarh)", "1-0:1.7.0(0001.727*kW)",
    "1-0:4.7.0(0000.309*kVAr)", "1-0:21.7.0(0001.023*kW)", "1-0:32.7.0(240.3*V)", "1-0:31.7.0(004.2*A)",
]  # fmt: skip
SWEDISH_VALUES = {
    "1.8.0": ("6678394", "Wh"), "3.8.0": ("21988", "varh"), "4.8.0": ("1020971", "varh"), "1.7.0": ("1727", "W"),
    "4.7.0": ("309", "var"), "21.7.0": ("1023", "W"), "31.7.0": ("4.2", "A"),
}  # fmt: skip
AUSTRIAN = [
    "0-0:1.0.0(260115103000W)", "0-0:42.0.0(53414735303030303030303030303139)", "1-0:1.8.0(00123456*Wh)",
    "1-0:2.8.0(00000789*Wh)", "1-0:3.8.1(00000012*varh)", "1-0:1.7.0(000345*W)", "1-0:3.7.0(000007*var)",
]  # fmt: skip
AUSTRIAN_VALUES = {"1.8.0": ("123456", "Wh"), "2.8.0": ("789", "Wh"), "3.8.1": ("12", "varh"), "3.7.0": ("7", "var")}
NARROW = ["1-0:1.8.0(7.5*kWh)", "1-0:1.7.0(.25*kW)", "1-0:2.7.0(0*W)", "1-0:16.7.0(-12.5*W)"]
NARROW_VALUES = {"1.8.0": ("7500", "Wh"), "1.7.0": ("250", "W"), "2.7.0": ("0", "W"), "16.7.0": ("-12.5", "W")}

P1_METERS = [
    (r"ISK5\2M550T-1019", DUTCH, DUTCH_VALUES), ("KFM5KAIFA-METER", DUTCH, DUTCH_VALUES),
    ("ADN9 7534", SWEDISH, SWEDISH_VALUES), (r"ELL5\253800000_A", SWEDISH, SWEDISH_VALUES),
    ("NES5:83335-3E", SWEDISH, SWEDISH_VALUES), ("KAM5", SWEDISH, SWEDISH_VALUES),
    (r"EST5\253700000_A", AUSTRIAN, AUSTRIAN_VALUES), ("XMX5LGBBFG1000000000", NARROW, NARROW_VALUES),
]  # fmt: skip
FORMS = [
    {}, {"form": "{:04x}\r\n"}, {"form": "{:X}\r\n"}, {"form": "{:04X}\0\r\n"}, {"form": "{:04X}"}, {"end": "\n"},
    {"blank": False}, {"end": "\n", "blank": False, "form": "{:x}\n"},
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize(("ident", "lines", "values"), P1_METERS, ids=[ident for ident, *_ in P1_METERS])
def test_p1_in_every_form(ident: str, lines: list[str], values: Values, form: dict[str, object]) -> None:
    telegram = p1(ident, lines, **form)  # type: ignore[arg-type]
    found = read(telegram * 3, "p1")
    assert len(found) == 3 and len({each.meter_id for each in found}) == 1
    for each in found:
        check(each, values)
        assert not each.is_weak
    if not form:
        assert [each.registers for each in read(parity(telegram), "p1")] == [found[0].registers]


def test_p1_lines_in_any_order_and_with_tariffs_and_phases_of_any_number() -> None:
    for seed in range(20):
        chance = Random(seed)
        tariffs, phases = chance.randrange(1, 5), chance.choice((1, 3))
        values: Values = {}
        lines = []
        for tariff in range(1, tariffs + 1):
            kwh = chance.randrange(10**9)
            lines.append(f"1-0:1.8.{tariff}({kwh // 1000:0{chance.choice((6, 8))}}.{kwh % 1000:03}*kWh)")
            values[f"1.8.{tariff}"] = (str(kwh), "Wh")
        for c in (32, 52, 72)[:phases]:
            volts = chance.randrange(2000, 2500)
            lines.append(f"1-0:{c}.7.0({volts // 10}.{volts % 10}*V)")
            values[f"{c}.7.0"] = (f"{volts // 10}.{volts % 10}", "V")
        chance.shuffle(lines)
        (found,) = read(p1(r"FLU5\253700000_A", lines), "p1", chance.randrange(1, 200))
        check(found, values)
        assert len(found.registers) == len(lines)


def test_sub_meters_count_in_their_own_units() -> None:
    lines = [
        *DUTCH, "0-1:24.1.0(003)", "0-1:96.1.0(4730303939)", "0-1:24.2.1(260115100000W)(01234.567*m3)",
        "0-2:24.1.0(004)", "0-2:96.1.0(4830303939)", "0-2:24.2.1(260115100000W)(00012.345*GJ)",
        "0-3:24.1.0(012)", "0-3:96.1.1(4830303940)", "0-3:24.2.1(260115100000W)(00001.002*kWh)",
        "0-4:24.1.0(007)", "0-4:96.1.1(3853455430)", "0-4:24.2.1(260115100000W)(00872.234*m3)",
    ]  # fmt: skip
    _, *sub_meters = read(p1(r"ISK5\2M550T-1019", lines), "p1")
    expected = [("1234.567", "m³"), ("12345000000", "J"), ("1002", "Wh"), ("872.234", "m³")]
    assert [each.channel for each in sub_meters] == [1, 2, 3, 4]
    for channel, (each, value) in enumerate(zip(sub_meters, expected, strict=True), 1):
        assert texts.value(each, f"0-{channel}:24.2.1") == (Decimal(value[0]), value[1])


D0_METERS: list[tuple[str, str, list[str], Values]] = [
    (
        "LGZ4ZMR120AC.K00", "LGZ 30800058",
        ["F.F.0(00000000)", "0.0.2(  978800)", "C.1.0(30800058)", "C.1.1(        )", "1.8.1(000000.000*kWh)",
         "1.8.2(004281.837*kWh)", "1.8.0(004281.837*kWh)", "2.8.0(014605.516*kWh)", "32.7.0(238*V)", "31.7.0(000.67*A)",
         "36.7.0(000.09*kW)", "33.7.0(0.81)"],
        {"1.8.0": ("4281837", "Wh"), "2.8.0": ("14605516", "Wh"), "36.7.0": ("90", "W"), "32.7.0": ("238", "V")},
    ),
    (
        r"LGZ4\2ZMD3100000.B32", "1 LGZ 00 58100072",
        ["1-1:F.F(00000000)", "1-1:0.0.0(001LGZ0058100072)", "1-1:0.9.1(162655)", "1-1:0.9.2(260815)",
         "1-1:1.6.0(00.641*kW)(2608091845)", "1-1:1.6.0*62(02.142)(2607220915)", "1-1:1.8.0(0018788.9*kWh)",
         "1-1:1.8.0*62(0018750.0)", "1-1:16.7.0(-007.66*kW)", "1-1:131.7.0(-000.82*kvar)"],
        {"1-1:1.8.0": ("18788900", "Wh"), "1-1:16.7.0": ("-7660", "W"), "1-1:131.7.0": ("-820", "var")},
    ),
    (
        r"ABB5\@V9.21", "ABB 03200028",
        ["F.F(00000000)", "0.0.0(03200028)", "0.1.0(32)", "0.1.2*32(2112010000)", "1.8.1(052481.2*kWh)",
         "1.8.1*32(051967.9)", "2.8.1(033594.7*kWh)", "0.9.1(221044)", "0.9.2(211222)", "32.7.0(231.9*V)"],
        {"1.8.1": ("52481200", "Wh"), "2.8.1": ("33594700", "Wh"), "32.7.0": ("231.9", "V")},
    ),
    (
        "ITR5EM214", "ITR 53900055",
        ["0.0.0(1240007670000000)", "0.2.0(V01.69#EEA3546C)", "1.7.0(00.49*kW)", "1.8.1(022108.7*kWh)",
         "31.7.0(+000.8*A)", "C.1(53900055)", "C.6.3(03.78*V)", "C.13.21(00000001*secs)"],
        {"1.8.1": ("22108700", "Wh"), "1.7.0": ("490", "W"), "31.7.0": ("0.8", "A")},
    ),
    (
        "ISk5MT171-0099", "1 ISK 00 40800053",
        ["C.1.0*255(40800053)", "1-0:0.0.0*255(40800053)", "1-0:1.8.0*255(024562 kWh)", "1-0:2.8.0*255(000000 kWh)",
         "FF(00000000)"],
        {"1.8.0": ("24562000", "Wh"), "2.8.0": ("0", "Wh")},
    ),
    (
        "PAF5EC3gr00006", "PAF 72000037",
        ["0.0.0(72000037)(72000037)", "F.F(00)(00)", "1.8.0*00(000783.16)(000783.16)",
         "2.8.0*00(000045.38)(000045.38)"],
        {"1.8.0": ("783160", "Wh"), "2.8.0": ("45380", "Wh")},
    ),
]  # fmt: skip


@pytest.mark.parametrize("last", ["!\r\n", "!"], ids=["usual", "no line end"])
@pytest.mark.parametrize(("ident", "meter_id", "lines", "values"), D0_METERS, ids=[ident for ident, *_ in D0_METERS])
def test_d0_of_other_makers(ident: str, meter_id: str, lines: list[str], values: Values, last: str) -> None:
    readout = d0(ident, lines, last=last)
    spaced = d0(ident, [line + "  " for line in lines], last=last)
    # "!" directly behind the last parenthesis
    glued = d0(ident, [*lines[:-1], lines[-1] + "!"], last="")
    for stream in (readout, parity(readout), spaced, glued, d0(ident, lines, end="\n", last=last)):
        (found,) = read(stream, "d0")
        assert found.meter_id == meter_id
        check(found, values)
        assert not found.is_weak


PUSHED: list[tuple[str, str, list[str], Values]] = [
    (
        "LOG5LK13BE800000", "1 LOG 00 64800007",
        ["1-0:96.1.0*255(001LOG0064800007)", "1-0:1.8.0*255(000471.6452*kWh)", "1-0:2.8.0*255(000528.9178*kWh)",
         "1-0:16.7.0*255(000150*W)", "1-0:81.7.1*255(117*deg)", "1-0:1.8.0*96(00000.1*kWh)",
         "1-0:97.97.0*255(00000000)"],
        {"1.8.0": ("471645.2", "Wh"), "16.7.0": ("150", "W"), "81.7.1": ("117", "°")},
    ),
    (
        "ESY5Q3DA1000 V3.04", "1 ESY 13 34000004",
        ["1-0:0.0.0*255(0273000000044)", "1-0:1.8.0*255(00014869.2594317*kWh)", "1-0:21.7.255*255(-000128.41*W)",
         "1-0:1.7.255*255(-000116.77*W)", "0-0:96.1.255*255(1ESY1334000004)"],
        {"1.8.0": ("14869259.4317", "Wh"), "1.7.0": ("-116.77", "W"), "21.7.0": ("-128.41", "W")},
    ),
    (
        "HAG5eHZ010C_EHZ1ZA00", "HAG 1095110000140000",
        ["1-0:0.0.0*255(1095110000140000)", "1-0:1.8.1*255(001720.4816)", "1-0:32.7.0*255(238.39*V)",
         "1-0:61.7.0*255(+02568*W)", "1-0:96.50.0*0(EE)"],
        {"1.8.1": ("1720481.6", "Wh"), "61.7.0": ("2568", "W")},
    ),
    (
        "EBZ5DD32R10ETA_100", "1 EBZ 01 01900009",
        ["1-0:0.0.0*255(1EBZ0101900009)", "1-0:1.8.0*255(003902.58359727*kWh)", "1-0:16.7.0*255(-000458.90*W)"],
        {"1.8.0": ("3902583.59727", "Wh"), "16.7.0": ("-458.90", "W")},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("ident", "meter_id", "lines", "values"), PUSHED, ids=[ident for ident, *_ in PUSHED])
def test_d0_that_is_pushed(ident: str, meter_id: str, lines: list[str], values: Values) -> None:
    telegram = ("\r\n".join((f"/{ident}", "", *lines, "!", ""))).encode()
    for stream, protection in ((telegram * 2, "none"), (parity(telegram) * 2, "parity")):
        first, second = read(stream, "d0")
        assert first == second and first.meter_id == meter_id and first.protection == protection
        check(first, values)


def test_a_list_of_a_slovenian_meter_of_one_phase() -> None:
    """0F, invoke id, no date-time, ten elements."""
    name, number = b"ISK1020785700049", b"ISK85700049"
    body = b"\x02\x0a\x09\x10" + name + b"\x09\x0b" + number
    body += b"".join(b"\x06" + raw.to_bytes(4) for raw in (540, 0, 0, 282))
    body += b"\x12" + (2336).to_bytes(2) + b"\x12" + (278).to_bytes(2)
    body += b"".join(b"\x06" + raw.to_bytes(4) for raw in (540, 0))
    (found,) = read(hdlc(b"\x0f\x00\x25\x2e\x9e\x00" + body), "dlms", 7)
    check(found, {"1.7.0": ("540", "W"), "4.7.0": ("282", "var"), "32.7.0": ("233.6", "V"), "31.7.0": ("2.78", "A")})
    assert found.meter_id == "1 ISK 00 85700049"


def test_the_lists_of_one_meter_have_one_identity() -> None:
    """Each second nine elements with the logical device name, each 15 minutes four with the serial number alone."""
    name = b"\x09\x10ISK1030777000086"
    powers = (625, 0, 1_278_995, 573_290, 705_705, 250, 112, 138)
    second = b"\x02\x09" + name + b"".join(b"\x06" + raw.to_bytes(4) for raw in powers)
    quarter = b"\x02\x04\x09\x0877000086\x11\x00" + b"".join(b"\x06" + raw.to_bytes(4) for raw in (1_278_995, 250))
    lists = [hdlc(b"\x0f\x00\x25\x2e\x9e\x00" + body) for body in (quarter, second, quarter)]
    found = read(b"".join(lists), "dlms")
    assert [each.meter_id for each in found] == ["1 ISK 00 77000086"] * 3
    check(found[0], {"1.8.0": ("1278995", "Wh"), "2.8.0": ("250", "Wh")})
    check(found[1], {"1.7.0": ("625", "W"), "1.8.1": ("573290", "Wh")})


def test_energies_of_64_bits() -> None:
    """A Kaifa of the north: version, number, model, 4 powers, 3 currents, 3 voltages, clock, 4 energies."""
    clock = bytes.fromhex("07ea010f040a1e00ff800000")
    body = b"\x02\x12\x09\x07KFM_001\x09\x107340157000000024\x09\x07MA304T4"
    body += b"".join(b"\x06" + raw.to_bytes(4) for raw in (700, 0, 0, 5, 1416, 900, 800, 2385, 2390, 2401))
    body += b"\x09\x0c" + clock + b"".join(b"\x15" + raw.to_bytes(8) for raw in (5_000_000_000, 7, 8, 9))
    (found,) = read(hdlc(b"\x0f\x40\x00\x00\x00\x09\x0c" + clock + body), "dlms")
    check(found, {"1.8.0": ("5000000000", "Wh"), "31.7.0": ("1.416", "A"), "32.7.0": ("238.5", "V")})
    assert found.meter_id == "7340157000000024"
