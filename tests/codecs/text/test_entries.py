import pytest
from hypothesis import given
from hypothesis import strategies as st

from iskra_server.codecs.errors import Malformed
from iskra_server.codecs.text.entries import Entries, now
from trying import tries


def test_a_line_without_a_code_goes_on_with_the_one_before() -> None:
    (entry,) = Entries().read("0-1:24.3.0(090212160000)(00)(m3)\r\n(00001.001)\r\n")
    assert entry.sent.contents == ("090212160000", "00", "m3", "00001.001")


def test_a_strange_line_is_passed_over_or_refused() -> None:
    lines = "1.8.0(1*kWh)\n\r\n \nwhat is this\n2.8.0(2*kWh)"
    assert [entry.sent.code for entry in Entries().read(lines)] == ["1.8.0", "2.8.0"]
    with pytest.raises(Malformed, match="no data set: 'what is this'"):
        Entries().read(lines, is_strict=True)
    with pytest.raises(Malformed, match="is no code"):
        Entries().read("X.1(1)", is_strict=True)


def test_lines_that_come_again_are_read_once() -> None:
    entries = Entries()
    first = entries.read("1.8.0(1*kWh)\r\n2.8.0(2*kWh)")
    second = entries.read("1.8.0(1*kWh)\r\n2.8.0(3*kWh)")
    assert second[0] is first[0]
    assert second[1].register is not None and second[1].register.value == 3000


def test_what_has_no_code_costs_itself_and_not_the_line() -> None:
    assert [entry.sent.code for entry in Entries().read("6.8(1*MWh)strange(1)6.26(2*m3)")] == ["6.8", "6.26"]


def test_history_is_not_now() -> None:
    entries = Entries().read("1.8.0(3*kWh)\n1.8.0*01(2*kWh)\n1.8.0&02(1*kWh)\nstrange.code(1)")
    assert [entry.sent.code for entry in now(entries)] == ["1.8.0"]


contents = st.one_of(
    st.from_regex(r"[+-]?[0-9]{0,18}\.?[0-9]{0,4}(\*(kWh|kW|V|m3|x))?", fullmatch=True),
    st.text("0123456789.*+- kWh²", max_size=12),
)


@tries(2)
@given(st.sampled_from(["1-0:1.8.0", "1.8.0*01", "0-1:24.2.1", "98.1.0", "96.1.0", "X"]), contents, contents)
def test_a_line_of_a_known_form_says_what_it_says_without_the_form(code: str, first: str, second: str) -> None:
    entries = Entries()
    entries.read(f"{code}(0001.5*kWh)\n{code}({first})")
    assert entries.read(f"{code}({second})") == Entries().read(f"{code}({second})")
