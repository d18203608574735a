from datetime import UTC, datetime

import pytest

from iskra_server.codecs.sml.decoder import SmlDecoder
from iskra_server.meter.identity import family, label
from iskra_server.meter.lock import has_power, is_locked
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading
from iskra_server.meter.status_word import explain
from iskra_server.simulator.household import KWH, State
from iskra_server.simulator.sml_layouts import LAYOUTS, MS2020
from iskra_server.simulator.sml_telegram import plate, telegram

SOME_DAY = int(datetime(2026, 6, 21, 12, tzinfo=UTC).timestamp())


def reading(name: str, phases_w: tuple[int, int, int] = (500, 20, 30)) -> Reading:
    l1, l2, l3 = phases_w
    state = State(SOME_DAY, (l1 * 1000, l2 * 1000, l3 * 1000), 7 * KWH + 360_000, 3 * KWH, 20_000)
    layout = LAYOUTS[name]
    (result,) = SmlDecoder().feed(telegram(layout, plate(layout, 10_000_001), state, 1000, 500))
    assert isinstance(result, Reading)
    return result


def number(reading: Reading, code: str) -> str | None:
    register = reading.get(Obis.parse(code))
    return str(register.value) if register else None


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_is_an_iskra_meter_in_the_state_its_name_says(name: str) -> None:
    told = reading(name)
    assert label(told.server_id) == "1 ISK 00 10000001"
    assert family(told) == ("MT631/MT691" if LAYOUTS[name].generation is MS2020 else "MT175/MT681")
    assert is_locked(told) == name.endswith("-locked")
    assert has_power(told) != name.endswith("-locked")
    assert number(told, "1.8.0") == ("7000" if name.endswith("-locked") else "7000.1")


def test_two_way_meters_count_and_show_what_flows_out() -> None:
    for name in ("MT175", "MT681", "MT631-two-way", "MT691"):
        told = reading(name, (-500, 20, 30))
        assert (number(told, "2.8.0"), number(told, "16.7.0")) == ("3000.0", "-450")
        status = told.get(Obis.parse("1.8.0"))
        assert status and status.status and "exporting" in explain(status.status).flags


def test_one_way_meters_stop_at_zero() -> None:
    for name, code in (("MT175-one-way", "16.7.0"), ("MT631-one-way", "16.7.0"), ("MT681-2012", "15.7.0")):
        told = reading(name, (-500, 20, 30))
        assert (number(told, "2.8.0"), number(told, code)) == (None, "0")


def test_the_meter_of_2012_has_unsigned_phases_under_other_codes() -> None:
    told = reading("MT681-2012", (-500, 20, 700))
    assert [number(told, code) for code in ("21.7.0", "41.7.0", "61.7.0")] == ["0", "20", "700"]


def test_tariffs_add_up_to_the_total() -> None:
    assert [number(reading("MT631-one-way"), f"1.8.{tariff}") for tariff in range(3)] == ["7000.1", "5000.1", "2000.0"]
    assert [number(reading("MT175"), f"1.8.{tariff}") for tariff in range(3)] == ["7000.1", "7000.1", "0.0"]


def test_the_status_word_of_ms2020_names_the_exporting_phase() -> None:
    register = reading("MT631-two-way", (20, -500, 30)).get(Obis.parse("1.8.0"))
    assert register and register.status == 0x001C2904
