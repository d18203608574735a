import pytest

from iskra_server.meter.identity import compact_name, family, label, maker, meter_id
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
