import pytest

import telegrams
import texts
from iskra_server.codecs.d0.decoder import D0Decoder
from iskra_server.codecs.decoder import Decoder
from iskra_server.codecs.dlms.identity import identify
from iskra_server.codecs.p1.decoder import P1Decoder
from iskra_server.codecs.sml.decoder import SmlDecoder
from iskra_server.meter.identity import at_port, compact_name, family, label, maker, meter_id
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register
from samples import energy, reading


@pytest.mark.parametrize(
    ("server_id", "name"),
    [
        ("0a0149534b0000bc614e", "1 ISK 00 12345678"),
        ("090149534b0000000001", "1 ISK 00 00000001"),
        ("0a01445a470200bc614e", "1 DZG 02 12345678"),
        ("0649534b01027a20de0e", None),
        ("0a0149534b00ffffffff", None),
        ("0a0149534b00", None),
        ("00000000000000000000", None),
        ("", None),
    ],
)
def test_the_label_after_din_43863_5(server_id: str, name: str | None) -> None:
    assert label(bytes.fromhex(server_id)) == name


def test_a_meter_goes_by_its_label_else_by_its_bytes() -> None:
    assert meter_id(bytes.fromhex("0a0149534b0000bc614e")) == "1 ISK 00 12345678"
    assert meter_id(bytes.fromhex("0649534b01027a20de0e")) == "0649534b01027a20de0e"
    assert meter_id(b"") == "unknown"


def test_a_name_is_compared_without_spaces_and_case() -> None:
    assert compact_name(" 1 isk 00\t70347617") == compact_name("1ISK0070347617") == "1isk0070347617"


def test_maker_and_family_are_told_by_the_telegram() -> None:
    edl = reading(Register(Obis.parse("129-129:199.130.3"), b"ISK"))
    ms2020 = reading(Register(Obis.parse("1-0:96.50.1*1"), b"ISK"))
    other = reading(Register(Obis.parse("1-0:96.50.1*1"), b"EMH"))
    assert [maker(content) for content in (edl, ms2020, other)] == ["ISK", "ISK", "EMH"]
    assert [family(content) for content in (edl, ms2020, other)] == ["MT175/MT681", "MT631/MT691", None]


def test_the_server_id_names_the_maker_where_no_register_does() -> None:
    assert maker(reading(energy(1))) == "ISK"
    assert family(reading(energy(1))) is None


def ids_of(*telegrams: tuple[Decoder, bytes]) -> set[str]:
    return {reading.meter_id for decoder, data in telegrams for reading in texts.readings(decoder.feed(data))}


def test_a_meter_is_one_meter_on_every_way() -> None:
    """Its serial number in clear (P1), as DIN 43863-5 (D0, hex and clear), in the system title (DLMS), as server id."""
    title = identify([], bytes.fromhex("49534b67") + (7 << 28 | 63000199).to_bytes(4))
    sml_id = b"\x0a\x01ISK\x00" + (63000199).to_bytes(4)
    p1 = [f"0-0:96.1.0({texts.D0_SERIAL})", "1-0:1.8.0(000001.000*kWh)"]
    hexed = [f"0-0:96.1.1({texts.hex_text('1ISK0063000199')})", "1-0:1.8.0(000001.000*kWh)"]
    assert (
        ids_of(
            (P1Decoder(), texts.p1_telegram(p1, r"ISk5\2MIE5T-200")),
            (P1Decoder(), texts.p1_telegram(hexed, r"ISk5\2MT382-1003")),
            (D0Decoder(), texts.d0_readout()),
            (D0Decoder(), texts.d0_readout(["0.0.0(63000199)", "1.8.0(0000001.000*kWh)"], "ISK5ME162-0099")),
            (SmlDecoder(), telegrams.telegram(server_id=sml_id)),
        )
        == {title.meter_id}
        == {"1 ISK 00 63000199"}
    )


def test_two_meters_that_only_name_their_model_are_never_one() -> None:
    (sent,) = texts.readings(P1Decoder().feed(texts.p1_telegram(["1-0:1.8.0(000001.000*kWh)"], "KAM5")))
    first, second = (at_port(sent, port) for port in ("/dev/ttyUSB0", "tcp://reader:2001"))
    assert (first.meter_id, second.meter_id) == ("KAM at ttyUSB0", "KAM at reader-2001")
    assert len({sent.server_id, first.server_id, second.server_id}) == 3
    assert at_port(first, "/dev/ttyUSB1") is first


def test_a_sub_meter_without_a_number_is_known_by_its_meter_and_port() -> None:
    lines = ["1-0:1.8.0(000001.000*kWh)", "0-1:24.1.0(003)", "0-1:24.2.1(261122100010W)(01569.646*m3)"]
    _, gas = texts.readings(P1Decoder().feed(texts.p1_telegram(lines, "KAM5")))
    assert at_port(gas, "/dev/ttyUSB0").meter_id == "KAM channel 1 at ttyUSB0"
    _, gas = texts.readings(P1Decoder().feed(texts.p1_telegram([f"0-0:96.1.0({texts.D0_SERIAL})", *lines])))
    assert at_port(gas, "/dev/ttyUSB0").meter_id == "1 ISK 00 63000199 channel 1"
