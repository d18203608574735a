"""Who may have replaced whom, told by what history knows of meters."""

from typing import Any

from iskra_server.history.model.records import MeterInfo
from iskra_server.history.model.replacement import ASKED_FOR_S, find_replacements

NOW_S = 1_000_000_000


def meter(name: str, first_s: int, last_s: int, port: str = "/dev/ttyUSB0", **more: Any) -> MeterInfo:
    return MeterInfo(name, name, simulated=False, first_s=first_s, last_s=last_s, port=port, **more)


OLD = meter("old", 100, NOW_S - 500)
NEW = meter("new", NOW_S - 400, NOW_S)


def asked(name: str, *meters: MeterInfo, now_s: float = NOW_S, seen: str | None = None) -> str | None:
    return find_replacements(meters, now_s).possible_predecessor(name, "/dev/ttyUSB0", seen)


def test_a_meter_that_began_where_another_had_ended_may_have_replaced_it() -> None:
    assert asked("new", NEW, OLD) == "old"
    assert asked("old", NEW, OLD) is None


def test_of_two_that_were_there_it_is_the_later_one() -> None:
    older = meter("older", 50, 90)
    assert asked("new", OLD, NEW, older) == "old"
    assert asked("new", NEW, older) == "older"


def test_one_that_history_does_not_know_yet_has_come_after_the_last() -> None:
    older = meter("older", 50, 90)
    assert asked("new", OLD, older) == "old"
    assert find_replacements([OLD, older], NOW_S).possible_predecessor("new", "/dev/ttyUSB1", None) is None


def test_meters_elsewhere_or_at_the_same_time_or_of_a_centre_have_not() -> None:
    for other in (meter("x", 100, NOW_S - 500, "/dev/ttyUSB1"), meter("x", 100, NOW_S), meter("x", 100, 200, port="")):
        assert asked("new", other, NEW) is None


def test_whoever_has_answered_is_asked_no_more_nor_about_the_meter_before() -> None:
    answered = meter("old", 100, NOW_S - 500, replaced_by="new")
    for seen in (None, "old"):
        assert asked("new", meter("older", 50, 90), answered, NEW, seen=seen) is None


def test_a_meter_is_new_for_a_month() -> None:
    assert asked("new", OLD, NEW, now_s=NOW_S + ASKED_FOR_S - 400)
    assert not asked("new", OLD, NEW, now_s=NOW_S + ASKED_FOR_S)


def test_what_was_seen_just_now_is_asked_about_before_history_knows_it() -> None:
    assert asked("new", seen="old") == "old"
    assert asked("new") is None
