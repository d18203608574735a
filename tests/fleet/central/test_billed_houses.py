"""What a landlord is told of random houses is what an oracle finds in the events: sums, statements, shares, files.

IES_TEST_EXAMPLES=300 asks about as many houses.
"""

from random import Random

import pytest

from fleet.central.billed_house import BERLIN, NEVER, House
from fleet.central.billing_papers import check_shares, check_statements
from fleet.central.billing_questions import GROUPS, ZONES, Told
from iskra_server.fleet.central.rollup_refresh import refresh
from iskra_server.history.store.store import Store
from trying import seeds


def check_some(told: Told, seed: int) -> None:
    """Some of all questions: the next house is asked others."""
    random = Random(seed)
    days, months, years = told.days, told.months, told.years
    zone = random.choice(ZONES)
    told.check_energy(random.sample(GROUPS, 3), [(days, "day", BERLIN), (months, "month", BERLIN)])
    told.check_energy(random.sample(GROUPS, 2), [(years, "year", random.choice(ZONES[:2])), (days, "hour", zone)])
    told.check_energy(random.sample(GROUPS, 1), [(days, "15min", zone)])
    told.check_quarters(random.sample(GROUPS, 2), zone)
    check_statements(told, random, months, BERLIN)
    check_statements(told, random, days, zone)
    told.check_groups()
    check_shares(told, random, days)


@pytest.mark.parametrize("seed", seeds(1))
def test_a_landlord_is_told_the_truth(store: Store, seed: int) -> None:
    house = House(seed)
    house.arrive(store)
    house.label(store)
    check_some(Told(store, house), seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", seeds(1))
def test_so_he_is_while_roll_ups_are_computed_and_quarters_come_late(store: Store, seed: int) -> None:
    house = House(seed)
    told, groups = Told(store, house), Random(seed).sample(GROUPS, 2)
    late, now_s = house.days[-2] - 30, house.days[-1] * 900 + 90_000
    house.arrive(store, late)
    house.label(store)
    days, months = (told.days, "day", BERLIN), (told.months, "month", BERLIN)
    for flat in house.all:
        flat.know(late)
    for steps in (1, 2, 100):
        for _ in range(steps):
            refresh(store, now_s, BERLIN)
        told.check_energy(groups, [days])
    house.arrive(store)
    for flat in house.all:
        flat.know(NEVER)
    told.check_energy(groups, [days, months])
    while refresh(store, now_s, BERLIN):
        pass
    told.check_energy(groups, [days, months, (told.years, "year", BERLIN)])
