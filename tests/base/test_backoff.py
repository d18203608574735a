import pytest

from iskra_server.base.backoff import Backoff


def test_delays_double_up_to_their_limit_and_begin_again_after_a_reset() -> None:
    backoff = Backoff(1.0, 30.0, jitter=0.0)
    assert [backoff.next_s() for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert backoff.failures == 7
    backoff.reset()
    assert (backoff.failures, backoff.next_s()) == (0, 1)


@pytest.mark.parametrize(("uniform", "delays_s"), [(0.0, [10, 20, 30]), (0.5, [8, 16, 24]), (1.0, [6, 12, 18])])
def test_jitter_takes_up_to_its_share_of_a_delay(uniform: float, delays_s: list[float]) -> None:
    backoff = Backoff(10.0, 30.0, jitter=0.4, uniform=lambda: uniform)
    assert [backoff.next_s() for _ in range(3)] == pytest.approx(delays_s)


def test_delays_of_two_clients_differ() -> None:
    first, second = Backoff(1.0, 60.0), Backoff(1.0, 60.0)
    assert [first.next_s() for _ in range(5)] != [second.next_s() for _ in range(5)]


def test_years_of_failures_overflow_no_number() -> None:
    backoff = Backoff(1.0, 60.0, jitter=0.0)
    assert {backoff.next_s() for _ in range(2_000)} == {1, 2, 4, 8, 16, 32, 60}
