import errno
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from homeassistant.recorder import Recorder
from homeassistant.talking import running, talking
from iskra_server.homeassistant import backfill, hourly_statistics
from iskra_server.homeassistant.backfill import Period, bars, plan_earlier, plan_energy, plan_power
from iskra_server.homeassistant.core_api import CoreApi, CoreError, connected, websocket_url
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


HOURS = 8


class Killed(Exception):
    """The process ends here."""


def replaced() -> dict[str, Any]:
    """As `answer`; the meter was replaced after two hours by one that began at 0."""
    found = answer(HOURS)
    column = found["counters"][0]
    column["total_wh"] = column["shown_wh"]
    column["shown_wh"] = [*column["total_wh"][:8], *(wh - column["total_wh"][8] for wh in column["total_wh"][8:])]
    return found


# Home Assistant counts what the new meter showed
REPLACED = held((0, "100.4", "7"), (3, "0.8", "7.8"), (4, "1.2", "8.2"))
# and has missed the end of the hour behind, and two more
REPLACED_AND_AGAIN_AWAY = held((0, "100.4", "7"), (3, "0.75", "7.75"), (6, "2", "9"), (7, "2.4", "9.4"))


def recorder_with(rows: dict[int, Values]) -> Recorder:
    recorder = Recorder()
    for start_s, values in rows.items():
        start = datetime.fromtimestamp(start_s, UTC).isoformat()
        recorder.rows[start] = {"start": start, **{name: float(value) for name, value in values.items()}}
    return recorder


def killed_before(command: str) -> Callable[..., Any]:
    """As `CoreApi.ask`, in a run that ends when it would send this command."""
    ask = CoreApi.ask

    def sent(core: CoreApi, asked: str, **content: Any) -> Any:
        if asked == command:
            raise Killed
        return ask(core, asked, **content)

    return sent


def sums(recorder: Recorder) -> dict[int, float]:
    return {int(datetime.fromisoformat(start).timestamp()): row["sum"] for start, row in recorder.rows.items()}


@pytest.mark.parametrize("command", ["recorder/adjust_sum_statistics", "recorder/import_statistics", "none"])
@pytest.mark.parametrize("rows", [REPLACED, REPLACED_AND_AGAIN_AWAY])
def test_undo_takes_back_what_was_added_and_nothing_twice(
    rows: dict[int, Values], command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder, file = recorder_with(rows), tmp_path / "undo.json"
    plan = plan_energy(SENSOR, rows, [replaced()], ALL)
    assert plan.corrections
    with talking(recorder) as url, connected(websocket_url(url), "token") as core:
        backfill.write_undo(file, core, [plan])
        with monkeypatch.context() as patch:
            patch.setattr(CoreApi, "ask", killed_before(command))
            with pytest.raises(Killed) if command != "none" else nullcontext():
                backfill.carry_out(core, plan, lambda _: None)
        for _ in range(2):
            backfill.undo(core, backfill.read_undo(file), lambda _: None)
            found = sums(recorder)
            assert [found[start_s] for start_s in rows] == pytest.approx([float(row["sum"]) for row in rows.values()])


def test_a_gap_behind_a_replaced_meter_is_filled_with_the_corrected_sums() -> None:
    recorder = recorder_with(REPLACED_AND_AGAIN_AWAY)
    plan = plan_energy(SENSOR, REPLACED_AND_AGAIN_AWAY, [replaced()], ALL)
    with talking(recorder) as url, connected(websocket_url(url), "token") as core:
        backfill.carry_out(core, plan, lambda _: None)
        held_now = hourly_statistics.read(core, plan.series)
    # 0.4 kWh in each hour, whatever was shown
    expected = dict.fromkeys(sorted(held_now)[1:], pytest.approx(Decimal("0.4"), abs=Decimal("1e-9")))
    found = bars(held_now, {})
    assert {start_s: found[start_s] for start_s in expected} == expected
    assert len(expected) == HOURS - 1
    shown = bars(backfill.corrected(plan), plan.new)
    assert {start_s: shown[start_s] for start_s in expected} == expected
    again = plan_energy(SENSOR, held_now, [replaced()], ALL)
    assert (again.new, again.corrections, again.refusals) == ({}, {}, [])


def test_a_second_run_at_the_same_time_corrects_nothing_twice() -> None:
    recorder = recorder_with(REPLACED)
    plans = [plan_energy(SENSOR, REPLACED, [replaced()], ALL) for _ in range(2)]
    with talking(recorder) as url, connected(websocket_url(url), "token") as core:
        backfill.carry_out(core, plans[0], lambda _: None)
        after = {start: dict(row) for start, row in recorder.rows.items()}
        with pytest.raises(CoreError, match="run the command again"):
            backfill.carry_out(core, plans[1], lambda _: None)
    assert recorder.rows == after


def test_sums_that_a_later_run_has_changed_are_left_alone(tmp_path: Path) -> None:
    recorder, file = recorder_with(REPLACED), tmp_path / "undo.json"
    plan = plan_energy(SENSOR, REPLACED, [replaced()], ALL)
    with talking(recorder) as url, connected(websocket_url(url), "token") as core:
        backfill.write_undo(file, core, [plan])
        backfill.carry_out(core, plan, lambda _: None)
        for row in recorder.rows.values():
            row["sum"] += 5
        with pytest.raises(CoreError, match="undo what was written later first"):
            backfill.undo(core, backfill.read_undo(file), lambda _: None)


def test_a_full_disk_leaves_no_half_undo_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    plan, file = plan_energy(SENSOR, GAP, [answer(4)], ALL), tmp_path / "undo.json"
    with (
        talking(running) as url,
        pytest.raises(OSError, match="No space left") as raised,
        connected(websocket_url(url), "token") as core,
    ):
        backfill.write_undo(file, core, [plan])
    assert (raised.value.filename, file.exists()) == (str(file), False)
