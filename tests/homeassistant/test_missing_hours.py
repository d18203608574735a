"""The hours that a Home Assistant missed, written by the command into the real one."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

import pytest

from homeassistant.entities import unique_id
from homeassistant.instance import HomeAssistant
from homeassistant.missing import (
    HOUR_S,
    LATE,
    Missing,
    fill_gaps,
    full_hour,
    lacking,
    missing,
    rows,
    undo_files,
    wait_for_hour,
)

# in a home of its own: the clocks of the package's home only go forward, and the server has recorded the past
pytestmark = pytest.mark.slow
FIRST, BACK = 0, 4
LOST = (1, 2, 3)


@pytest.fixture(scope="module")
def away(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Missing]:
    """Stopped in the first hour, back four hours later: the usual way to lose hours."""
    if reason := lacking():
        pytest.skip(reason)
    with missing(tmp_path_factory.mktemp("missing"), full_hour(timedelta(hours=8))) as made:
        made.home.everywhere(HomeAssistant.stop)
        made.start(BACK + LATE)
        made.end_hour(BACK)
        for assistant in made.home.assistants:
            ours = (made.ours(assistant),) if assistant.has_ours else ()
            for sensor in (entity(made, assistant, "energy_import"), entity(made, assistant, "power"), *ours):
                wait_for_hour(assistant, sensor, made.begin_s + BACK * HOUR_S)
        made.record(BACK + 1)
        yield made


def entity(made: Missing, assistant: HomeAssistant, name: str) -> str:
    return assistant.entities("mqtt")[unique_id(made.home, name)]


def test_the_service_of_the_integration_writes_the_same(away: Missing) -> None:
    with_ours = [assistant for assistant in away.home.assistants if assistant.has_ours]
    assert with_ours
    for assistant in with_ours:
        sensor = away.ours(assistant)
        before = rows(assistant, sensor)
        told = fill_gaps(assistant, entity_id=[sensor], dry_run=True)[sensor]
        assert [hour["after"]["state"] for hour in told["hours"]] == [
            float(away.kwh(away.begin_s + (hour + 1) * HOUR_S)) for hour in (FIRST, *LOST)
        ]
        assert (told["left"], rows(assistant, sensor)) == ([], before)
        assert fill_gaps(assistant, entity_id=[sensor]) == {sensor: told}
        after = rows(assistant, sensor)
        assert [after[away.begin_s + hour * HOUR_S]["state"] for hour in (FIRST, *LOST)] == [
            hour["after"]["state"] for hour in told["hours"]
        ]
        last = away.begin_s + BACK * HOUR_S
        assert [after[last][name] for name in ("state", "sum")] == [before[last][name] for name in ("state", "sum")]

        # the button writes what is left, of all sensors
        power = away.ours(assistant, "power")
        assert powers(away, assistant, power) != [away.watts(hour) for hour in LOST]
        assistant.post("/api/services/button/press", {"entity_id": away.button(assistant)})
        assert powers(away, assistant, power) == [pytest.approx(away.watts(hour)) for hour in LOST]
        assert rows(assistant, sensor) == after
        assert fill_gaps(assistant) == {}


def powers(away: Missing, assistant: HomeAssistant, power: str) -> list[dict[str, float]]:
    """In the lost hours."""
    found = rows(assistant, power)
    return [{key: found[away.begin_s + hour * HOUR_S][key] for key in ("min", "mean", "max")} for hour in LOST]


def test_the_service_says_why_the_server_tells_nothing(away: Missing) -> None:
    with_ours = [assistant for assistant in away.home.assistants if assistant.has_ours]
    away.home.stop_server()
    away.home.start_server(HISTORY_ENABLED="false", DATA_DIR=str(away.data))
    for assistant in with_ours:
        with pytest.raises(AssertionError, match=r"[Hh]istory"):
            fill_gaps(assistant)
    away.home.stop_server()
    away.home.start_server(HISTORY_ENABLED="true", DATA_DIR=str(away.data))


def test_every_hour_gets_its_own_energy_and_the_sum_at_the_end_stays(away: Missing) -> None:
    for assistant in away.home.assistants:
        counter, power = (entity(away, assistant, name) for name in ("energy_import", "power"))
        before, before_power = rows(assistant, counter), rows(assistant, power)
        at = [away.begin_s + hour * HOUR_S for hour in (FIRST, *LOST, BACK)]
        # what this is about: one tall bar
        assert [before[start_s]["change"] for start_s in at[1:-1]] == [0, 0, 0]

        shown = away.run(assistant, "--dry-run")
        assert (shown.returncode, shown.stderr) == (0, "")
        assert f"{counter}: 4 hours" in shown.stdout
        assert rows(assistant, counter) == before

        done = away.run(assistant)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        after = rows(assistant, counter)
        assert after.keys() == before.keys()
        # to the last digit
        assert {key: after[at[-1]][key] for key in ("state", "sum")} == {
            key: before[at[-1]][key] for key in ("state", "sum")
        }
        for start_s in at[:-1]:
            assert after[start_s]["state"] == float(away.kwh(start_s + HOUR_S))
        for first, second in pairwise(at[:-1]):
            used = away.kwh(second + HOUR_S) - away.kwh(first + HOUR_S)
            assert after[second]["change"] == pytest.approx(float(used), abs=1e-9)
        assert assistant.ask("recorder/validate_statistics") == {}
        assert powers(away, assistant, power) == [pytest.approx(away.watts(hour)) for hour in LOST]

        again = away.run(assistant)
        assert (again.returncode, again.stdout) == (0, "There is nothing to fill.\n")

        file = undo_files(away.folder)[-1]
        assert file.stat().st_mode & 0o777 == 0o600
        undone = away.run(assistant, "--undo", str(file))
        assert undone.returncode == 0, undone.stderr
        assert rows(assistant, counter) == before
        assert rows(assistant, power) == before_power
        # and filled again, for who looks at it afterwards
        assert away.run(assistant).returncode == 0
        assert rows(assistant, counter) == after
