import time

import pytest

from iskra_server import clock
from iskra_server.clock import STEP_S, boottime_s, unseen_s, wall_ahead_s


def test_boot_time_runs_on_and_is_that_of_the_system() -> None:
    first = boottime_s()
    assert first <= boottime_s()
    if hasattr(time, "CLOCK_BOOTTIME"):
        assert boottime_s() == pytest.approx(time.clock_gettime(time.CLOCK_BOOTTIME), abs=5)


@pytest.mark.parametrize(
    ("step_s", "unseen"), [(0.0, 0.0), (STEP_S, 0.0), (STEP_S + 1, STEP_S + 1), (8 * 3600.0, 8 * 3600.0), (-900.0, 0.0)]
)
def test_only_a_step_forward_may_hide_a_pause(step_s: float, unseen: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "boottime_s", lambda: 1000.0)
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0)
    then = wall_ahead_s()
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0 + step_s)
    assert unseen_s(then) == unseen
