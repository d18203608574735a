from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from homeassistant.talking import running, talking
from iskra_server.homeassistant import backfill
from iskra_server.homeassistant.backfill import Period, bars, plan_earlier, plan_energy, plan_power
from iskra_server.homeassistant.core_api import connected, websocket_url
from iskra_server.homeassistant.hourly_statistics import Values
from iskra_server.homeassistant.our_sensors import OurSensor

BEGIN = 1_795_600_800
HOUR_S = 3600
SENSOR = OurSensor("sensor.a", "1isk0012345678", "energy_import", "energy", "kWh", "energy", None)
POWER = OurSensor("sensor.p", "1isk0012345678", "power", "power", "kW", "power", None)
ALL = Period(0, 2**40)


def answer(hours: int, quarter_wh: int = 100) -> dict[str, Any]:
    """The server's route `counters`: from 100 kWh on, 100 Wh and 400 W in every quarter-hour."""
    quarters = hours * 4
    shown = [100_000 + place * quarter_wh for place in range(quarters + 1)]
    power = {"min_w": [300] * quarters, "mean_w": [Decimal("400.0")] * quarters, "max_w": [500] * quarters}
    columns = [{"name": "energy_import", "obis": "1-0:1.8.0*255", "shown_wh": shown}]
    return {"meter": "1 ISK 00 12345678", "begin": "2026-11-25T10:00:00+00:00", "counters": columns, "power": power}


def held(*rows: tuple[int, str, str]) -> dict[int, Values]:
    return {BEGIN + hour * HOUR_S: {"state": Decimal(state), "sum": Decimal(total)} for hour, state, total in rows}


GAP = held((0, "100.4", "7"), (3, "101.6", "8.2"))


def test_missing_hours_of_a_counter() -> None:
    plan = plan_energy(SENSOR, GAP, [answer(4)], ALL)
    assert plan.new == held((1, "100.8", "7.4"), (2, "101.2", "7.8"))
    assert bars(plan.held, plan.new) == {
        BEGIN: 7,
        **{BEGIN + hour * HOUR_S: Decimal("0.4") for hour in (1, 2, 3)},
    }


def test_a_gap_counts_if_it_reaches_into_the_period() -> None:
    for period, count in (((1, 2), 2), ((2, 9), 2), ((-5, 1), 2), ((-5, 0), 0), ((4, 9), 0)):
        begin, end = (BEGIN + hour * HOUR_S for hour in period)
        assert len(plan_energy(SENSOR, GAP, [answer(4)], Period(begin, end)).new) == count


def test_the_reset_of_a_sensor_is_kept() -> None:
    reset = {BEGIN: GAP[BEGIN] | {"last_reset": Decimal(5)}, BEGIN + 3 * HOUR_S: GAP[BEGIN + 3 * HOUR_S]}
    assert plan_energy(SENSOR, reset, [answer(4)], ALL).new[BEGIN + HOUR_S]["last_reset"] == 5


def test_a_meter_without_this_counter_changes_nothing() -> None:
    export = OurSensor("sensor.e", None, "energy_export", "energy", "kWh", "energy", None)
    assert plan_energy(export, GAP, [answer(4)], ALL).new == {}
    assert plan_energy(SENSOR, GAP, [], ALL).new == {}


def test_missing_hours_of_power_in_its_own_unit() -> None:
    row = {"min": Decimal("0.3"), "mean": Decimal("0.4"), "max": Decimal("0.5")}
    plan = plan_power(POWER, {BEGIN: row, BEGIN + 2 * HOUR_S: row}, [answer(4)], ALL)
    assert plan.new == {BEGIN + HOUR_S: row}


def test_years_before_a_sensor_get_an_id_of_their_own() -> None:
    sensor_held = held((2, "101.2", "0.1"))
    plan = plan_earlier(SENSOR, "1 ISK 00 12345678", sensor_held, {}, [answer(4)])
    assert (plan.series.id, plan.series.source) == ("iskra_server:1isk0012345678_energy_import", "iskra_server")
    assert plan.new == held((-1, "100", "0"), (0, "100.4", "0.4"), (1, "100.8", "0.8"), (2, "101.1", "1.1"))
    # and once more: nothing
    assert plan_earlier(SENSOR, "1 ISK 00 12345678", sensor_held, plan.new, [answer(4)]).new == {}


def test_the_undo_file_is_for_its_owner_alone_and_never_overwritten(tmp_path: Path) -> None:
    plan, file = plan_energy(SENSOR, GAP, [answer(4)], ALL), tmp_path / "undo.json"
    with talking(running) as url, connected(websocket_url(url), "token") as core:
        backfill.write_undo(file, core, [plan])
        with pytest.raises(FileExistsError):
            backfill.write_undo(file, core, [plan])
    assert file.stat().st_mode & 0o777 == 0o600
    (undo,) = backfill.read_undo(file).undo
    # they were missing: they stand still
    assert undo.rows == held((1, "100.4", "7"), (2, "100.4", "7"))
    file.write_text("{}")
    with pytest.raises(ValueError, match="is not an undo file"):
        backfill.read_undo(file)
