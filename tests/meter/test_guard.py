from decimal import Decimal
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from iskra_server.meter.counter_rules import MAX_COUNTERS
from iskra_server.meter.guard import AGREEING_S, AGREEING_TELEGRAMS, MAX_POWER_W, Guard, HeldBack
from iskra_server.meter.normalise import MeterMemory, normalise
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import BACKLOG_S, MeterTime, Register, Sample
from iskra_server.meter.units import VAR_HOUR, unit_named
from samples import EXPORT, IMPORT, METER_ID, energy, power, sample


def totals(results: list[Sample | HeldBack]) -> list[Decimal | None]:
    """1.8.0 of what was published, None for what was held back."""
    return [
        None if isinstance(result, HeldBack) else next(r.value for r in result.reading.registers if r.obis == IMPORT)
        for result in results
    ]


def admit(*raws: int | tuple[int, int], step_s: float = 1.0) -> list[Sample | HeldBack]:
    """Feed 1.8.0 values (raw, or raw and scaler) to a fresh guard, a telegram every `step_s`."""
    guard = Guard()
    pairs = [raw if isinstance(raw, tuple) else (raw, -1) for raw in raws]
    return [guard.admit(sample(energy(*pair), at_s=k * step_s)) for k, pair in enumerate(pairs)]


def test_a_growing_counter_passes_as_it_is() -> None:
    first = sample(energy(1000), power(5))
    assert Guard().admit(first) is first
    assert totals(admit(1000, 1000, 1001, 1007)) == [Decimal(text) for text in ("100.0", "100.0", "100.1", "100.7")]


def test_a_counter_that_goes_back_is_held_back_and_the_next_good_one_passes() -> None:
    results = admit(5000, 4999, 5001)
    assert totals(results) == [Decimal("500.0"), None, Decimal("500.1")]
    assert isinstance(results[1], HeldBack)
    assert results[1].reason == "1-0:1.8.0 went back from 500.0 to 499.9"


def test_a_counter_that_falls_to_zero_is_held_back() -> None:
    assert totals(admit(5000, 0, 5000)) == [Decimal("500.0"), None, Decimal("500.0")]


def test_a_jump_beyond_the_rating_is_held_back() -> None:
    results = admit(5000, 500_000_000, 5001)
    assert totals(results) == [Decimal("500.0"), None, Decimal("500.1")]
    assert isinstance(results[1], HeldBack)
    assert "jumped from 500.0 to 50000000.0 within 1 s" in results[1].reason


def test_what_the_rating_can_carry_passes_after_a_long_silence() -> None:
    hours = 10
    reach = MAX_POWER_W * hours * 10
    assert totals(admit(0, reach, step_s=hours * 3600))[1] == Decimal(reach) / 10
    assert totals(admit(0, reach * 2, step_s=hours * 3600))[1] is None


