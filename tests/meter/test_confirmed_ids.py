from iskra_server.meter.confirmed_ids import (
    CONFIRM_TELEGRAMS,
    MAX_BETWEEN,
    MAX_METERS,
    MAX_UNCONFIRMED,
    NAMELESS_TELEGRAMS,
    SILENT_S,
    ConfirmedMeters,
)


def test_the_first_meter_of_a_source_counts_at_once_and_another_after_some_telegrams() -> None:
    meters = ConfirmedMeters()
    assert meters.confirm("one", 0.0)
    assert [meters.confirm("two", 1.0) for _ in range(CONFIRM_TELEGRAMS + 1)] == [False, False, True, True]
    assert meters.confirm("one", 2.0)
    assert meters.ignored == 0


def test_a_meter_without_a_name_counts_after_more_telegrams_and_never_before_its_name() -> None:
    meters = ConfirmedMeters()
    assert not any(meters.confirm("unknown", float(k), is_named=False) for k in range(NAMELESS_TELEGRAMS - 1))
    assert meters.confirm("one", 10.0)
    never_named = ConfirmedMeters()
    results = [never_named.confirm("unknown", float(k), is_named=False) for k in range(NAMELESS_TELEGRAMS + 1)]
    assert results == [False] * (NAMELESS_TELEGRAMS - 1) + [True, True]
    assert (meters.ignored, never_named.ignored) == (0, 0)


def test_two_meters_in_turn_are_both_confirmed() -> None:
    meters = ConfirmedMeters()
    assert [meters.confirm("ab"[k % 2], float(k)) for k in range(8)] == [True, False] * 2 + [True] * 4


def test_a_meter_that_is_known_from_elsewhere_counts_at_once() -> None:
    meters = ConfirmedMeters()
    meters.confirm("one", 0.0)
    assert meters.confirm("two", 1.0, is_known=True)


def test_ids_that_never_come_again_are_forgotten_and_counted() -> None:
    meters = ConfirmedMeters()
    meters.confirm("one", 0.0)
    assert not any(meters.confirm(f"id {number}", 1.0) for number in range(4000))
    assert meters.ignored == 4000 - MAX_UNCONFIRMED
    assert meters.confirm("one", 2.0)


def test_a_source_has_so_many_meters_at_most_until_one_is_silent_for_long() -> None:
    meters = ConfirmedMeters()

    def introduce(name: str, now_s: float) -> bool:
        return [meters.confirm(name, now_s) for _ in range(CONFIRM_TELEGRAMS)][-1]

    assert all([introduce(f"meter {number}", float(number)) for number in range(MAX_METERS)])
    assert not introduce("one too many", 100.0)
    assert not meters.confirm("one too many", 101.0, is_known=True)
    assert meters.ignored == 1
    assert meters.confirm("one too many", SILENT_S + 1)
    assert not meters.confirm("meter 0", SILENT_S + 1)


def test_an_id_that_comes_three_times_in_a_long_time_is_damage() -> None:
    meters = ConfirmedMeters()
    meters.confirm("one", 0.0)
    for second in range(1, 5):
        assert not meters.confirm("0ne", float(second))
        assert all([meters.confirm("one", float(second)) for _ in range(MAX_BETWEEN)])
