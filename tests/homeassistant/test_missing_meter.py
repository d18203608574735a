"""A meter that was replaced, or whose counter was reset, while Home Assistant was away: in the real one.

The sensor of the YAML shows whatever meter is read; those by MQTT and of the integration are of one meter each.
"""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from homeassistant.home import TOTAL
from homeassistant.instance import HomeAssistant
from homeassistant.missing import (
    HOUR_S,
    LATE,
    QUARTER_S,
    SOON_S,
    Missing,
    Rows,
    fill_gaps,
    full_hour,
    lacking,
    missing,
    rows,
    undo_files,
    wait_for_hour,
)
from iskra_server.history.model.records import EpochStart, Exact, MeterInfo, QuarterReading, Record
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import IMPORT
from test_docs import ROOT, blocks

pytestmark = pytest.mark.slow
# in quarter-hours: half past two, between the first hour and the hour of return
CHANGE, FIRST, BACK = 10, 0, 4
# what the other counter showed when it came, in 0.1 Wh: a used meter
OTHER = 43_210_000


class Changed(Missing):
    """From the change on, the meter shows `OTHER` and what it counts then; `has_changed` once it hangs on the wall."""

    has_changed = False

    def change(self) -> None:
        """While nobody looks."""

    def imported(self, second: int) -> int:
        if second < self.change_s or not self.has_changed:
            return super().imported(second)
        return OTHER + super().imported(second) - super().imported(self.change_s)

    @property
    def change_s(self) -> int:
        return self.begin_s + CHANGE * QUARTER_S

    def used(self, begin_s: int, end_s: int) -> Decimal:
        """In kWh, by both counters."""
        return Decimal(super().imported(end_s) - super().imported(begin_s)).scaleb(-4)

    def readings(self, first: int, last: int, meter_id: str, epoch: int = 0) -> Iterator[Record]:
        """From one quarter-hour to another, both included."""
        for second in range(self.begin_s + first * QUARTER_S, self.begin_s + last * QUARTER_S + 1, QUARTER_S):
            exact = Exact(self.imported(second), -1)
            yield QuarterReading(meter_id, IMPORT, second // QUARTER_S, exact, "measured", epoch)


class Replaced(Changed):
    """Another meter, which continues the history of the old one (`meters replace`)."""

    def change(self) -> None:
        self.old = self.info()
        self.home.meter.replace(OTHER)

    def write(self, store: Store, hours: int) -> None:
        new = MeterInfo(self.home.meter.label, self.home.meter.server_id, False, self.change_s, self.change_s + HOUR_S)
        self.has_changed = False
        store.write(self.readings(0, CHANGE, self.old.meter_id), [self.old])
        self.has_changed = True
        store.write(self.readings(CHANGE, hours * 4, new.meter_id), [new])
        store.replace_meter(self.old.meter_id, new.meter_id)


class Restarted(Changed):
    """The same meter, whose counter was set to another value."""

    def write(self, store: Store, hours: int) -> None:
        meter_id, before = self.info().meter_id, Exact(Missing.imported(self, self.change_s), -1)
        self.has_changed = False
        store.write(self.readings(0, CHANGE, meter_id), [self.info()])
        self.has_changed = True
        start = EpochStart(meter_id, IMPORT, 1, self.change_s + 1, before, Exact(OTHER, -1))
        store.write([start, *self.readings(CHANGE + 1, hours * 4, meter_id, epoch=1)], [self.info()])


@pytest.fixture(scope="module", params=[Replaced, Restarted], ids=["replaced", "restarted"])
def away(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Changed]:
    """Home Assistant is stopped in the first hour; when it is back, the meter shows something else."""
    if reason := lacking():
        pytest.skip(reason)
    (total,) = blocks(ROOT / "README.md", "yaml")
    folder, begin = tmp_path_factory.mktemp("missing"), full_hour(timedelta(hours=12))
    with missing(folder, begin, total, kind=request.param) as made:
        assert isinstance(made, Changed)
        made.home.shows(made.home.meter.kwh, SOON_S)
        made.home.everywhere(HomeAssistant.stop)
        made.home.stop_server()
        made.change()
        made.has_changed = True
        made.set_clocks(BACK + LATE)
        made.home.start_server()
        made.start(BACK + LATE)
        made.home.shows(made.home.meter.kwh, SOON_S)
        made.end_hour(BACK)
        for assistant in made.home.assistants:
            for sensor in sensors(made, assistant):
                wait_for_hour(assistant, sensor, made.begin_s + BACK * HOUR_S)
        made.record(BACK + 1)
        yield made


def sensors(made: Changed, assistant: HomeAssistant) -> list[str]:
    """Those that showed both counters."""
    own = [made.ours(assistant)] if isinstance(made, Restarted) and assistant.has_ours else []
    return [TOTAL, *own]


def bars(made: Changed, found: Rows, hours: range) -> list[float]:
    """As the Energy dashboard shows them."""
    return [found[made.begin_s + hour * HOUR_S]["change"] for hour in hours]


def test_every_hour_gets_what_both_counters_counted_and_the_sums_behind_it_are_corrected(away: Changed) -> None:
    for assistant in away.home.assistants:
        before = rows(assistant, TOTAL)
        # what this is about: Home Assistant takes what the other counter shows for energy
        assert bars(away, before, range(BACK, BACK + 1))[0] > OTHER / 10_000

        left = away.run(assistant, "--entity", TOTAL)
        assert left.returncode == 1, left.stdout + left.stderr
        assert "more than the meter; --correct-sum fills it" in left.stderr
        assert rows(assistant, TOTAL) == before

        done = away.run(assistant, "--entity", TOTAL, "--correct-sum")
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        after = rows(assistant, TOTAL)
        is_right(away, after, range(FIRST + 1, BACK + 1))
        assert assistant.ask("recorder/validate_statistics") == {}
        again = away.run(assistant, "--entity", TOTAL, "--correct-sum")
        assert (again.returncode, again.stdout) == (0, "There is nothing to fill.\n"), again.stderr

        assert away.run(assistant, "--undo", str(undo_files(away.folder)[-1])).returncode == 0
        assert bars(away, rows(assistant, TOTAL), range(FIRST, BACK + 1)) == pytest.approx(
            bars(away, before, range(FIRST, BACK + 1)), abs=1e-6
        )
        assert away.run(assistant, "--entity", TOTAL, "--correct-sum").returncode == 0
        is_right(away, rows(assistant, TOTAL), range(FIRST + 1, BACK + 1))


def test_the_service_of_the_integration_corrects_the_same(away: Changed) -> None:
    for assistant in away.home.assistants:
        for sensor in set(sensors(away, assistant)) - {TOTAL}:
            before = rows(assistant, sensor)
            (left,) = fill_gaps(assistant, entity_id=[sensor])[sensor]["left"]
            assert "more than the meter" in left
            assert rows(assistant, sensor) == before
            assert fill_gaps(assistant, entity_id=[sensor], correct_sum=True)[sensor]["hours"]
            is_right(away, rows(assistant, sensor), range(FIRST + 1, BACK + 1))
            assert fill_gaps(assistant, entity_id=[sensor], correct_sum=True) == {}


def test_home_assistant_counts_on_from_the_corrected_sum(away: Changed) -> None:
    away.home.everywhere(HomeAssistant.stop)
    away.home.stop_server()
    away.set_clocks(BACK + 1 + LATE)
    away.home.start_server()
    away.start(BACK + 1 + LATE)
    away.end_hour(BACK + 1)
    for assistant in away.home.assistants:
        for sensor in sensors(away, assistant):
            wait_for_hour(assistant, sensor, away.begin_s + (BACK + 1) * HOUR_S)
            is_right(away, rows(assistant, sensor), range(FIRST + 1, BACK + 1))
            (next_bar,) = bars(away, rows(assistant, sensor), range(BACK + 1, BACK + 2))
            # Home Assistant saw the meter ten minutes before the end of both hours
            assert 0 < next_bar < 1


def is_right(away: Changed, found: Rows, hours: range) -> None:
    """The last hour is the one of return: Home Assistant saw its beginning and end at other moments."""
    *whole, last = hours
    for hour in whole:
        end_s = away.begin_s + (hour + 1) * HOUR_S
        used, bar = float(away.used(end_s - HOUR_S, end_s)), found[end_s - HOUR_S]["change"]
        if hour == CHANGE // 4 and isinstance(away, Replaced):
            # nobody knows what was used between the last reading of one meter and the first of the other
            assert 0 < bar < used
        else:
            assert bar == pytest.approx(used, abs=1e-6)
    assert 0 < found[away.begin_s + last * HOUR_S]["change"] < 1
    assert all(second["sum"] >= first["sum"] for first, second in pairwise(found.values()))
