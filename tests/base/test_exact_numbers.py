"""Numbers with every digit, as both languages write them."""

from decimal import Decimal

import pytest

from iskra_server.base.exact_numbers import exact_number
from iskra_server.base.language import LANGUAGES


@pytest.mark.parametrize(
    ("value", "english", "german"),
    [
        (Decimal("1234567.8900"), "1\u202f234\u202f567.8900", "1\u202f234\u202f567,8900"),
        (Decimal("-0.5"), "−0.5", "−0,5"),
        (Decimal("1E+3"), "1\u202f000", "1\u202f000"),
        (23324, "23\u202f324", "23\u202f324"),
        (0, "0", "0"),
    ],
)
def test_a_number_in_both_languages(value: Decimal | int, english: str, german: str) -> None:
    assert (exact_number(value, "en"), exact_number(value, "de")) == (english, german)


def test_every_language_has_its_point() -> None:
    assert {language: exact_number(Decimal("1.5"), language) for language in LANGUAGES} == {"en": "1.5", "de": "1,5"}
