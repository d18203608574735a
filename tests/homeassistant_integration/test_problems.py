from typing import Any

from homeassistant_integration.pure import module
from iskra_server.outputs.mqtt import problems as by_mqtt

problems, model = module("problems"), module("model")


def source(*failed: str, name: str = "auto") -> Any:
    return model.Source(name, None, (), "", not failed, failed, "", {}, None)


WELL, STALE, LOCKED = source(), source("fresh"), source("unlocked")


def changes(tracker: Any, now_s: float, *sources: Any) -> list[bool]:
    """Of each change whether it is the end of a problem."""
    return [change.is_over for change in tracker.update(sources, now_s)]


def test_the_times_are_those_of_mqtt() -> None:
    assert (problems.APPEARS_AFTER_S, problems.GONE_AFTER_S) == (by_mqtt.APPEARS_AFTER_S, by_mqtt.GONE_AFTER_S)


def test_a_check_that_fails_for_20_s_is_a_problem_until_all_pass_for_30_s() -> None:
    tracker = problems.Problems()
    assert changes(tracker, 0, WELL) == []
    assert changes(tracker, 1, STALE) == []
    assert tracker.due_s == 21
    assert changes(tracker, 20.9, STALE) == []
    assert STALE not in tracker
    assert changes(tracker, 21, STALE) == [False]
    assert STALE in tracker
    assert tracker.due_s is None
    assert changes(tracker, 100, STALE) == []
    assert changes(tracker, 101, WELL) == []
    assert tracker.due_s == 131
    assert changes(tracker, 130.9, WELL) == []
    assert changes(tracker, 131, WELL) == [True]
    assert WELL not in tracker


def test_what_comes_and_goes_is_one_problem_or_none() -> None:
    tracker = problems.Problems()
    changes(tracker, 0, WELL)
    for now_s in range(1, 100, 10):
        assert changes(tracker, now_s, STALE) == changes(tracker, now_s + 5, WELL) == []
    changes(tracker, 200, STALE)
    assert changes(tracker, 220, STALE) == [False]
    for now_s in range(221, 320, 10):
        assert changes(tracker, now_s, WELL) == changes(tracker, now_s + 5, STALE) == []


def test_a_locked_meter_is_no_problem_but_one_that_is_stale_too_is() -> None:
    tracker = problems.Problems()
    changes(tracker, 0, LOCKED)
    assert changes(tracker, 100, LOCKED) == []
    changes(tracker, 101, source("unlocked", "fresh"))
    assert changes(tracker, 121, source("unlocked", "fresh")) == [False]


def test_a_problem_that_is_there_at_the_start_is_no_event_but_its_end_is() -> None:
    tracker = problems.Problems()
    assert changes(tracker, 0, STALE) == []
    assert STALE in tracker
    changes(tracker, 1, WELL)
    assert changes(tracker, 31, WELL) == [True]


def test_sources_are_told_apart_and_forgotten() -> None:
    tracker, other = problems.Problems(), source("fresh", name="tcp://x")
    changes(tracker, 0, WELL, source(name="tcp://x"))
    changes(tracker, 1, WELL, other)
    assert changes(tracker, 21, WELL, other) == [False]
    assert WELL not in tracker
    assert changes(tracker, 22, WELL) == []
    assert other not in tracker
