"""The checker itself: it finds each kind of wrong answer, and nothing wrong with right ones."""

from control_loop.truth import LATE_S, Truth

STALE_AFTER_S = 10.0


def truth() -> Truth:
    """A server since second 0, and telegrams of 101, 102 and 103 W at seconds 10, 11 and 12."""
    truth = Truth(STALE_AFTER_S)
    truth.started(0.0)
    truth.ready(1.0)
    assert [truth.next_power_w(second) for second in (10.0, 11.0, 12.0)] == [101, 102, 103]
    return truth


def test_right_answers() -> None:
    checker = truth()
    checker.check("a", 12.1, 12.2, 103)
    checker.check("a", 21.9, 22.0, 103.0)
    checker.check("b", 11.5, 11.6, 102.001)
    checker.check("b", 30.0, 30.0, None)
    assert (checker.wrong, checker.oldest_s) == ([], 10.0)
    assert (checker.answers, checker.refusals) == ({"a": 2, "b": 1}, {"b": 1})


def test_a_stale_answer() -> None:
    checker = truth()
    checker.check("a", 22.0 + LATE_S + 0.1, 23, 103)
    assert len(checker.wrong) == 1
    assert "10.60 s old" in checker.wrong[0]


def test_a_value_that_was_never_sent() -> None:
    checker = truth()
    checker.check("a", 12.5, 12.6, 0)
    checker.check("a", 12.5, 12.6, 104)
    assert len(checker.wrong) == 2


def test_an_older_value_after_a_newer_one() -> None:
    checker = truth()
    checker.check("a", 12.5, 12.6, 103)
    checker.check("b", 12.5, 12.6, 102)
    checker.check("a", 12.7, 12.8, 102)
    assert checker.wrong == ["a: telegram 1 after 2"]


def test_a_value_from_before_the_start() -> None:
    checker = truth()
    checker.stopped()
    checker.started(13.0)
    checker.check("a", 13.5, 13.6, 103)
    assert checker.wrong == ["a: a telegram from before the start of the server"]


def test_an_answer_is_missing_where_there_is_a_current_telegram() -> None:
    checker = truth()
    checker.check("a", 13.0, 13.1, None)
    assert (len(checker.missing), checker.wrong) == (1, [])


def test_no_answer_is_missing_while_the_server_starts_and_stops() -> None:
    checker = Truth(STALE_AFTER_S)
    checker.started(0.0)
    checker.next_power_w(0.5)
    checker.check("a", 1.5, 1.5, None)
    checker.ready(2.0)
    checker.check("a", 2.5, 2.6, None)
    checker.stopped()
    checker.check("a", 3.5, 3.6, None)
    assert checker.missing == []


def test_no_answer_is_missing_between_a_step_of_the_clock_and_the_next_telegram() -> None:
    checker = truth()
    checker.clock_moved(12.5)
    checker.check("a", 13.5, 13.6, None)
    assert checker.missing == []
    checker.next_power_w(14.0)
    checker.check("a", 14.6, 14.7, None)
    assert len(checker.missing) == 1
