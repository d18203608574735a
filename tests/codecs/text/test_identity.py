import pytest
from hypothesis import given
from hypothesis import strategies as st

import texts
from iskra_server.codecs.text.identity import identity, is_din, maker_of, of_ident


@pytest.mark.parametrize(
    ("name", "maker", "meter_id"),
    [
        ("1ISK0063000174", "", "1 ISK 00 63000174"),
        ("63000174", "ISK", "1 ISK 00 63000174"),
        (texts.hex_text("ISK1030763000174"), "ISK", "1 ISK 00 63000174"),
        (texts.hex_text("1ISK0063000174"), "ISK", "1 ISK 00 63000174"),
        ("001LOG0065800041", "LOG", "1 LOG 00 65800041"),
        (texts.hex_text("7FLO2119033799"), "", "7 FLO 21 19033799"),
        (texts.hex_text("E0044007131650618"), "ISK", "E0044007131650618"),
        ("97000310", "LGZ", "LGZ 97000310"),
        ("09610", "ISK", "ISK 09610"),
        ("00112233445566778899aabbccddeeff", "ISK", "00112233445566778899aabbccddeeff"),
    ],
)
def test_names(name: str, maker: str, meter_id: str) -> None:
    found = identity(name, maker)
    assert found is not None
    assert found.meter_id == meter_id


def test_a_server_id_is_that_of_sml() -> None:
    found = identity("1ISK0012345678")
    assert found is not None and found.server_id.hex() == "0a0149534b0000bc614e"


@pytest.mark.parametrize("name", ["", "  ", "00000000", "00000000000000", "0000 0000"])
def test_no_name(name: str) -> None:
    assert identity(name, "ISK") is None


@pytest.mark.parametrize(
    ("ident", "meter_id"),
    [
        (r"ISk5\2MT382-1004", "ISK MT382-1004"),
        ("KAM5", "KAM"),
        ("LGF5E360", "LGF E360"),
        ("ISK5ME162-0033", "ISK ME162-0033"),
    ],
)
def test_the_identification_line_is_the_last_resort(ident: str, meter_id: str) -> None:
    found = of_ident(ident)
    assert found is not None and found.meter_id == meter_id
    assert maker_of(ident) == meter_id[:3]


def test_only_the_identification_of_din_is_one() -> None:
    assert is_din("1ISK0063000174") and is_din(texts.hex_text("1ISK0063000174"))
    assert not is_din("63000174") and not is_din("400")


@given(st.text(max_size=80), st.sampled_from(["", "ISK", "lgz"]))
def test_any_text(name: str, maker: str) -> None:
    text = name.encode("latin-1", "replace").decode("latin-1")
    named, model = identity(text, maker), of_ident(text)
    assert named is None or (named.meter_id.isprintable() and named.meter_id and named.server_id)
    # all meters of a model have its name
    assert model is None or (model.meter_id.isprintable() and model.meter_id and not model.server_id)
