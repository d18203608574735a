"""What a Shelly shows of a record: golden results, and what holds for every record."""

import json
import re
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from msgspec.json import encode

from emulating import grid_reading
from iskra_server.outputs.emulation.grid import GridReading
from iskra_server.outputs.emulation.shelly_measurements import em1_data, em1_status, em_data, em_status

POWERS_W = st.decimals(-99_999, 99_999, places=3)
MEASURED = st.none() | st.decimals(0, 500, places=2)
COUNTERS_WH = st.none() | st.decimals(0, 99_999_999, places=4) | st.integers(0, 99_999_999).map(Decimal)
MEASURED_PHASES = st.tuples(MEASURED, MEASURED, MEASURED)
NUMBER = re.compile(r'"(\w+)":(-?\d[^,}\]]*)')


@st.composite
def readings(draw: st.DrawFn) -> GridReading:
    phases_w = draw(st.none() | st.tuples(POWERS_W, POWERS_W, POWERS_W))
    return grid_reading(
        power_w=sum(phases_w, Decimal(0)) if phases_w else draw(POWERS_W),
        phases_w=phases_w,
        import_wh=draw(COUNTERS_WH),
        export_wh=draw(COUNTERS_WH),
        voltages_v=draw(MEASURED_PHASES),
        currents_a=draw(MEASURED_PHASES),
        frequency_hz=draw(MEASURED),
    )


def test_a_meter_that_sends_the_sum_alone_shows_it_on_phase_a() -> None:
    assert encode(em_status(grid_reading(power_w=Decimal("412.31")), typical=True)) == (
        b'{"id":0,"a_current":1.793,"a_voltage":230.0,"a_act_power":412.31,"a_aprt_power":412.31,"a_pf":1.00,'
        b'"a_freq":50.00,"b_current":0.000,"b_voltage":230.0,"b_act_power":0.001,"b_aprt_power":0.00,"b_pf":1.00,'
        b'"b_freq":50.00,"c_current":0.000,"c_voltage":230.0,"c_act_power":0.001,"c_aprt_power":0.00,"c_pf":1.00,'
        b'"c_freq":50.00,"n_current":null,"total_current":1.793,"total_act_power":412.31,"total_aprt_power":412.31,'
        b'"user_calibrated_phase":[]}'
    )


def test_what_the_meter_measures_is_shown_as_it_is() -> None:
    reading = grid_reading(
        power_w=Decimal(-290),
        phases_w=(Decimal(-400), Decimal(0), Decimal(110)),
        voltages_v=(Decimal("231.4"), Decimal("229.9"), Decimal("230.2")),
        currents_a=(Decimal("1.81"), Decimal(0), Decimal("0.5")),
        frequency_hz=Decimal("49.98"),
    )
    assert encode(em_status(reading, typical=True)) == (
        b'{"id":0,"a_current":1.810,"a_voltage":231.4,"a_act_power":-400.00,"a_aprt_power":418.83,"a_pf":0.96,'
        b'"a_freq":49.98,"b_current":0.000,"b_voltage":229.9,"b_act_power":0.001,"b_aprt_power":0.00,"b_pf":1.00,'
        b'"b_freq":49.98,"c_current":0.500,"c_voltage":230.2,"c_act_power":110.00,"c_aprt_power":115.10,"c_pf":0.96,'
        b'"c_freq":49.98,"n_current":null,"total_current":2.310,"total_act_power":-290.00,"total_aprt_power":533.93,'
        b'"user_calibrated_phase":[]}'
    )


def test_one_channel_shows_the_whole_power() -> None:
    phases = (Decimal(400), Decimal(0), Decimal(12))
    assert encode(em1_status(grid_reading(phases_w=phases), typical=True)) == (
        b'{"id":0,"current":1.791,"voltage":230.0,"act_power":412.00,"aprt_power":412.00,"pf":1.00,"freq":50.00,'
        b'"calibration":"factory"}'
    )


def test_what_is_not_measured_can_be_null() -> None:
    status = em_status(grid_reading(), typical=False)
    powers = {"a_act_power", "b_act_power", "c_act_power", "total_act_power"}
    assert {name for name, value in status.items() if value is not None} == {"id", "user_calibrated_phase"} | powers
    assert {name for name, value in em1_status(grid_reading(), typical=False).items() if value is None} == (
        {"current", "voltage", "aprt_power", "pf", "freq"}
    )


def test_counters_are_those_of_the_meter_in_wh() -> None:
    assert encode(em_data(grid_reading(export_wh=Decimal(1234)))) == (
        b'{"id":0,"a_total_act_energy":12345678.9,"a_total_act_ret_energy":1234.0,"b_total_act_energy":0.0,'
        b'"b_total_act_ret_energy":0.0,"c_total_act_energy":0.0,"c_total_act_ret_energy":0.0,"total_act":12345678.9,'
        b'"total_act_ret":1234.0}'
    )
    assert encode(em1_data(grid_reading(export_wh=None))) == (
        b'{"id":0,"total_act_energy":12345678.9,"total_act_ret_energy":null}'
    )


@given(readings(), st.booleans())
def test_every_number_has_a_decimal_point_and_no_power_is_zero(reading: GridReading, typical: bool) -> None:
    results = (
        em_status(reading, typical=typical),
        em1_status(reading, typical=typical),
        em_data(reading),
        em1_data(reading),
    )
    for body in map(encode, results):
        for name, shown in NUMBER.findall(body.decode()):
            assert name == "id" or re.fullmatch(r"-?\d+\.\d+", shown), (name, shown)
            assert not name.endswith("act_power") or float(shown) != 0
            assert not name.endswith("pf") or 0 <= float(shown) <= 1


@given(readings())
def test_phases_and_total_tell_the_same(reading: GridReading) -> None:
    status = json.loads(encode(em_status(reading, typical=True)))
    total_w = status["total_act_power"]
    assert abs(total_w - float(reading.power_w)) <= 0.00501
    assert abs(total_w - sum(status[f"{phase}_act_power"] for phase in "abc")) <= 0.021
    if not reading.phases_w:
        assert (status["a_act_power"], status["b_act_power"], status["c_act_power"]) == (total_w, 0.001, 0.001)
