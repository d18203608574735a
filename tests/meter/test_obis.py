import pytest
from hypothesis import given
from hypothesis import strategies as st

from iskra_server.meter.obis import Obis


@given(st.binary(min_size=6, max_size=6))
def test_both_printed_forms_parse_to_the_same_bytes(data: bytes) -> None:
    obis = Obis(data)
    assert Obis.parse(str(obis)) == obis == Obis.parse(obis.short)
    assert bytes(obis) == data


@given(st.binary(min_size=6, max_size=6), st.binary(min_size=6, max_size=6))
def test_order_and_hash_are_those_of_the_bytes(one: bytes, other: bytes) -> None:
    assert (Obis(one) < Obis(other)) == (one < other)
    assert hash(Obis(one)) == hash(one)


@pytest.mark.parametrize(
    ("text", "data", "short"),
    [
        ("1.8.0", "0100010800ff", "1-0:1.8.0"),
        ("1-0:1.8.0*255", "0100010800ff", "1-0:1.8.0"),
        ("1-0:96.50.1*1", "010060320101", "1-0:96.50.1*1"),
        ("129-129:199.130.3", "8181c78203ff", "129-129:199.130.3"),
        ("0-0:C.1.0", "0000600100ff", "0-0:96.1.0"),
        ("F.F", "0100616100ff", "1-0:97.97.0"),
        ("1.8", "0100010800ff", "1-0:1.8.0"),
        ("1.8.0*3", "010001080003", "1-0:1.8.0*3"),
        ("0-0:0.0.0*0", "000000000000", "0-0:0.0.0*0"),
    ],
)
def test_the_forms_in_which_codes_are_printed(text: str, data: str, short: str) -> None:
    assert Obis.parse(text).hex() == data
    assert Obis.parse(text).short == short


def test_it_prints_itself_whole() -> None:
    assert (str(Obis.parse("1.8.0")), repr(Obis.parse("1.8.0"))) == ("1-0:1.8.0*255", "Obis('1-0:1.8.0*255')")


@pytest.mark.parametrize("text", ["", "1", "energy", "1-0:1.8.256", "1-0:1.8.0*", "1.8.0.0", "-1.8.0", "X.8.0"])
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="is not an OBIS code"):
        Obis.parse(text)


def test_the_wire_form_has_six_bytes() -> None:
    with pytest.raises(ValueError, match="has 6 bytes, not 5"):
        Obis(b"12345")
