from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iskra_server.sources.burst_predictor import MAX_DELAY_S, BurstPredictor

TELEGRAM = 444
BYTE_S = 10 / 9600


def bursts(
    *lengths: int, chunk: int = 1, byte_s: float = BYTE_S, gap_s: float = 0.5
) -> Iterator[list[tuple[float, int]]]:
    """For each burst the moments at which bytes arrive, and how many."""
    now_s = 100.0
    for length in lengths:
        burst = []
        for start in range(0, length, chunk):
            data = min(chunk, length - start)
            now_s += data * byte_s
            burst.append((now_s, data))
        yield burst
        now_s += gap_s


def listen(predictor: BurstPredictor, burst: list[tuple[float, int]]) -> tuple[int, float]:
    """How often a listener wakes up for a burst, and how late it has the last byte."""
    wakes, awake_s, waiting = 0, 0.0, list(burst)
    while waiting:
        now_s = max(awake_s, waiting[0][0])
        data = sum(count for moment_s, count in waiting if moment_s <= now_s)
        waiting = [(moment_s, count) for moment_s, count in waiting if moment_s > now_s]
        wakes += 1
        awake_s = now_s + predictor.delay_s(data, now_s)
    return wakes, now_s - burst[-1][0]


def test_the_first_burst_is_read_byte_by_byte() -> None:
    assert listen(BurstPredictor(9600), next(bursts(TELEGRAM))) == (TELEGRAM, 0.0)


@pytest.mark.parametrize("chunk", [1, 7, 16, 32, 64])
@pytest.mark.parametrize("byte_s", [BYTE_S, 1.15 * BYTE_S], ids=["wire", "slow"])
def test_the_next_bursts_cost_few_wake_ups_and_are_never_late(chunk: int, byte_s: float) -> None:
    predictor = BurstPredictor(9600)
    results = [listen(predictor, burst) for burst in bursts(*[TELEGRAM] * 8, chunk=chunk, byte_s=byte_s)]
    assert max(wakes for wakes, _ in results[4:]) <= 9
    assert max(late_s for _, late_s in results) == pytest.approx(0.0, abs=1e-9)


def test_bursts_of_varying_length_are_late_by_the_difference_at_most() -> None:
    predictor = BurstPredictor(9600)
    lengths = [240, 236, 240, 236, 240, 240, 236, 240, 236]
    results = [listen(predictor, burst) for burst in bursts(*lengths)]
    assert max(late_s for _, late_s in results) <= 4 * BYTE_S


def test_a_burst_that_is_cut_off_is_late_once_and_by_the_maximum_delay_at_most() -> None:
    predictor = BurstPredictor(9600)
    *_, cut, after, later = [listen(predictor, burst) for burst in bursts(*[TELEGRAM] * 5, 200, 200, 200)]
    assert 0 < cut[1] <= MAX_DELAY_S
    assert after[1] == later[1] == pytest.approx(0.0, abs=1e-9)


def test_noise_between_telegrams_changes_nothing() -> None:
    predictor = BurstPredictor(9600)
    results = [listen(predictor, burst) for burst in bursts(*[TELEGRAM, 5] * 8)]
    assert max(wakes for wakes, _ in results[8::2]) <= 7
    assert max(late_s for _, late_s in results[8::2]) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(("chunk", "wakes"), [(64, 7), (TELEGRAM, 1)])
def test_bursts_faster_than_the_wire_are_read_at_once(chunk: int, wakes: int) -> None:
    predictor = BurstPredictor(9600)
    for burst in bursts(*[TELEGRAM] * 6, chunk=chunk, byte_s=BYTE_S / 50):
        assert listen(predictor, burst) == (wakes, 0.0)


def test_a_stream_without_silence_is_read_at_once() -> None:
    assert listen(BurstPredictor(9600), next(bursts(5 * TELEGRAM))) == (5 * TELEGRAM, 0.0)


@given(st.lists(st.tuples(st.integers(1, 4096), st.floats(0, 2)), max_size=60), st.sampled_from([300, 9600, 115200]))
def test_any_arrivals_give_a_delay_within_the_limits(arrivals: list[tuple[int, float]], baud: int) -> None:
    predictor, now_s = BurstPredictor(baud), 0.0
    for data, pause_s in arrivals:
        now_s += pause_s
        nap_s = predictor.delay_s(data, now_s)
        assert 0 <= nap_s <= MAX_DELAY_S
        now_s += nap_s
