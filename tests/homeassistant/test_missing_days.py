"""Longer outages in the real Home Assistant: three days over a change of the clocks, and a meter that was replaced."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from homeassistant.entities import are_unavailable, grid, unique_id
from homeassistant.instance import HomeAssistant
from homeassistant.missing import HOUR_S, LATE, SOON_S, Missing, lacking, missing, rows, undo_files, wait_for_hour
from homeassistant.release import numbers

pytestmark = pytest.mark.slow
BERLIN = ZoneInfo("Europe/Berlin")
# the meter was read a day before Home Assistant came, and the outage lasts three days
FIRST, BACK = 24, 24 + 73
# a run for each five minutes of three days, of 25 ms of a processor in 2026.11; a busy machine needs 0.6 s for one
CATCHES_UP_S = 1200.0


def last_change() -> datetime:
    """The last full hour, at least five days ago, at which the clocks changed in Berlin."""
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=5)
    while hour.astimezone(BERLIN).utcoffset() == (hour - timedelta(hours=1)).astimezone(BERLIN).utcoffset():
        hour -= timedelta(hours=1)
    return hour


@pytest.fixture(scope="module")
def away(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Missing]:
    """The server is gone for three days while Home Assistant runs, which is restarted when it is back."""
    if reason := lacking():
        pytest.skip(reason)
    begin = last_change() - timedelta(hours=FIRST + 30)
    with missing(tmp_path_factory.mktemp("missing"), begin, first=FIRST) as made:
        made.home.stop_server()
        are_unavailable(made.home, SOON_S)
        made.home.everywhere(HomeAssistant.stop)
        made.set_clocks(BACK + LATE)
        made.home.start_server()
        made.start(BACK + LATE)
        made.end_hour(BACK)
        for assistant in made.home.assistants:
            wait_for_hour(assistant, counter(made, assistant), made.begin_s + BACK * HOUR_S, CATCHES_UP_S)
        made.record(BACK + 1)
        yield made


def counter(made: Missing, assistant: HomeAssistant) -> str:
    return assistant.entities("mqtt")[unique_id(made.home, "energy_import")]


def days(assistant: HomeAssistant, statistic: str) -> dict[str, float]:
    """The bars of the Energy dashboard for days, by local date."""
    found = rows(assistant, statistic, "day")
    return {f"{datetime.fromtimestamp(start_s, BERLIN):%Y-%m-%d}": row["change"] for start_s, row in found.items()}


def test_three_days_over_a_change_of_the_clocks(away: Missing) -> None:
    for assistant in away.home.assistants:
        sensor = counter(away, assistant)
        before = rows(assistant, sensor)
        starts = [away.begin_s + hour * HOUR_S for hour in range(FIRST, BACK + 1)]
        # while a sensor is unavailable, no hour is written
        assert list(before) == [starts[0], starts[-1]]
        assert len(days(assistant, sensor)) == 2

        done = away.run(assistant)
        assert (done.returncode, done.stderr) == (0, "")
        after = rows(assistant, sensor)
        assert list(after) == starts
        assert [after[starts[-1]][name] for name in ("state", "sum")] == [
            before[starts[-1]][name] for name in ("state", "sum")
        ]
        for first, second in pairwise(starts[:-1]):
            used = away.kwh(second + HOUR_S) - away.kwh(first + HOUR_S)
            assert after[second]["change"] == pytest.approx(float(used), abs=1e-9)
        # whole local days, one of which has 23 or 25 hours
        _, *whole, _ = days(assistant, sensor).items()
        assert len(whole) == 2
        for day, change in whole:
            midnight = datetime.fromisoformat(day).replace(tzinfo=BERLIN)
            begin_s, end_s = (int((midnight + timedelta(days=count)).timestamp()) for count in (0, 1))
            assert change == pytest.approx(float(away.kwh(end_s) - away.kwh(begin_s)), abs=1e-9)
        lengths = {
            int((datetime.fromisoformat(day).replace(tzinfo=BERLIN) + timedelta(days=count)).timestamp()) // HOUR_S
            for day, _ in whole
            for count in (0, 1)
        }
        assert {second - first for first, second in pairwise(sorted(lengths))} - {24} in ({23}, {25})

        assert away.run(assistant).stdout == "There is nothing to fill.\n"
        assert away.run(assistant, "--undo", str(undo_files(away.folder)[-1])).returncode == 0
        undone = rows(assistant, sensor)
        # no hour can be deleted: what was missing stands still, and shows the same bars
        assert {start_s: row for start_s, row in undone.items() if row["change"]} == {
            start_s: row for start_s, row in before.items() if row["change"]
        }
        assert away.run(assistant).returncode == 0
        assert rows(assistant, sensor) == after


def test_the_time_before_the_sensor_is_a_statistic_of_its_own(away: Missing) -> None:
    for assistant in away.home.assistants:
        sensor = counter(away, assistant)
        assert away.run(assistant).returncode == 0
        before = rows(assistant, sensor)
        done = away.run(assistant, "--external")
        assert (done.returncode, done.stderr) == (0, "")
        statistic = f"iskra_server:{away.home.meter.id}_energy_import"
        earlier = rows(assistant, statistic)
        assert rows(assistant, sensor) == before
        assert all(row["change"] >= 0 for row in earlier.values())
        # both together are all that was used since the meter is read
        total = Decimal(str(list(earlier.values())[-1]["sum"])) + Decimal(str(list(before.values())[-1]["sum"]))
        last = list(before.values())[-1]["state"]
        assert total == pytest.approx(Decimal(str(last)) - away.kwh(away.begin_s), abs=Decimal("1e-9"))
        assistant.ask("energy/save_prefs", energy_sources=grid(assistant, sensor, statistic))
        assert not any(assistant.ask("energy/validate")["energy_sources"])
        assert away.run(assistant, "--external").stdout == "There is nothing to fill.\n"
        assert away.run(assistant, "--undo", str(undo_files(away.folder)[-1])).returncode == 0
        assert rows(assistant, statistic) == {}


def test_years_written_into_the_sensor_itself_would_be_a_negative_bar(away: Missing) -> None:
    """Why they are not: Home Assistant goes on from its five-minute rows, which no import writes."""
    assistant = away.home.assistants[-1]
    sensor = counter(away, assistant)
    first_s = next(iter(rows(assistant, sensor)))
    start = datetime.fromtimestamp(first_s - HOUR_S, UTC).isoformat()
    is_new = numbers(assistant.version) >= (2025, 11)
    form: dict[str, object] = {"mean_type": 0, "unit_class": "energy"} if is_new else {"has_mean": False}
    about = {"source": "recorder", "statistic_id": sensor, "name": None, "unit_of_measurement": "kWh", "has_sum": True}
    assistant.ask(
        "recorder/import_statistics",
        metadata=about | form,
        stats=[{"start": start, "state": 12000.0, "sum": 1000.0}],
    )
    wait_for_hour(assistant, sensor, first_s - HOUR_S)
    assert rows(assistant, sensor)[first_s]["change"] == pytest.approx(-1000, abs=1)


def test_a_wrong_token_is_one_sentence(away: Missing) -> None:
    (assistant, *_) = away.home.assistants
    token = away.folder / f"token-{assistant.version}"
    kept = token.read_text()
    token.write_text("wrong")
    done = away.run(assistant)
    token.write_text(kept)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "refuses the token" in done.stderr
