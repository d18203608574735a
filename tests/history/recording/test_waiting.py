from datetime import timedelta
from itertools import pairwise

from history.model.test_ledger import at
from iskra_server.history.recording.waiting import EVERY_S, MOST, WaitingSamples
from samples import START, energy, sample

LATER = START + timedelta(days=900)


def test_of_a_clock_that_is_believed_the_first_and_the_last_of_each_quarter_wait() -> None:
    waiting = WaitingSamples()
    for second in range(0, 1800, 10):
        waiting.add(at(second, energy(second)), is_believed=True)
    assert [each.monotonic_s for each in waiting.samples()] == [0, 890, 900, 1790]
    assert [each.received_at for each in waiting.take(LATER, 5e9)] == [
        START + timedelta(seconds=second) for second in (0, 890, 900, 1790)
    ]
    assert not waiting


def test_of_a_clock_in_doubt_one_in_half_a_minute_waits_and_is_placed_by_boot_time() -> None:
    waiting = WaitingSamples()
    for second in range(0, 301, 1):
        waiting.add(at(second, energy(second), clock_s=-5e8), is_believed=False)
    moments = [each.monotonic_s for each in waiting.samples()]
    assert moments[-1] == 300
    assert all(after - before <= EVERY_S for before, after in pairwise(moments))
    assert len(moments) < 15
    placed = waiting.take(LATER, START.timestamp())
    assert [each.received_at for each in placed] == [START + timedelta(seconds=second) for second in moments]


def test_what_was_believed_and_lies_in_the_future_is_placed_by_boot_time_too() -> None:
    waiting = WaitingSamples()
    waiting.add(at(10, energy(1), clock_s=5e7), is_believed=True)
    (placed,) = waiting.take(START, START.timestamp())
    assert placed.received_at == START + timedelta(seconds=10)


def test_when_there_are_too_many_they_become_rarer_and_the_first_and_the_last_stay() -> None:
    waiting = WaitingSamples()
    for count in range(2 * MOST):
        waiting.add(at(count * EVERY_S, energy(count)), is_believed=False)
    kept = waiting.samples()
    assert len(kept) <= MOST
    assert (kept[0].monotonic_s, kept[-1].monotonic_s) == (0, (2 * MOST - 1) * EVERY_S)


def test_what_nobody_can_place_any_more_is_dropped_and_counted() -> None:
    waiting = WaitingSamples()
    waiting.add(sample(energy(1)), is_believed=True)
    waiting.add(sample(energy(2), at_s=1), is_believed=False)
    assert waiting.drop_doubtful() == 1
    assert [each.monotonic_s for each in waiting.samples()] == [0]
