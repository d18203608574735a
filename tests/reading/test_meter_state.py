import logging

import pytest

from iskra_server.meter.counter_rules import Violation
from iskra_server.meter.guard import HeldBack
from iskra_server.reading.meter_state import MeterState
from samples import METER_ID, energy, power, reading, sample

OTHER = "1 ISK 00 12345679"


def test_changes_of_the_meter_count_for_ten_minutes() -> None:
    state = MeterState()
    for at_s, meter_id in enumerate((OTHER, OTHER, METER_ID, METER_ID, OTHER, METER_ID)):
        state.normalise(reading(energy(100), meter_id=meter_id), float(at_s))
    assert (state.meter_id, state.previous_meter_id) == (METER_ID, OTHER)
    assert (state.changes(5.0), state.changes(602.5), state.changes(5000.0)) == (3, 2, 0)


def test_a_rejected_register_is_counted_each_time_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    state = MeterState()
    with caplog.at_level(logging.INFO):
        for at_s in range(3):
            state.normalise(reading(energy(100), energy(99)), float(at_s))
    assert state.rejected_registers == 3
    assert [record.message for record in caplog.records] == [
        f"{METER_ID}: a value of register 1-0:1.8.0 is left out: sent twice with different values"
    ]


def test_a_counter_that_is_left_out_is_counted_with_the_telegrams_that_have_it() -> None:
    state = MeterState()
    state.normalise(reading(energy(-1)), 0.0)
    left_out = (Violation(energy(-1), energy(0), 0.0, is_decrease=True),)
    for at_s in range(3):
        state.note_result(sample(energy(-1), at_s=at_s), left_out)
        # another list of the meter
        state.note_result(sample(power(7), at_s=at_s + 0.5), left_out)
        assert state.violation and state.violation.register == "1-0:1.8.0"
    assert state.rejected_registers == 3


def test_readings_that_are_held_back_are_logged_once_until_they_are_not_for_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    state = MeterState()
    state.normalise(reading(energy(100)), 0.0)
    violation = Violation(energy(1), energy(100), 0.0, is_decrease=True)
    with caplog.at_level(logging.INFO):
        for at_s in range(0, 100, 2):
            state.note_result(HeldBack(sample(energy(1), at_s=float(at_s)), violation))
            assert state.violation and state.violation.value == "0.1"
            state.note_result(sample(energy(100), at_s=at_s + 1.0))
            assert state.violation is None
        state.note_result(sample(energy(100), at_s=157.0))
        state.note_result(sample(energy(100), at_s=158.0))
    assert [record.message for record in caplog.records] == [
        f"{METER_ID}: reading held back: 1-0:1.8.0 went back from 10.0 to 0.1",
        f"{METER_ID}: readings are published again (epoch 0)",
    ]
