from decimal import Decimal
from typing import Any

import pytest

from homeassistant.recorder import Recorder
from homeassistant.talking import talking
from iskra_server.homeassistant import hourly_statistics
from iskra_server.homeassistant.core_api import connected, websocket_url
from iskra_server.homeassistant.hourly_statistics import StatisticSeries, Values

COUNTER = StatisticSeries("sensor.a", "recorder", None, "kWh", "energy", has_mean=False)
POWER = StatisticSeries("sensor.p", "recorder", None, "W", "power", has_mean=True)
BEGIN = 1_795_600_800


def written(version: str, series: StatisticSeries, rows: dict[int, Values]) -> Recorder:
    recorder = Recorder()
    counts: list[int] = []
    with talking(recorder, version=version) as url, connected(websocket_url(url), "token") as core:
        hourly_statistics.write(core, series, rows, counts.append)
    assert sum(counts) == len(rows)
    return recorder


@pytest.mark.parametrize(
    ("version", "form"),
    [
        ("2024.3.3", {"has_mean": True}),
        ("2025.10.4", {"has_mean": True}),
        ("2025.11.0b3", {"mean_type": 1, "unit_class": "power"}),
        ("2026.11.0", {"mean_type": 1, "unit_class": "power"}),
    ],
)
def test_each_release_gets_its_own_form(version: str, form: dict[str, Any]) -> None:
    common = {
        "has_sum": False,
        "name": None,
        "source": "recorder",
        "statistic_id": "sensor.p",
        "unit_of_measurement": "W",
    }
    power = {name: Decimal(number) for number, name in enumerate(("min", "mean", "max"))}
    assert written(version, POWER, {BEGIN: power}).metadata == [common | form]


def test_many_hours_are_written_in_blocks() -> None:
    rows = {BEGIN + hour * 3600: {"state": Decimal(hour), "sum": Decimal(hour)} for hour in range(2500)}
    assert written("2026.2.3", COUNTER, rows).blocks == [1000, 1000, 500]


def test_an_hour_is_written_in_utc_with_its_last_reset() -> None:
    row = {"state": Decimal("1.1"), "sum": Decimal("2.2"), "last_reset": Decimal(BEGIN * 1000)}
    assert written("2026.2.3", COUNTER, {BEGIN: row}).rows == {
        "2026-11-25T10:00:00+00:00": {
            "start": "2026-11-25T10:00:00+00:00",
            "state": 1.1,
            "sum": 2.2,
            "last_reset": "2026-11-25T10:00:00+00:00",
        }
    }


def test_what_differs_is_found() -> None:
    held = {1: {"sum": Decimal("0.30000000000000004")}, 2: {"sum": Decimal(1)}, 3: {}}
    expected = {1: {"sum": Decimal("0.3")}, 2: {"sum": Decimal("1.1")}, 3: {"sum": Decimal(0)}, 4: {"sum": Decimal(0)}}
    assert hourly_statistics.different(held, expected) == [2, 3, 4]
    assert hourly_statistics.different({5: {}}, {5: {}, 6: {}}) == [6]
