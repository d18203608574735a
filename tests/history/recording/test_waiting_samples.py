from datetime import timedelta
from itertools import pairwise

from history.model.test_ledger import at
from iskra_server.history.recording.waiting_samples import EVERY_S, MAX_SAMPLES, WaitingSamples
from samples import START, energy, sample

LATER = START + timedelta(days=900)


def test_under_a_trusted_clock_two_samples_a_quarter_wait() -> None:
    waiting = WaitingSamples()
    for second in range(0, 1800, 10):
        waiting.add(at(second, energy(second)), is_trusted=True)
    assert [each.monotonic_s for each in waiting.samples()] == [0, 890, 900, 1790]
    assert [each.received_at for each in waiting.pop_dated(LATER, 5e9)] == [
        START + timedelta(seconds=second) for second in (0, 890, 900, 1790)
    ]
    assert not waiting


def test_under_an_untrusted_clock_one_sample_in_half_a_minute_waits() -> None:
    waiting = WaitingSamples()
    for second in range(0, 301, 1):
        waiting.add(at(second, energy(second), clock_s=-5e8), is_trusted=False)
    moments = [each.monotonic_s for each in waiting.samples()]
    assert moments[-1] == 300
    assert all(after - before <= EVERY_S for before, after in pairwise(moments))
    assert len(moments) < 15
    placed = waiting.pop_dated(LATER, START.timestamp())
    assert [each.received_at for each in placed] == [START + timedelta(seconds=second) for second in moments]


def test_a_trusted_sample_in_the_future_is_dated_by_boot_time() -> None:
    waiting = WaitingSamples()
    waiting.add(at(10, energy(1), clock_s=5e7), is_trusted=True)
    (placed,) = waiting.pop_dated(START, START.timestamp())
    assert placed.received_at == START + timedelta(seconds=10)


def test_above_the_limit_every_second_older_sample_is_dropped() -> None:
    waiting = WaitingSamples()
    for count in range(2 * MAX_SAMPLES):
        waiting.add(at(count * EVERY_S, energy(count)), is_trusted=False)
    kept = waiting.samples()
    assert len(kept) <= MAX_SAMPLES
    assert (kept[0].monotonic_s, kept[-1].monotonic_s) == (0, (2 * MAX_SAMPLES - 1) * EVERY_S)


def test_samples_that_cannot_be_dated_are_dropped_and_counted() -> None:
    waiting = WaitingSamples()
    waiting.add(sample(energy(1)), is_trusted=True)
    waiting.add(sample(energy(2), at_s=1), is_trusted=False)
    assert waiting.drop_untrusted() == 1
    assert [each.monotonic_s for each in waiting.samples()] == [0]
