import pytest
from hypothesis import given
from hypothesis import strategies as st

from iskra_server.codecs.text import codes


@pytest.mark.parametrize(
    ("text", "obis", "period"),
    [
        ("1-0:1.8.0*255", "1-0:1.8.0", None),
        ("1-0:1.8.0", "1-0:1.8.0", None),
        ("1.8.0", "1-0:1.8.0", None),
        ("1.8.0*07", "1-0:1.8.0", 7),
        ("1.8.0&00", "1-0:1.8.0", 0),
        ("6.8", "1-0:6.8.0", None),
        ("0.0.0", "0-0:0.0.0", None),
        ("C.1", "0-0:96.1.0", None),
        ("0-0:C.1.6*255", "0-0:96.1.6", None),
        ("C.51.2*03", "0-0:96.51.2", 3),
        ("L.1", "0-0:98.1.0", None),
        ("P.01", "0-0:99.1.0", None),
        ("96.1.255*255", "0-0:96.1.255", None),
        ("1-0:1.7.255*255", "1-0:1.7.0", None),
        ("7-0:23.1.0", "7-0:23.1.0", None),
        *((text, "0-0:97.97.0", None) for text in ("F.F", "F.F.0", "FF", "F", "F.97.0")),
    ],
)
def test_forms(text: str, obis: str, period: int | None) -> None:
    code = codes.parse(text)
    assert code is not None
    assert (code.obis.short, code.period) == (obis, period)


@pytest.mark.parametrize(
    "text", ["", "1", "1.", "1.8.0.0", "1-0:1.8.256", "X.1", "1-0:", "1.8.0*", "1" * 40_000, "٣.8.0", "\x021.8.0"]
)
def test_what_is_no_code(text: str) -> None:
    assert codes.parse(text) is None


@given(st.text(max_size=20))
def test_any_text(text: str) -> None:
    code = codes.parse(text)
    assert code is None or code.obis[5] == codes.NOW
