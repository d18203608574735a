import pytest
from hypothesis import given
from hypothesis import strategies as st

from iskra_server.codecs.errors import Malformed
from iskra_server.codecs.text.lines import data_sets


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("1-0:1.8.1(003432.827*kWh)", [("1-0:1.8.1", ("003432.827*kWh",))]),
        ("0-1:24.2.1(181106140010W)(01569.646*m3)", [("0-1:24.2.1", ("181106140010W", "01569.646*m3"))]),
        ("(00024.123)", [("", ("00024.123",))]),
        ("6.8(1*MWh)F(0)9.4(088*C&082*C)", [("6.8", ("1*MWh",)), ("F", ("0",)), ("9.4", ("088*C&082*C",))]),
        ("1-0:0.2.0((ER11))", [("1-0:0.2.0", ("(ER11)",))]),
        ("1.8.0*99(00000.0*kWh)  ", [("1.8.0*99", ("00000.0*kWh",))]),
        ("0.1.0*1(18-01-03 08:22)", [("0.1.0*1", ("18-01-03 08:22",))]),
        ("0-0:96.13.0()", [("0-0:96.13.0", ("",))]),
    ],
)
def test_forms(line: str, expected: list[tuple[str, tuple[str, ...]]]) -> None:
    assert [(each.code, each.contents) for each in data_sets(line)] == expected


@pytest.mark.parametrize("line", ["1.8.0", "1.8.0(", "1.8.0)", "1.8.0(((a)))", " 1.8.0(1)", "1.8.0(1)x", "/ABC5x(1)"])
def test_what_is_no_line(line: str) -> None:
    with pytest.raises(Malformed, match="no data set"):
        list(data_sets(line))


@given(st.text(alphabet="()1.8*kWh ", max_size=60))
def test_nothing_of_a_line_is_lost(line: str) -> None:
    try:
        found = list(data_sets(line))
    except Malformed:
        return
    again = "".join(each.code + "".join(f"({content})" for content in each.contents) for each in found)
    assert again.replace(" ", "") == line.replace(" ", "")
