import pytest

import texts
from iskra_server.codecs.d0.decoder import D0Decoder
from iskra_server.codecs.d0.readout import current, reading
from iskra_server.codecs.text.entries import Entries
from iskra_server.codecs.text.times import moment
from iskra_server.meter.normalise import MeterMemory, normalise
from iskra_server.meter.reading import Reading


def read(*lines: str, ident: str = texts.D0_IDENT, assumes_kwh: bool = False) -> Reading:
    return reading(ident, current(Entries(assumes_kwh=assumes_kwh).read("\r\n".join(lines))), 100)


def codes(found: Reading) -> list[str]:
    return [f"{each.obis.short}={'' if each.value is None else format(each.value, 'f')}" for each in found.registers]


def test_a_full_list_says_how_it_is_now() -> None:
    found = read(*texts.d0_lines())
    assert found.meter_id == "1 ISK 00 63000199"
    assert found.meter_time == moment("0261122", "201455")
    assert {"1-0:1.8.0=8048375", "1-0:1.7.0=908", "1-0:1.6.0=2468", "0-0:97.97.0="} <= set(codes(found))
    assert len(found.registers) == 11


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["1.8.0(3*kWh)", "1.8.0*01(2*kWh)"], ["1-0:1.8.0=3000"]),
        (["1.8.0*01(2*kWh)", "1.8.0*255(3*kWh)"], ["1-0:1.8.0=3000"]),
        (["1.8.0*00(3*kWh)"], ["1-0:1.8.0=3000"]),
        (["1.8.0(3*kWh)", "1.8.0*0(0*kWh)"], ["1-0:1.8.0=3000"]),
        (["1.8.0*0(0*kWh)", "1.8.0*0(0*kWh)"], []),
        (["1.8.0*00(3*kWh)", "1.8.0*99(2*kWh)"], []),
        (["1.8.0*00(3*kWh)", "1.8.0*00(3*kWh)"], []),
        (["1.8.0*12(3*kWh)", "1.8.0*96(2*kWh)", "1.8.0&01(4*kWh)"], []),
        (["1.8.0(3*kWh)", "1-0:1.8.0*255(4*kWh)"], ["1-0:1.8.0=3000"]),
        # circular history: the newest slot is the billing counter
        (["0.1.0(57)", "1.8.0(3*kWh)", "1.8.0*57(2*kWh)", "1.8.0*56(1*kWh)"], ["0-0:0.1.0=", "1-0:1.8.0=3000"]),
    ],
)
def test_history_is_never_now(lines: list[str], expected: list[str]) -> None:
    assert codes(read(*lines)) == expected


def test_of_two_values_the_first_counts_and_the_reading_names_the_code() -> None:
    lines = ["1.8.0(3*kWh)", "2.8.0(1*kWh)", "2.8.0(1*kWh)", "1-0:1.8.0*255(4*kWh)", "1.8.0*01(2*kWh)"]
    (found,) = texts.readings(texts.decode(D0Decoder(), texts.d0_readout(lines)))
    assert codes(found) == ["1-0:1.8.0=3000", "1-0:2.8.0=1000"]
    assert [obis.short for obis in found.repeated] == ["1-0:1.8.0"]
    record, (rejected,) = normalise(found, MeterMemory())
    assert codes(record)[0] == "1-0:1.8.0=3000"
    assert (rejected.obis.short, "first one counts" in rejected.reason) == ("1-0:1.8.0", True)


@pytest.mark.parametrize(
    ("lines", "ident", "meter_id"),
    [
        (["0.0.1(1ISK0063000199)", "C.1.0(1)"], texts.D0_IDENT, "1 ISK 00 63000199"),
        (["C.1.0(63000199)", "0.0.0(1)"], texts.D0_IDENT, "1 ISK 00 63000199"),
        (["1-0:0.0.0*255(63000199)", "0.0.1(400)"], texts.D0_IDENT, "1 ISK 00 63000199"),
        ([f"0-0:96.1.1*255({texts.hex_text('1ISK0063000199')})"], r"ISK5\2MT382-1008", "1 ISK 00 63000199"),
        (["0.0.0(97000399)", "0.0.1(400)"], r"LGZ4\2ZMD3102400.B31", "LGZ 97000399"),
        (["1-0:96.1.0*255(001LOG0065800041)"], "LOG5LK13BE803039", "1 LOG 00 65800041"),
        (["C.1.0(00000000)"], texts.D0_IDENT, "ISK MT174-0099"),
        ([], "", "unknown"),
    ],
)
def test_who_a_meter_is(lines: list[str], ident: str, meter_id: str) -> None:
    assert read(*lines, ident=ident).meter_id == meter_id


def test_a_reading_of_p1_and_one_of_the_window_have_the_same_identity() -> None:
    window = read("C.1.0(63000199)")
    assert (window.meter_id, window.server_id.hex()) == ("1 ISK 00 63000199", "0a0149534b0003c14e87")


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        (["0.9.1(120054)", "0.9.2(1260703)"], "wall"),
        (["0.9.1(120054)", "0.9.2(2260703)"], "timestamp"),
        (["0.9.1(11:03:17)", "0.9.2(26-12-28)"], "wall"),
        (["0.9.2(0260703)"], None),
        (["0.9.1(250000)", "0.9.2(0260703)"], None),
    ],
)
def test_the_time_of_the_meter(lines: list[str], kind: str | None) -> None:
    time = read(*lines).meter_time
    assert (time and time.kind) == kind


def test_a_meter_of_heat_is_of_its_own_medium() -> None:
    found = read("6.8(0029.055*MWh)6.26(01589.28*m3)9.4(088*C&082*C)0.0(00000050)", ident="SIEC2WR5")
    assert codes(found) == ["6-0:6.8.0=29055000", "6-0:6.26.0=1589.28", "6-0:9.4.0=", "0-0:0.0.0="]
    assert found.meter_id == "SIE 00000050"
    # a code with its medium keeps it
    assert codes(read("1-0:6.8.0(1*kvarh)", "7-0:3.0.0(1*m3)")) == ["1-0:6.8.0=1000", "7-0:3.0.0=1"]


def test_energies_without_a_unit() -> None:
    assert codes(read("1.8.1(031234.56)")) == ["1-0:1.8.1=31234560"]
    assert codes(read("1.8.1(031234)")) == ["1-0:1.8.1="]
    assert codes(read("1.8.1(031234)", assumes_kwh=True)) == ["1-0:1.8.1=31234000"]
