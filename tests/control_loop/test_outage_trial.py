"""No stale value is answered through gaps, restarts and steps of the clock, by any device."""

import pytest

from control_loop.devices import DEVICES, METERS_API
from control_loop.outage_trial import Trial, run


@pytest.mark.slow
def test_no_stale_value_is_answered() -> None:
    trial = Trial((METERS_API, *DEVICES), 60.0, stale_after_s=3.0, longest_gap_s=8.0, fault_every_s=5.0, late_s=2.0)
    outcome = run(trial)
    assert outcome.truth.wrong == []
    assert len(outcome.truth.answers) == trial.clients
    assert outcome.faults.total() > 5
