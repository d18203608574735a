from zoneinfo import ZoneInfo

import pytest

from iskra_server.history.transfer.file_rows import BadRow
from iskra_server.history.transfer.formats import (
    FileFormat,
    FormatOptions,
    UnknownFormat,
    best_quality,
    detect_format,
    is_simulated,
    read_counters,
    read_records,
)
from samples import METER_ID

WANTED = FormatOptions(ZoneInfo("UTC"))
FILES: dict[str, FileFormat] = {
    "time,register,value_wh,quality,epoch\n2026-11-22T10:00:00+01:00,1-0:1.8.0*255,1,measured,0\n": "iskra",
    "# source: volkszaehler.org\n# version: 0.3\n1795338000123;10732309.1;1\n": "vzlogger",
    "1795338000123;10732309.1\n": "vzlogger",
    "statistic_id\tunit\tstart\tstate\tsum\nsensor.x\tkWh\t22.11.2026 09:00\t1\t1\n": "homeassistant",
    '[{"id": "sensor.x", "unit": "kWh", "values": [{"datetime": "22.11.2026 09:00", "state": 1}]}]': "homeassistant",
    "timestamp,kwh\n2026-11-22T10:00:00+01:00,10732.3\n": "kwh",
    "22.11.2026 10:00;10732,3\n": "kwh",
    '"1795338000","10732.3"\n': "kwh",
}
MEANT = ("2026-02-30T00:00:00Z,500\n", "timestamp,kwh\n9999-12-31T23:59:59Z,5\n", "Datum;Stand\n01.01.2026;12345\n")


@pytest.mark.parametrize("text", FILES)
def test_a_form_is_recognised_by_its_beginning_and_read(text: str) -> None:
    lines = text.splitlines(keepends=True)
    form = detect_format(lines)
    assert form == FILES[text]
    (row,) = read_records(lines, METER_ID) if form == "iskra" else read_counters(form, lines, WANTED)
    assert not isinstance(row, BadRow)


@pytest.mark.parametrize("text", MEANT)
def test_a_table_whose_times_are_wrong_is_read_and_each_is_named(text: str) -> None:
    lines = text.splitlines(keepends=True)
    assert detect_format(lines) == "kwh"
    (row,) = read_counters("kwh", lines, WANTED)
    assert isinstance(row, BadRow)
    assert "is not a time; expected one like 2026-11-22T10:00:00+01:00" in row.reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("begin,end,import_kwh,quality\n", "holds energy per bucket.*--bucket none"),
        ("begin;end;import_kwh;quality\n", "is for a German Excel.*--format csv"),
        ("time;register;value_wh;quality;epoch\n", "is for a German Excel"),
        ("Dear landlord,\n", "has no known format; name one with --format: iskra, vzlogger"),
    ],
)
def test_a_row_that_cannot_be_read_is_bad(text: str, reason: str) -> None:
    with pytest.raises(UnknownFormat, match=reason):
        detect_format(text.splitlines(keepends=True))


def test_statistics_that_cannot_be_read_are_refused() -> None:
    with pytest.raises(UnknownFormat, match="has no column state"):
        list(read_counters("homeassistant", ["statistic_id,start,delta\n"], WANTED))


def test_an_export_of_a_simulated_meter_says_so() -> None:
    header = "time,register,value_wh,quality,epoch"
    assert is_simulated([f"{header},simulated\n"])
    assert not is_simulated([f"{header}\n"])


def test_the_last_state_of_an_hour_is_not_measured_at_its_end() -> None:
    assert (best_quality("homeassistant"), best_quality("vzlogger")) == ("interpolated", "measured")
