import pytest

from iskra_server.meter.arrival import BURST_S, Arrivals
from iskra_server.meter.reading import Reading
from samples import energy, reading

OTHER = "1 ISK 00 87654321"


def told(seconds: int | None, meter_id: str = "1 ISK 00 12345678") -> Reading:
    return reading(energy(1), seconds=seconds, meter_id=meter_id)


def well(until_s: int = 20, *, begin: int = 1000) -> Arrivals:
    """A telegram a second, each in time."""
    arrivals = Arrivals()
    for second in range(until_s):
        arrivals.delay_s(told(begin + second), float(second))
    return arrivals


def test_what_comes_in_time_has_not_waited() -> None:
    arrivals = well()
    assert [arrivals.delay_s(told(1020 + k), 20.0 + k) for k in range(5)] == [(0.0, True)] * 5


def test_each_telegram_of_a_burst_is_dated_by_the_meter_itself() -> None:
    """Nothing was read for fifty seconds; then everything is there at once."""
    arrivals = well(20)
    found = [arrivals.delay_s(told(1020 + k), 70.0, 20.0) for k in range(50)]
    assert [round(delay_s) for delay_s, _ in found[:47]] == [50 - k for k in range(47)]
    assert all(is_known for _, is_known in found)
    # what is younger than the slack counts as in time
    assert [delay_s for delay_s, _ in found[47:]] == [0.0] * 3
    assert arrivals.delay_s(told(1071), 71.0) == (0.0, True)


def test_a_bridge_that_held_them_back_is_found_out_without_a_frozen_process() -> None:
    arrivals = well(20)
    assert arrivals.delay_s(told(1020), 60.0) == (40.0, True)
    assert arrivals.delay_s(told(1060), 60.1) == (0.0, True)


def test_telegrams_that_were_lost_have_not_waited() -> None:
    arrivals = well(20)
    assert arrivals.delay_s(told(1100), 100.0) == (0.0, True)


def test_a_clock_of_a_meter_that_was_set_back_is_no_burst_for_long() -> None:
    arrivals = well(100)
    delays = [arrivals.delay_s(told(1100 + k), 120.0 + k)[0] for k in range(40)]
    assert delays[0] == 20.0
    assert [second for second, delay_s in enumerate(delays) if delay_s] == list(range(int(BURST_S) + 1))


@pytest.mark.parametrize("every", [0, 3])
def test_seconds_that_do_not_run_as_time_does_are_not_heard(every: int) -> None:
    """A meter that always sends the same number, or counts something else."""
    arrivals = Arrivals()
    for second in range(60):
        assert arrivals.delay_s(told(1000 + every * second), float(second))[0] == 0.0
    assert arrivals.delay_s(told(1000 + every * 60), 80.0)[0] == 0.0
    assert arrivals.delay_s(told(1000 + every * 61), 180.0, 81.0) == (99.0, False)


@pytest.mark.parametrize(("every", "step"), [(4, 10), (10, 15), (15, 60)])
def test_seconds_that_move_in_steps_do_not_make_what_comes_in_time_late(every: int, step: int) -> None:
    arrivals = Arrivals()
    for second in range(0, 1800, every):
        assert arrivals.delay_s(told(second // step * step), float(second))[0] == 0.0


def test_a_meter_that_begins_anew_is_learned_anew() -> None:
    arrivals = well(20)
    assert arrivals.delay_s(told(5), 20.0) == (0.0, True)
    assert arrivals.delay_s(told(7, OTHER), 21.0) == (0.0, True)


def test_without_the_seconds_of_a_meter_nobody_knows_how_long_it_waited() -> None:
    arrivals = Arrivals()
    assert arrivals.delay_s(told(None), 10.0) == (0.0, True)
    assert arrivals.delay_s(told(None), 60.0, 15.0) == (45.0, False)
