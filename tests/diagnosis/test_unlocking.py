from iskra_server.diagnosis.unlocking import INF_ON_S, Unlocking


def seen(*telegrams: tuple[bool, bool, float]) -> list[list[str]]:
    """What each telegram of (digits, power, seconds) tells."""
    unlocking = Unlocking()
    return [list(unlocking.observe(digits=digits, power=power, now_s=at_s)) for digits, power, at_s in telegrams]


def test_a_meter_that_is_unlocked_needs_nothing() -> None:
    unlocking = Unlocking()
    assert unlocking.observe(digits=True, power=True, now_s=0) == ["unlocked"]
    assert unlocking.done


def test_what_appears_is_told_once_with_what_comes_next() -> None:
    assert seen((False, False, 0), (True, True, 10), (True, True, 11)) == [
        ["locked"],
        ["digits", "power", "falls_back"],
        [],
    ]


def test_digits_and_power_may_come_one_after_the_other() -> None:
    assert seen((False, False, 0), (True, False, 10), (True, True, 11)) == [
        ["locked"],
        ["digits", "falls_back"],
        ["power"],
    ]


def test_inf_is_on_when_the_power_is_still_there_after_two_minutes() -> None:
    unlocking = Unlocking()
    unlocking.observe(digits=False, power=False, now_s=0)
    unlocking.observe(digits=True, power=True, now_s=10)
    assert unlocking.observe(digits=True, power=True, now_s=10 + INF_ON_S - 1) == []
    assert not unlocking.done
    assert unlocking.observe(digits=True, power=True, now_s=10 + INF_ON_S) == ["inf_on"]
    assert unlocking.done


def test_a_meter_that_falls_back_can_be_unlocked_again() -> None:
    assert seen((False, False, 0), (True, True, 10), (False, False, 131), (True, True, 200), (True, True, 350)) == [
        ["locked"],
        ["digits", "power", "falls_back"],
        ["fell_back"],
        ["digits", "power", "falls_back"],
        ["inf_on"],
    ]
