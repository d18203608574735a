from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iskra_server.codecs.text.numbers import number
from iskra_server.meter.reading import scaled


@pytest.mark.parametrize(
    ("content", "raw", "scaler", "unit"),
    [
        ("003432.827*kWh", 3432827, 0, "Wh"),
        ("16.85*kWh", 1685, 1, "Wh"),
        ("024562 kWh", 24562, 3, "Wh"),
        ("0001.19*kW", 119, 1, "W"),
        ("230.1*V", 2301, -1, "V"),
        ("000201282*Wh", 201282, 0, "Wh"),
        ("0000.321*kVAr", 321, 0, "var"),
        ("002496.779*kVArh", 2496779, 0, "varh"),
        ("01569.646*m3", 1569646, -3, "m³"),
        ("0029.055*MWh", 29055, 3, "Wh"),
        ("-063*A", -63, 0, "A"),
        ("+000.8*A", 8, -1, "A"),
        (".5*A", 5, -1, "A"),
        ("0.98*cos", 98, -2, "no unit (count)"),
        ("00005", 5, 0, "None"),
    ],
)
def test_forms(content: str, raw: int, scaler: int, unit: str) -> None:
    found = number(content)
    assert found is not None
    assert (found.raw, found.scaler, str(found.unit)) == (raw, scaler, unit)


@pytest.mark.parametrize(
    "content",
    ["", " -.--", "0E10", "0000001C", "12:30", "18-01-03 08:22", "60*m", "1.2.3", "5.*A", "1*kWh*2", "9" * 16, "٣"],
)
def test_text(content: str) -> None:
    assert number(content) is None


@given(
    st.from_regex(r"[0-9]{1,8}(\.[0-9]{1,6})?", fullmatch=True), st.sampled_from([("Wh", 0), ("kWh", 3), ("MWh", 6)])
)
def test_every_digit_is_kept(text: str, unit: tuple[str, int]) -> None:
    found = number(f"{text}*{unit[0]}")
    assert found is not None
    assert scaled(found.raw, found.scaler) == Decimal(text) * 10 ** unit[1]


def test_a_long_content_costs_no_time() -> None:
    assert number(" " * 200_000 + "% %") is None


@given(st.text(max_size=40))
def test_any_text(content: str) -> None:
    number(content)
