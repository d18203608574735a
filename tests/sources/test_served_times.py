import pytest

import texts
from iskra_server.codecs.p1 import encoder as p1
from iskra_server.sources.served_times import BELIEVED_S, ServedTimes
from telegrams import series

POLL_S = 2.0


def old(telegrams: list[bytes], step_s: float = POLL_S) -> list[bool]:
    times = ServedTimes()
    return [times.is_old(telegram, step_s * number) for number, telegram in enumerate(telegrams)]


def p1_at(second: int) -> bytes:
    return texts.p1_telegram(texts.p1_lines(second=second))


@pytest.mark.parametrize("count", [2, 5, 50])
def test_old_telegrams_that_are_served_in_turn_count_once(count: int) -> None:
    sent = series(count + 1)
    assert old(sent[:count] * 6 + sent[count:]) == [False] * count + [True] * 5 * count + [False]


def test_times_of_other_protocols_go_round_too() -> None:
    assert old([p1_at(second) for second in (1, 2, 3, 1, 2, 3, 4)]) == [False] * 3 + [True] * 3 + [False]


def test_telegrams_of_one_second_are_both_new() -> None:
    assert old([p1_at(1), p1_at(1), p1_at(2)]) == [False] * 3


def test_a_meter_that_was_restarted_is_believed_after_minutes() -> None:
    before, after = series(8)[7], series(7)
    step_s = BELIEVED_S / 5
    assert old([before, *after], step_s) == [False, *[True] * 5, False, False]


def test_what_has_no_time_is_new() -> None:
    lines = [line for line in texts.p1_lines() if "1.0.0" not in line]
    assert old([p1.telegram(texts.P1_IDENT, lines)] * 3) == [False] * 3
    assert old([b"noise", b"", b"noise"]) == [False] * 3
