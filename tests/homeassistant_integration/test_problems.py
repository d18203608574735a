from typing import Any

from homeassistant_integration.pure import module

problems, model = module("problems"), module("model")


def source(name: str = "auto", fault: str = "well", check: str | None = None, *, ok: bool = True) -> Any:
    return model.Source(name, None, (), "", ok, check, fault, {}, None)


WELL = source()
STALE = source(fault="stale", check="fresh", ok=False)
LOCKED = source(fault="locked", check="unlocked")


def changes(tracker: Any, now_s: float, *sources: Any) -> list[tuple[str, bool]]:
    return [(change.source.fault, change.is_over) for change in tracker.update(sources, now_s)]


def test_a_source_without_a_value_has_a_problem_at_once_until_it_is_well() -> None:
    tracker = problems.Problems()
    assert changes(tracker, 0, WELL) == []
    assert changes(tracker, 1, STALE) == [("stale", False)]
    assert STALE in tracker
    assert changes(tracker, 2, STALE) == []
    assert changes(tracker, 3, WELL) == [("well", True)]
    assert WELL not in tracker


def test_a_check_that_fails_beside_current_values_counts_after_20_s() -> None:
    tracker = problems.Problems()
    changes(tracker, 0, WELL)
    assert changes(tracker, 1, LOCKED) == []
    assert tracker.is_waiting
    assert changes(tracker, 20.9, LOCKED) == []
    assert changes(tracker, 21, LOCKED) == [("locked", False)]
    assert not tracker.is_waiting
    assert changes(tracker, 22, WELL) == [("well", True)]


def test_a_check_that_fails_for_a_moment_is_no_problem() -> None:
    tracker = problems.Problems()
    changes(tracker, 0, WELL)
    assert changes(tracker, 1, LOCKED) == changes(tracker, 2, WELL) == changes(tracker, 30, LOCKED) == []
    assert changes(tracker, 49, LOCKED) == []


def test_another_fault_is_another_event() -> None:
    tracker = problems.Problems()
    changes(tracker, 0, WELL)
    assert changes(tracker, 1, STALE) == [("stale", False)]
    away = source(fault="gone", check="device", ok=False)
    assert changes(tracker, 2, away) == [("gone", False)]


def test_a_problem_that_is_there_at_the_start_is_no_event_but_its_end_is() -> None:
    tracker = problems.Problems()
    assert changes(tracker, 0, STALE) == []
    assert STALE in tracker
    assert changes(tracker, 1, WELL) == [("well", True)]


def test_sources_are_told_apart_and_forgotten() -> None:
    tracker, other = problems.Problems(), source("tcp://x", fault="stale", check="fresh", ok=False)
    changes(tracker, 0, WELL, source("tcp://x"))
    assert changes(tracker, 1, WELL, other) == [("stale", False)]
    assert changes(tracker, 2, WELL) == []
    assert other not in tracker
