import pytest

from iskra_server.codecs.text import registers
from iskra_server.codecs.text.lines import data_sets
from iskra_server.codecs.text.times import moment
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register


def register(line: str, *, assumes_kwh: bool = False) -> Register | None:
    (sent,) = data_sets(line)
    return registers.register(Obis.parse(sent.code), sent.contents, assumes_kwh=assumes_kwh)


@pytest.mark.parametrize(
    ("line", "value", "unit"),
    [
        ("1-0:1.8.1(003432.827*kWh)", "3432827", "Wh"),
        ("1-0:1.6.0(260509134558S)(02.589*kW)", "2589", "W"),
        ("1-0:1.6.0(02.468*kW)(2603100930)", "2468", "W"),
        ("0-0:96.7.21(00005)", "5", ""),
        ("1-0:13.7.0(0.98)", "0.98", ""),
        ("1-0:32.36.0(0002)(17-08-04 13:24)", "2", ""),
        ("1-0:1.8.1(031234.56)", "31234560", "Wh"),
    ],
)
def test_a_number(line: str, value: str, unit: str) -> None:
    found = register(line)
    assert found is not None
    assert (format(found.value or 0, "f"), str(found.unit or "")) == (value, unit)


@pytest.mark.parametrize(
    "line",
    [
        "0-0:96.14.0(0002)",
        "0-0:96.1.1(4530)",
        "1-0:0.9.1(105644)",
        "1-0:32.7.0(230.1)",
        "1-0:1.8.0(000143)",
        "1-0:1.7.0(0.5)",
        "1-0:99.97.0(1)(0-0:96.7.19)(260417201458S)(0000000236*s)",
        "0-0:98.1.0(1)(1-0:1.6.0)(1-0:1.6.0)(260501000000S)(260423192538S)(03.695*kW)",
        "1-1:31.4.0(100*A)(-063*A)",
        "0-2:24.2.1(632525252525S)(00000.000)",
    ],
)
def test_a_text(line: str) -> None:
    found = register(line)
    assert found is not None
    assert found.value is None and found.raw != b""


def test_kwh_may_be_assumed_of_makers_that_send_no_unit() -> None:
    found = register("1.8.0(000143)", assumes_kwh=True)
    assert found is not None and found.value == 143000
    voltage = register("32.7.0(230.1)", assumes_kwh=True)
    assert voltage is not None and voltage.value is None


@pytest.mark.parametrize("line", ["0-0:25.1.0(ER23)", "1-0:0.2.0((ER11))", "1.7.0(ERROR)", "1.7.0(ER_1)"])
def test_an_error_text_is_no_register(line: str) -> None:
    assert register(line) is None


@pytest.mark.parametrize("line", ["0-0:96.13.0()", "33.7.0( -.--)"])
def test_a_value_that_was_left_out(line: str) -> None:
    found = register(line)
    assert found is not None and found.raw == b""


def test_the_time_beside_a_value_is_its_own() -> None:
    for line in ("1-0:1.6.0(260509134558S)(02.589*kW)", "1-0:1.6.0(02.589*kW)(260509134558S)"):
        found = register(line)
        assert found is not None and found.time == moment("260509134558S") is not None
