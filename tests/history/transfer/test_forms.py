from zoneinfo import ZoneInfo

import pytest

from iskra_server.history.transfer.forms import (
    Form,
    UnknownForm,
    Wanted,
    best_quality,
    counter_readings,
    is_simulated,
    kept,
    recognise,
)
from iskra_server.history.transfer.rows import Bad
from samples import METER_ID

WANTED = Wanted(ZoneInfo("UTC"))
FILES: dict[str, Form] = {
    "time,register,value_wh,quality,epoch\n2026-11-22T10:00:00+01:00,1-0:1.8.0*255,1,measured,0\n": "iskra",
    "# source: volkszaehler.org\n# version: 0.3\n1795338000123;10732309.1;1\n": "vzlogger",
    "1795338000123;10732309.1\n": "vzlogger",
    "statistic_id\tunit\tstart\tstate\tsum\nsensor.x\tkWh\t22.11.2026 09:00\t1\t1\n": "homeassistant",
    '[{"id": "sensor.x", "unit": "kWh", "values": [{"datetime": "22.11.2026 09:00", "state": 1}]}]': "homeassistant",
    "timestamp,kwh\n2026-11-22T10:00:00+01:00,10732.3\n": "kwh",
    "22.11.2026 10:00;10732,3\n": "kwh",
    '"1795338000","10732.3"\n': "kwh",
}


@pytest.mark.parametrize("text", FILES)
def test_a_form_is_recognised_by_its_beginning_and_read(text: str) -> None:
    lines = text.splitlines(keepends=True)
    form = recognise(lines)
    assert form == FILES[text]
    (row,) = kept(lines, METER_ID) if form == "iskra" else counter_readings(form, lines, WANTED)
    assert not isinstance(row, Bad)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("begin,end,import_kwh,quality\n", "holds energy per bucket.*--bucket none"),
        ("Dear landlord,\n", "has no form that is known; name one with --form: iskra, vzlogger"),
    ],
)
def test_what_cannot_be_read_is_refused(text: str, reason: str) -> None:
    with pytest.raises(UnknownForm, match=reason):
        recognise(text.splitlines(keepends=True))


def test_statistics_that_cannot_be_read_are_refused() -> None:
    with pytest.raises(UnknownForm, match="has no column state"):
        list(counter_readings("homeassistant", ["statistic_id,start,delta\n"], WANTED))


def test_an_export_of_a_simulated_meter_says_so() -> None:
    header = "time,register,value_wh,quality,epoch"
    assert is_simulated([f"{header},simulated\n"])
    assert not is_simulated([f"{header}\n"])


def test_the_last_state_of_an_hour_is_not_measured_at_its_end() -> None:
    assert (best_quality("homeassistant"), best_quality("vzlogger")) == ("interpolated", "measured")
