from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register, scaled
from samples import IMPORT, POWER, energy, power, reading


@given(st.integers(-(2**63), 2**64), st.integers(-9, 9))
def test_scaling_is_exact_and_keeps_every_digit(raw: int, scaler: int) -> None:
    digits = format(scaled(raw, scaler), "f")
    assert Fraction(digits) == raw * Fraction(10) ** scaler
    assert len(digits.partition(".")[2]) == max(0, -scaler)


@pytest.mark.parametrize(
    ("raw", "scaler", "text"),
    [(74078573, -1, "7407857.3"), (7167, 3, "7167000"), (0, -1, "0.0"), (-5, -2, "-0.05"), (120, -1, "12.0")],
)
def test_values_print_with_the_digits_the_meter_sent(raw: int, scaler: int, text: str) -> None:
    assert format(scaled(raw, scaler), "f") == text


def test_what_is_no_number_has_no_value() -> None:
    assert [Register(IMPORT, raw).value for raw in (b"", b"x", True)] == [None] * 3
    assert Register(IMPORT, 5).value == 5


def test_octet_strings_have_a_text_where_they_are_printable() -> None:
    assert [Register(IMPORT, raw).text for raw in (b"ISK", b"\x01\x02", b"", 5)] == ["ISK", None, None, None]


def test_a_reading_finds_its_registers() -> None:
    content = reading(energy(5), power(7), Register(Obis.parse("0.0.9"), b"x"))
    assert content.get(POWER) == power(7)
    assert content.get(Obis.parse("2.8.0")) is None
    assert [register.obis for register in content.numbers()] == [IMPORT, POWER]