def test_the_meters_own_seconds_count_where_bytes_have_waited() -> None:
    guard = Guard()
    guard.admit(sample(energy(0), at_s=0, seconds=0))
    late = sample(energy(MAX_POWER_W // 4 * 10), at_s=0.1, seconds=900)
    assert guard.admit(late) is late


@pytest.mark.parametrize("seconds", [3600, 10**7, 2**32 - 1])
def test_the_meters_own_seconds_count_for_no_more_than_a_backlog(seconds: int) -> None:
    guard = Guard()
    guard.admit(sample(energy(0), at_s=0, seconds=0))
    reach = int(MAX_POWER_W * 10 * (BACKLOG_S + 20) / 3600)
    held = guard.admit(sample(energy(reach), at_s=1, seconds=seconds))
    assert isinstance(held, HeldBack)
    assert held.reason.endswith("within 901 s")


def test_telegrams_that_agree_for_minutes_are_the_new_truth_and_a_new_epoch() -> None:
    results = admit(5000, 10, 11, 12, 13, 14, step_s=AGREEING_S / 3)
    assert totals(results) == [Decimal("500.0"), None, None, None, Decimal("1.3"), Decimal("1.4")]
    assert [result.epoch for result in results if isinstance(result, Sample)] == [0, 1, 1]


def test_two_telegrams_are_no_new_truth_however_far_apart() -> None:
    results = admit(5000, 10, 11, 12, step_s=AGREEING_S)
    assert totals(results) == [Decimal("500.0"), None, None, Decimal("1.2")]


def test_many_telegrams_are_no_new_truth_within_seconds() -> None:
    assert totals(admit(5000, *[10] * 290)) == [Decimal("500.0"), *[None] * 290]


@pytest.mark.parametrize("wrong", [0, 2, 10**9])
def test_a_return_to_the_old_truth_is_no_new_epoch(wrong: int) -> None:
    results = admit(134230000, *[wrong] * 5, 134230001, 134230002)
    assert totals(results) == [Decimal("13423000.0"), *[None] * 5, Decimal("13423000.1"), Decimal("13423000.2")]
    assert {result.epoch for result in results if isinstance(result, Sample)} == {0}


def test_a_fall_and_a_jump_back_each_need_their_minutes() -> None:
    step_s = AGREEING_S / 3
    high = 50_000_000
    results = admit(high, 0, 0, 0, 0, 0, high, 0, 0, high, high, high, high, step_s=step_s)
    published = [(k, result.epoch) for k, result in enumerate(results) if isinstance(result, Sample)]
    assert published == [(0, 0), (4, 1), (5, 1), (7, 1), (8, 1), (12, 2)]


def test_another_server_id_is_another_meter_and_waits_for_nobody() -> None:
    guard = Guard()
    assert isinstance(guard.admit(sample(energy(5000))), Sample)
    other = guard.admit(sample(energy(0), meter_id="another"))
    assert isinstance(other, Sample) and other.epoch == 0


def test_a_counter_below_0_is_held_back_however_often_it_comes() -> None:
    results = admit(-5, -4, -3, -2, 7, step_s=AGREEING_S)
    assert totals(results) == [None] * 4 + [Decimal("0.7")]
    assert isinstance(results[0], HeldBack)
    assert results[0].reason == "1-0:1.8.0 is below 0: -0.5"


def test_a_counter_that_no_meter_can_reach_is_held_back_however_often_it_comes() -> None:
    absurd = (281_360_734, 5)
    results = admit(*[absurd] * AGREEING_TELEGRAMS * 2, 1000, absurd, absurd, absurd, step_s=AGREEING_S)
    assert totals(results) == [None] * AGREEING_TELEGRAMS * 2 + [Decimal("100.0"), None, None, None]


@pytest.mark.parametrize("absurd", [energy(281_360_734, 5), energy(-5)])
@pytest.mark.parametrize("obis", [IMPORT, EXPORT])
def test_a_counter_that_was_never_possible_is_left_out_alone(absurd: Register, obis: Obis) -> None:
    guard, other = Guard(), EXPORT if obis == IMPORT else IMPORT
    for second in range(3):
        result = guard.admit(sample(replace(absurd, obis=obis), energy(1000 + second, obis=other), at_s=second))
        assert isinstance(result, Sample)
        numbers = {register.obis: register.value for register in result.reading.numbers()}
        assert numbers == {other: Decimal(1000 + second) / 10}
        assert [problem.register.obis for problem in guard.left_out(METER_ID)] == [obis]
    assert guard.held_back == {}
    # the meter is put right
    result = guard.admit(sample(energy(5, obis=obis), energy(1010, obis=other), at_s=4))
    assert isinstance(result, Sample) and len(list(result.reading.numbers())) == 2
    assert guard.left_out(METER_ID) == ()


def test_a_published_counter_is_not_withdrawn_by_a_meter_that_miscalculates_for_seconds() -> None:
    """Without its own value a total would be unavailable everywhere for a second."""
    guard, absurd = Guard(), energy(281_360_734, 5)
    published = [
        isinstance(guard.admit(sample(energy(1000) if second < 3 else absurd, power(7), at_s=second)), Sample)
        for second in range(40)
    ]
    # the last good one was current for a minute; half of that later the power is served alone
    assert published == [True] * 3 + [False] * 30 + [True] * 7
    assert guard.held_back == {METER_ID: 30}
    back = guard.admit(sample(energy(1001), power(7), at_s=41))
    assert isinstance(back, Sample) and (back.epoch, len(list(back.reading.numbers()))) == (0, 2)


def test_a_single_telegram_with_an_absurd_counter_is_not_published() -> None:
    guard = Guard()
    for second, raw in enumerate((1000, -7, 1001, -7, 1002)):
        assert isinstance(guard.admit(sample(energy(raw), power(7), at_s=second * 60)), Sample) is (raw > 0)


@pytest.mark.parametrize("at_s", [-inf, -3600.0])
def test_a_counter_of_history_is_left_out_where_it_is_absurd_now(at_s: float) -> None:
    """After a restart its last value is served nowhere."""
    guard = Guard()
    guard.remember(sample(energy(5)), at_s)
    result = guard.admit(sample(energy(5, 11), power(7)))
    assert isinstance(result, Sample)
    assert [register.obis for register in result.reading.numbers()] == [power(7).obis]
    # once this process has published it, it is
    assert isinstance(guard.admit(sample(energy(6), at_s=1)), Sample)
    assert isinstance(guard.admit(sample(energy(5, 11), power(7), at_s=2)), HeldBack)


def test_another_list_does_not_end_the_wait_of_an_absurd_counter() -> None:
    """A D0 meter is asked for single registers between its readouts."""
    guard = Guard()
    for second in range(0, 60, 2):
        guard.admit(sample(energy(-5), energy(7, obis=EXPORT), at_s=second))
        guard.admit(sample(power(9), at_s=second + 1))
        assert [problem.register.obis for problem in guard.left_out(METER_ID)] == [IMPORT]


def test_no_sum_is_served_of_a_tariff_that_the_meter_cannot_show() -> None:
    guard, memory = Guard(), MeterMemory()
    day, night = Obis.parse("1.8.1"), Obis.parse("1.8.2")
    for second in range(400):
        sent = sample(energy(-50_000, obis=day), energy(90_000, obis=night), power(7), at_s=second)
        record, _ = normalise(sent.reading, memory)
        assert [register.obis for register in record.numbers() if register.derived] == [IMPORT]
        result = guard.admit(replace(sent, reading=record))
        assert isinstance(result, Sample) and result.epoch == 0
        assert [register.obis for register in result.reading.numbers()] == [night, power(7).obis]


def test_an_impossible_counter_that_does_not_come_again_is_forgotten() -> None:
    """Its code was damaged, or the meter does not send it any more: its fault is not shown for ever."""
    guard = Guard()
    for place in range(2 * MAX_COUNTERS):
        guard.admit(sample(energy(-5, obis=Obis(bytes((1, 0, 1, 8, place % 256, place // 256)))), power(7)))
    assert len(guard.left_out(METER_ID)) == MAX_COUNTERS + 1
    guard.admit(sample(power(7), at_s=3600))
    assert guard.left_out(METER_ID)
    guard.admit(sample(power(7), at_s=3 * 3600))
    assert guard.left_out(METER_ID) == ()


def test_a_net_sum_may_fall_and_be_below_0() -> None:
    net = Obis.parse("36.8.0")
    guard = Guard()
    for raw in (100, -100):
        assert isinstance(guard.admit(sample(energy(7), energy(raw, obis=net))), Sample)


def test_a_reactive_counter_cannot_jump_either() -> None:
    guard = Guard()
    reactive = Register(Obis.parse("3.8.0"), 1000, -1, VAR_HOUR)
    guard.admit(sample(reactive))
    held = guard.admit(sample(replace(reactive, raw=10**9), at_s=1))
    assert isinstance(held, HeldBack)


def test_a_counter_that_comes_seldom_may_have_grown_since_it_came() -> None:
    guard = Guard()
    guard.admit(sample(energy(0), at_s=0))
    for second in range(5, 900, 5):
        assert isinstance(guard.admit(sample(power(5), at_s=second)), Sample)
    assert isinstance(guard.admit(sample(energy(MAX_POWER_W * 10 // 4), at_s=900)), Sample)


def test_a_sum_of_tariffs_may_lose_a_fraction_of_each_when_the_meter_locks() -> None:
    guard = Guard()
    fine = replace(energy(74078573), derived="sum of tariffs")
    guard.admit(sample(fine))
    held = guard.admit(sample(replace(fine, raw=7406, scaler=3)))
    assert isinstance(held, Sample) and held.holds_fine
    assert held.reading.registers[0].value == Decimal("7407857.3")


def test_three_telegrams_that_do_not_agree_are_never_the_truth() -> None:
    raws = [5000, *(k * 10**9 for k in (3, 1, 9, 2, 8, 1, 7)), 5001]
    assert totals(admit(*raws))[1:] == [None] * 7 + [Decimal("500.1")]


def test_what_is_held_back_is_counted_by_meter() -> None:
    guard = Guard()
    for raw in (5000, 10, 10**12, 5000):
        guard.admit(sample(energy(raw)))
    assert guard.held_back == {METER_ID: 2}


def test_a_meter_that_locks_keeps_its_last_fine_value_until_the_coarse_one_passes_it() -> None:
    results = admit(74078573, (7407, 3), (7407, 3), (7408, 3), (7408, 3), (74080001, -1), step_s=600)
    expected = ["7407857.3", "7407857.3", "7407857.3", "7408000", "7408000", "7408000.1"]
    assert totals(results) == [Decimal(text) for text in expected]


def test_a_meter_that_locks_below_its_last_kwh_has_gone_back() -> None:
    assert totals(admit(74078573, (7406, 3)))[1] is None


def test_unlocking_adds_digits_only() -> None:
    assert totals(admit((7407, 3), 74078573)) == [Decimal(7407000), Decimal("7407857.3")]


def test_a_locked_meter_ticks_over_by_a_whole_kwh() -> None:
    assert totals(admit((7407, 3), (7408, 3))) == [Decimal(7407000), Decimal(7408000)]
    assert totals(admit((7407, 3), (7410, 3)))[1] is None


def test_what_was_published_before_a_restart_is_not_gone_behind() -> None:
    guard = Guard()
    guard.remember(replace(sample(energy(5000)), epoch=2))
    assert isinstance(guard.admit(sample(energy(4000))), HeldBack)
    much_later = guard.admit(sample(energy(5000 + 10**9)))
    assert isinstance(much_later, Sample)
    assert much_later.epoch == 2
    assert isinstance(guard.admit(sample(energy(2 * 10**9))), HeldBack)


def test_history_that_is_known_late_is_not_gone_behind_either() -> None:
    guard = Guard()
    assert isinstance(guard.admit(sample(energy(4000), energy(70, obis=EXPORT))), Sample)
    guard.remember(replace(sample(energy(5000), energy(60, obis=EXPORT)), epoch=2))
    results = [
        guard.admit(sample(energy(4001 + k), energy(70, obis=EXPORT), at_s=k * AGREEING_S / 2)) for k in range(3)
    ]
    assert [isinstance(result, HeldBack) for result in results] == [True, True, False]
    assert isinstance(results[-1], Sample) and results[-1].epoch == 3
    # the feed-in of an older history takes nothing back
    assert isinstance(guard.admit(sample(energy(4003), energy(65, obis=EXPORT), at_s=AGREEING_S)), HeldBack)


def test_a_meter_that_was_reset_since_is_not_held_to_what_history_says_again() -> None:
    guard, before = Guard(), sample(energy(5000))
    guard.remember(before)
    for k in range(AGREEING_TELEGRAMS):
        result = guard.admit(sample(energy(10), at_s=k * AGREEING_S))
    assert isinstance(result, Sample) and result.epoch == 1
    guard.remember(before)
    result = guard.admit(sample(energy(11)))
    assert isinstance(result, Sample) and result.epoch == 1


def test_a_fine_value_of_history_stands_until_a_locked_meter_has_passed_it() -> None:
    guard = Guard()
    assert isinstance(guard.admit(sample(energy(7407, 3))), Sample)
    guard.remember(sample(energy(74078573, -1)))
    held = guard.admit(sample(energy(7407, 3)))
    assert isinstance(held, Sample) and held.holds_fine
    assert held.reading.registers[0].value == Decimal("7407857.3")


def test_every_counter_is_watched_not_only_the_total() -> None:
    guard = Guard()
    guard.admit(sample(energy(100), energy(100, obis=EXPORT)))
    assert isinstance(guard.admit(sample(energy(101), energy(99, obis=EXPORT))), HeldBack)


def test_power_may_fall_and_meters_do_not_know_of_each_other() -> None:
    guard = Guard()
    assert isinstance(guard.admit(sample(energy(100), power(5))), Sample)
    assert isinstance(guard.admit(sample(energy(100), power(-500))), Sample)
    assert isinstance(guard.admit(sample(energy(7), meter_id="another")), Sample)


@given(st.lists(st.tuples(st.integers(0, 10**9), st.sampled_from((-1, 0, 3))), max_size=40))
def test_what_is_published_never_goes_back_within_an_epoch(raws: list[tuple[int, int]]) -> None:
    guard = Guard()
    last: dict[int, Decimal] = {}
    for k, pair in enumerate(raws):
        result = guard.admit(sample(energy(*pair), at_s=k * 60.0))
        if isinstance(result, Sample):
            value = next(result.reading.numbers()).value
            assert value is not None
            assert value >= last.get(result.epoch, Decimal(0))
            assert result.epoch <= k // AGREEING_TELEGRAMS
            last[result.epoch] = value


def weak(*registers: Register, at_s: float) -> Sample:
    """A telegram without a checksum."""
    content = sample(*registers, at_s=at_s)
    return replace(content, reading=replace(content.reading, protection="none"))


def admit_weak(*raws: int | None, guard: Guard | None = None, step_s: float = 10.0) -> list[Sample | HeldBack]:
    """As `admit`, of telegrams without a checksum; None is one that did not arrive."""
    guard = guard or Guard()
    return [
        guard.admit(weak(energy(raw), power(300), at_s=k * step_s)) for k, raw in enumerate(raws) if raw is not None
    ]


def shown(*raws: int | None) -> list[int | None]:
    """1.8.0 as published, in tenths of a Wh; None for what was held back."""
    return [None if value is None else int(value * 10) for value in totals(admit_weak(*raws))]


def test_the_first_weak_telegram_needs_a_second_that_agrees() -> None:
    guard = Guard()
    damaged = guard.admit(weak(energy(9000), power(300), at_s=0))
    assert isinstance(damaged, HeldBack) and damaged.violation is None
    assert damaged.reason == "weakly protected, its counters need a second telegram that agrees"
    # it waits, which is no sign that it is implausible
    assert guard.held_back == {}
    # the second does not agree with it, the third agrees with the second
    assert isinstance(guard.admit(weak(energy(5000), power(300), at_s=10)), HeldBack)
    assert totals([guard.admit(weak(energy(5008), power(300), at_s=20))]) == [Decimal("500.0")]


def test_a_weak_counter_is_published_as_far_as_two_telegrams_have_reached_it() -> None:
    assert shown(5000, 5000, 5008, 5016, 5016, 5024) == [None, 5000, 5000, 5008, 5016, 5016]
    # the power is not delayed
    result = admit_weak(5000, 5000, 5008)[-1]
    assert isinstance(result, Sample) and result.reading.registers[1] == power(300)


@pytest.mark.parametrize("by", [1, 2, 3, 10, 100, 1000])
def test_a_weak_counter_that_damage_makes_too_high_is_never_published(by: int) -> None:
    assert shown(5000, 5000, 5000 + by, 5000, 5000, 5008, 5008) == [None, 5000, 5000, 5000, 5000, 5000, 5008]


@pytest.mark.parametrize("by", [1, 3, 100, 4000])
def test_a_weak_counter_that_damage_makes_too_low_is_held_back_alone(by: int) -> None:
    assert shown(5000, 5000, 5008 - by - 8, 5016, 5024) == [None, 5000, None, 5000, 5016]


def test_two_weak_telegrams_that_are_too_high_do_not_hold_back_the_truth() -> None:
    # 5003 was never true; the truth is published with it until it has passed it
    assert shown(5000, 5000, 5003, 5003, 5001, 5001, 5002, 5004, 5004) == [
        *(None, 5000, 5000, 5003),
        None,
        *(5003, 5003, 5003, 5004),
    ]


def test_a_counter_that_stands_still_below_what_was_published_becomes_the_truth_in_time() -> None:
    step_s = AGREEING_S / 5
    results = admit_weak(5000, 5000, 5003, 5003, *[5000] * 6, step_s=step_s)
    assert totals(results)[4:] == [None, *[Decimal("500.3")] * 4, Decimal("500.0")]
    assert [result.epoch for result in results if isinstance(result, Sample)][-2:] == [0, 1]


def test_a_weak_counter_that_falls_far_is_held_back_for_minutes() -> None:
    assert shown(50000, 50000, 10, 10, 10, 50000) == [None, 50000, None, None, None, 50000]


def test_a_damaged_value_from_before_a_protected_telegram_confirms_nothing() -> None:
    """A meter with a checksum, of which two telegrams have lost it, and a digit."""
    guard = Guard()
    sent = [
        (sample, 5000, 500.0),
        (weak, 5003, None),
        (sample, 5001, 500.1),
        (weak, 5006, 500.1),
        (sample, 5002, 500.2),
        (weak, 5002, 500.2),
        (weak, 5004, 500.2),
        (weak, 5004, 500.4),
    ]
    results = [guard.admit(make(energy(raw), at_s=10.0 * k)) for k, (make, raw, _) in enumerate(sent)]
    assert totals(results) == [None if shown is None else Decimal(str(shown)) for _, _, shown in sent]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 9),
            st.sampled_from(["weak", "weak", "protected", "damaged"]),
            st.integers(-300, 300) | st.integers(0, 10**7),
        ),
        max_size=40,
    )
)
def test_no_single_damage_is_ever_published(telegrams: list[tuple[int, str, int]]) -> None:
    """Of a counter that rises, in telegrams of which no two in a row are damaged."""
    guard, true, published, was_damaged, undamaged = Guard(), 5000, 0, False, 0
    guard.admit(weak(energy(true), power(300), at_s=-10.0))
    for k, (step, kind, damage) in enumerate(telegrams):
        true += step
        was_damaged = kind == "damaged" and not was_damaged
        raw = max(true + damage, 0) if was_damaged else true
        make = sample if kind == "protected" else weak
        result = guard.admit(make(energy(raw), power(300), at_s=10.0 * k))
        undamaged = 0 if was_damaged else undamaged + 1
        if isinstance(result, HeldBack):
            assert undamaged < 3
            continue
        shown = next(int(register.raw) for register in result.reading.registers if register.obis == IMPORT)
        assert published <= shown <= true
        assert undamaged < 3 or shown >= true - step
        assert result.epoch == 0
        published = shown


def test_a_weak_counter_is_not_that_of_minutes_ago() -> None:
    # after a silence nothing current confirms it
    assert shown(5000, 5000, *[None] * 7, 5700, 5708) == [None, 5000, None, 5700]


def test_a_weak_counter_that_is_sent_seldom_is_published_one_telegram_late() -> None:
    results = admit_weak(5000, 5100, 5200, 5300, step_s=900.0)
    assert totals(results) == [None, None, Decimal("510.0"), Decimal("520.0")]


def test_a_weak_counter_is_not_that_of_history_either() -> None:
    guard = Guard()
    guard.remember(sample(energy(5000)))
    assert totals(admit_weak(9000, 9001, 9002, guard=guard)) == [None, Decimal("900.0"), Decimal("900.1")]


def test_a_new_code_in_a_weak_telegram_waits_alone() -> None:
    guard, tariff = Guard(), Obis.parse("1.8.1")
    admit_weak(5000, 5000, guard=guard)
    results = [guard.admit(weak(energy(5000), energy(70, obis=tariff), at_s=at_s)) for at_s in (20, 30)]
    assert [isinstance(result, Sample) and len(result.reading.registers) for result in results] == [1, 2]


def test_a_limit_holds_for_the_time_that_a_late_counter_had() -> None:
    """70 kW for two minutes, of which the second telegram confirms one."""
    guard = Guard()
    minute = MAX_POWER_W * 10 // 60
    raws = (0, 0, minute, 2 * minute, 3 * minute)
    assert totals(admit_weak(*raws, guard=guard, step_s=60.0))[2:] == [Decimal(k * minute) / 10 for k in range(3)]


@pytest.mark.parametrize(("step_s", "expected"), [(3600, [(5, 0), (9, 3600)]), (20, [(5, 0), (5, 0), (9, 20)])])
def test_a_sub_meter_that_is_weakly_protected_keeps_the_time_of_its_reading(
    step_s: int, expected: list[tuple[int, int]]
) -> None:
    guard, gas = Guard(), Obis.parse("0-1:24.2.1")
    results = []
    for k, (raw, time_s) in enumerate(((5, 0), (5, 0), (9, step_s), (9, step_s))):
        content = weak(Register(gas, raw, -3, unit_named("m³")), at_s=10.0 * k)
        reading = replace(content.reading, channel=1, meter_time=MeterTime("timestamp", time_s))
        results.append(guard.admit(replace(content, reading=reading)))
    shown = [result.reading for result in results if isinstance(result, Sample)]
    assert [(each.registers[0].raw, each.meter_time and each.meter_time.seconds) for each in shown] == expected


def test_codes_that_change_with_every_telegram_are_forgotten() -> None:
    guard = Guard()
    codes = [Obis(bytes((1, 1 + k // 256, 1, 8, k % 256, 255))) for k in range(MAX_COUNTERS + 1)]
    for at_s, obis in enumerate(codes):
        guard.admit(sample(energy(5000), energy(7, obis=obis), at_s=at_s))
    lower = [guard.admit(sample(energy(6, obis=obis), at_s=1000)) for obis in (codes[-1], codes[0], IMPORT)]
    assert [isinstance(result, HeldBack) for result in lower] == [True, False, True]


def test_another_list_between_them_does_not_end_the_wait_for_a_second_telegram() -> None:
    guard = Guard()
    assert isinstance(guard.admit(weak(energy(5000), at_s=0)), HeldBack)
    assert isinstance(guard.admit(weak(power(300), at_s=1)), Sample)
    assert isinstance(guard.admit(weak(energy(5000), at_s=2)), Sample)


def test_a_replaced_counter_is_accepted_though_other_lists_come_in_between() -> None:
    guard = Guard()
    guard.admit(sample(energy(5000), at_s=0))
    epochs = []
    for k in range(AGREEING_TELEGRAMS):
        result = guard.admit(sample(energy(10), at_s=1 + k * AGREEING_S))
        epochs.append(None if isinstance(result, HeldBack) else result.epoch)
        # a list of powers agrees with everything
        assert isinstance(guard.admit(sample(power(5), at_s=2 + k * AGREEING_S)), Sample)
    assert epochs == [None] * (AGREEING_TELEGRAMS - 1) + [1]


def test_a_list_of_whole_kwh_that_rounds_up_does_not_hold_back_the_fine_one() -> None:
    results = admit((7407857, 0), (7408, 3), (7407900, 0), (7408001, 0))
    assert totals(results) == [Decimal(text) for text in ("7407857", "7408000", "7408000", "7408001")]
    assert totals(admit((7408, 3), (7406900, 0)))[1] is None


def test_a_sum_of_tariffs_and_the_total_of_another_list_may_differ_by_their_last_digits() -> None:
    guard, derived = Guard(), replace(energy(14830986, 0), derived="sum of tariffs")
    results = [guard.admit(sample(register)) for register in (derived, energy(14830985, 0), energy(14830987, 0))]
    assert totals(results) == [Decimal(raw) for raw in (14830986, 14830986, 14830987)]
    assert isinstance(guard.admit(sample(energy(14830986, 0))), HeldBack)


def test_what_history_holds_with_its_time_limits_the_next_increase() -> None:
    guard = Guard()
    guard.remember(sample(energy(5000)), at_s=-3600.0)
    assert isinstance(guard.admit(sample(energy(5000 + 100 * MAX_POWER_W))), HeldBack)
    assert isinstance(guard.admit(sample(energy(5000 + 10 * MAX_POWER_W))), Sample)
    # known without its time at first
    late = Guard()
    late.remember(sample(energy(5000)))
    late.remember(sample(energy(5000)), at_s=-3600.0)
    assert isinstance(late.admit(sample(energy(5000 + 100 * MAX_POWER_W))), HeldBack)
