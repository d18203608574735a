import msgspec
import pytest

from iskra_server.config.toml_hints import toml_hint


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("energy_price = 0,3265", "; write a decimal point, as in 0.3265"),
        ("begins = 01.01.2026", "; write a date as year-month-day, as in 2026-01-01"),
        ("begins = 26-01-01", "; write a date as year-month-day, as in 2026-01-01"),
        ("name = “Green”", '; write straight quotes, as in "text"'),
        ("name = Green", '; write text in quotes, as in "text"'),
        ("url = /dev/ttyUSB0", '; write text in quotes, as in "text"'),
        ("energy_price = 32.65 ct", "; write the number alone, without its unit"),
        ("vat_percent = 19%", "; write the number alone, without its unit"),
        ("begins = 2026-01-01\nbegins = 2027-01-01", "; write each key and each section once"),
        ("[prices]\n[prices]", "; write each key and each section once"),
        ("[contracts]", "; write each key and each section once"),
        ("energy = {a = 1, a = 2}", "; write each key and each section once"),
        ("is = true false", ""),
        ("[[contracts]", ""),
    ],
)
def test_a_usual_mistake_is_named(line: str, hint: str) -> None:
    text = f"[[contracts]]\n{line}\n"
    with pytest.raises(msgspec.DecodeError) as caught:
        msgspec.toml.decode(text)
    assert toml_hint(text, caught.value)[0] == hint


def test_an_error_without_a_place_has_no_hint() -> None:
    assert toml_hint("x = 0,1", ValueError("no place")) == toml_hint("", ValueError("at line 3")) == ("", "")
