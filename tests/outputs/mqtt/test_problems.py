"""When a failed check becomes a problem, and when it has gone."""

from diagnosis.well import facts
from iskra_server.diagnosis.status import run_checks
from iskra_server.outputs.mqtt.problems import APPEARS_AFTER_S, FAULT, GONE_AFTER_S, RECOVERED, LastingProblem

WELL = run_checks(facts())
SILENT = run_checks(facts(data_age_s=61.0))
LOCKED = run_checks(facts(locked=True))


def test_a_source_that_starts_well_has_none_and_tells_nothing() -> None:
    problem = LastingProblem()
    assert (problem.observe(WELL, 0.0), problem.is_on) == (None, False)


def test_it_is_not_decided_until_a_fault_has_lasted() -> None:
    problem = LastingProblem()
    assert (problem.observe(SILENT, 100.0), problem.is_on) == (None, None)
    assert (problem.observe(SILENT, 99.9 + APPEARS_AFTER_S), problem.is_on) == (None, None)
    assert (problem.observe(SILENT, 100.0 + APPEARS_AFTER_S), problem.is_on) == (FAULT, True)
    assert problem.observe(SILENT, 101.0 + APPEARS_AFTER_S) is None


def test_it_has_gone_when_all_has_been_well_for_long_enough() -> None:
    problem = LastingProblem(is_on=True, fails=True)
    assert (problem.observe(WELL, 100.0), problem.is_on) == (None, True)
    assert (problem.observe(SILENT, 110.0), problem.is_on) == (None, True)
    assert (problem.observe(WELL, 120.0), problem.is_on) == (None, True)
    assert (problem.observe(WELL, 120.0 + GONE_AFTER_S), problem.is_on) == (RECOVERED, False)


def test_a_short_fault_is_none() -> None:
    problem = LastingProblem(is_on=False, fails=False)
    for moment in range(0, 200, 10):
        assert problem.observe(SILENT if moment % 20 else WELL, moment) is None
    assert problem.is_on is False


def test_a_locked_meter_is_none() -> None:
    problem = LastingProblem()
    assert LOCKED.failed_check == "unlocked"
    assert (problem.observe(LOCKED, 0.0), problem.is_on) == (None, False)
