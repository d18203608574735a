"""A broker that is away for hours while Home Assistant runs: what sensors by MQTT get then; and it is filled."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

import pytest

from homeassistant.entities import BY_MQTT, are_unavailable, unique_id
from homeassistant.instance import HomeAssistant
from homeassistant.missing import HOUR_S, LATE, SOON_S, Missing, full_hour, lacking, missing, rows, wait_for_hour

pytestmark = pytest.mark.slow
FIRST, BACK = 0, 3


@pytest.fixture(scope="module")
def away(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Missing]:
    """Home Assistant is restarted when the broker is back: its clock cannot be set while it runs."""
    if reason := lacking():
        pytest.skip(reason)
    with missing(tmp_path_factory.mktemp("missing"), full_hour(timedelta(hours=8))) as made:
        made.home.broker.kill()
        are_unavailable(made.home, SOON_S, BY_MQTT)
        made.home.everywhere(HomeAssistant.stop)
        made.home.broker.start()
        made.start(BACK + LATE)
        made.end_hour(BACK)
        for assistant in made.home.assistants:
            wait_for_hour(assistant, counter(made, assistant), made.begin_s + BACK * HOUR_S)
        made.record(BACK + 1)
        yield made


def counter(made: Missing, assistant: HomeAssistant) -> str:
    return assistant.entities(BY_MQTT)[unique_id(made.home, "energy_import")]


def test_no_hour_is_written_while_the_broker_is_away_and_all_are_filled(away: Missing) -> None:
    starts = [away.begin_s + hour * HOUR_S for hour in range(FIRST, BACK + 1)]
    for assistant in away.home.assistants:
        sensor = counter(away, assistant)
        before = rows(assistant, sensor)
        assert list(before) == [starts[0], starts[-1]]
        done = away.run(assistant, "--entity", sensor)
        assert (done.returncode, done.stderr) == (0, "")
        after = rows(assistant, sensor)
        assert list(after) == starts
        for first, second in pairwise(starts[:-1]):
            used = away.kwh(second + HOUR_S) - away.kwh(first + HOUR_S)
            assert after[second]["change"] == pytest.approx(float(used), abs=1e-9)
        assert [after[starts[-1]][name] for name in ("state", "sum")] == [
            before[starts[-1]][name] for name in ("state", "sum")
        ]
