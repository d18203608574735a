import json
from zoneinfo import ZoneInfo

import pytest

from iskra_server.history.model.records import Exact
from iskra_server.history.transfer.file_rows import BadRow, CounterReading
from iskra_server.history.transfer.home_assistant_statistics import NotStatistics, read_rows, read_statistics

BERLIN = ZoneInfo("Europe/Berlin")
NINE_US = 1_795_334_400_000_000 + 3_600_000_000
TSV = """statistic_id\tunit\tstart\tstate\tsum
sensor.energy_import\tkWh\t22.11.2026 10:00\t10733,5\t11,2
sensor.energy_import\tkWh\t22.11.2026 09:00\t10732,3091\t10,0
"""


def found(text: str, statistic: str | None = None, unit: None = None) -> list[CounterReading | BadRow]:
    return list(read_statistics(read_rows(text.splitlines(keepends=True)), statistic, unit, BERLIN))


def test_a_state_is_the_reading_at_the_end_of_its_hour() -> None:
    assert found(TSV) == [
        CounterReading(3, NINE_US, Exact(107323091, -1)),
        CounterReading(2, NINE_US + 3_600_000_000, Exact(107335, 2)),
    ]


def test_csv_may_have_more_columns_and_other_times() -> None:
    text = "statistic_id,start,unit,delta,sum,state\nsensor.x,2026-11-22 09:00,Wh,1,2,10732309.1\n"
    assert found(text) == [CounterReading(2, NINE_US, Exact(107323091, -1))]


def test_without_a_unit_it_is_kwh() -> None:
    assert found("statistic_id,start,state,sum\nsensor.x,22.11.2026 09:00,10732.3091,1\n") == [
        CounterReading(2, NINE_US, Exact(107323091, -1))
    ]


def test_json_is_read_with_every_digit() -> None:
    values = '[{"datetime": "22.11.2026 09:00", "state": 10732.309099999999, "sum": 1}]'
    assert found(f'[{{"id": "sensor.x", "unit": "kWh", "values": {values}}}]') == [
        CounterReading(1, NINE_US, Exact(10732309099999999, -9))
    ]


def test_one_of_several_statistics_must_be_named() -> None:
    text = TSV + "sensor.energy_export\tkWh\t22.11.2026 10:00\t5,5\t1,2\n"
    with pytest.raises(NotStatistics, match=r"name one with --statistic: sensor.energy_export, sensor.energy_import$"):
        found(text)
    with pytest.raises(NotStatistics, match=r"holds no statistic sensor\.x, but sensor.energy_export"):
        found(text, "sensor.x")
    assert [row.line for row in found(text, "sensor.energy_export")] == [4]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("statistic_id,start,delta\nsensor.x,22.11.2026 09:00,1\n", "has no column state; export it with"),
        ("statistic_id,start,state\n", "holds no statistics"),
        ("", "has no column statistic_id"),
        ("[1, 2]", "is not an export of import_statistics"),
        ("[", "is not an export of import_statistics"),
    ],
)
def test_what_is_no_export_is_refused(text: str, part: str) -> None:
    with pytest.raises(NotStatistics, match=part):
        found(text)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ("sensor.x,m³,22.11.2026 09:00,1", "'m³' is not a unit of energy"),
        ("sensor.x,kWh,soon,1", "'soon' is not a time"),
        ("sensor.x,kWh,22.11.2026 09:00,", "it has no state"),
        ("sensor.x,kWh", "it has 2 columns instead of 4"),
    ],
)
def test_a_malformed_row_is_named_with_its_line(cells: str, reason: str) -> None:
    good = "sensor.x,kWh,22.11.2026 09:00,1"
    bad, reading = found(f"statistic_id,unit,start,state\n{good}\n{cells}\n")
    assert isinstance(bad, BadRow)
    assert isinstance(reading, CounterReading)
    assert bad.line == 3
    assert reason in bad.reason


def test_a_value_of_json_without_a_time_is_named() -> None:
    values = [{"datetime": "22.11.2026 09:00", "state": 1}, {"state": 1}]
    bad = found(json.dumps([{"id": "sensor.x", "unit": "kWh", "values": values}]))[0]
    assert bad == BadRow(2, "it has no datetime")
