from random import Random
from statistics import mean

from iskra_server.simulator.appliances import DAY_S, HOUR, MONDAY_1970, SATURDAY, Load, loads

DAYS = range(20_500, 20_640)


def day_loads(day: int) -> list[Load]:
    return loads(day, Random(day))


def is_weekend(day: int) -> bool:
    return (day + MONDAY_1970) % 7 >= SATURDAY


def kettle(day: int) -> int:
    return min(load.start for load in day_loads(day) if load.power_mw == 2_050_000)


def test_every_load_lies_within_the_day_and_on_a_phase() -> None:
    for load in (load for day in DAYS for load in day_loads(day)):
        assert 0 <= load.start < load.end <= DAY_S
        assert load.phase in (0, 1, 2)
        assert load.power_mw > 0


def test_the_same_chance_gives_the_same_day_and_another_another() -> None:
    assert loads(DAYS[0], Random(1)) == loads(DAYS[0], Random(1)) != loads(DAYS[0], Random(2))


def test_people_rise_later_at_the_weekend() -> None:
    weekend = [kettle(day) for day in DAYS if is_weekend(day)]
    assert mean(weekend) - mean(kettle(day) for day in DAYS if not is_weekend(day)) > HOUR
    assert len(weekend) == 40


def test_a_day_uses_what_a_small_household_uses() -> None:
    kwh = [sum((load.end - load.start) * load.power_mw for load in day_loads(day)) / 3.6e9 for day in DAYS]
    assert 4 < mean(kwh) < 10
    assert max(kwh) > 1.5 * min(kwh)


def test_nothing_is_ever_off_altogether_and_cooking_draws_kilowatts() -> None:
    day = day_loads(DAYS[0])
    assert {load.phase for load in day if (load.start, load.end) == (0, DAY_S)} == {0, 1, 2}
    assert max(load.power_mw for load in day) >= 1_800_000
