from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from iskra_server.history.model.common_quarters import CommonEnergy, add, common_energies
from iskra_server.history.model.quarter_energy import EnergyColumn, columns_of, energy_column
from trying import tries
from web.past import Q, counted

D = Decimal


def column(*values: int | None) -> EnergyColumn | None:
    """Of a counter in 0.1 Wh; None where it was not read."""
    return energy_column(columns_of(counted(values)), None, (Q, Q + len(values) - 1), [])


def test_a_quarter_counts_that_every_counter_has() -> None:
    columns = [column(0, 120, 270, 380, 470), column(0, 30, 70, None, 160)]
    (period,), whole = common_energies(columns, (Q, Q + 4))
    assert period == whole == CommonEnergy((D(27), D(7)), 2, (4, 2))


def test_a_gap_that_all_have_counts_with_its_sum() -> None:
    columns = [column(0, 120, None, None, 470), column(0, 30, None, None, 160)]
    (period,), _ = common_energies(columns, (Q, Q + 4))
    assert period == CommonEnergy((D(47), D(16)), 4, (4, 4))


def test_a_gap_over_an_edge_is_in_the_sum_alone() -> None:
    columns = [column(0, 120, None, 380, 470), column(0, 30, None, 90, 160)]
    periods, whole = common_energies(columns, (Q, Q + 2, Q + 4))
    assert periods == [CommonEnergy((D(12), D(3)), 1, (1, 1)), CommonEnergy((D(9), D(7)), 1, (1, 1))]
    assert whole == CommonEnergy((D(47), D(16)), 4, (4, 4))


def test_a_counter_without_a_reading_leaves_nothing_to_count() -> None:
    periods, whole = common_energies([column(0, 120, 130), None], (Q, Q + 1, Q + 2))
    assert [(period.quarters, period.covered) for period in periods] == [(0, (1, 0)), (0, (1, 0))]
    assert whole.quarters == 0


values = st.lists(st.one_of(st.none(), st.integers(0, 10**6)), min_size=9, max_size=9).map(
    lambda steps: [
        None if step is None else sum(one or 0 for one in steps[: place + 1]) for place, step in enumerate(steps)
    ]
)


@given(st.lists(values, min_size=2, max_size=4), st.sets(st.integers(1, 7)))
@tries()
def test_it_is_the_sum_of_the_quarters_one_by_one(counters: list[list[int | None]], inner: set[int]) -> None:
    """Against the definition: between two neighbouring quarters at which every counter was read."""
    edges = [0, *sorted(inner), 8]
    periods, whole = common_energies([column(*one) for one in counters], [Q + edge for edge in edges])
    for begin, end, period in zip(edges, edges[1:], periods, strict=False):
        assert (period.energies, period.quarters) == expected(counters, begin, end)
    assert (whole.energies, whole.quarters) == expected(counters, 0, 8)
    assert sum(period.quarters for period in periods) <= whole.quarters


def expected(counters: list[list[int | None]], begin: int, end: int) -> tuple[tuple[Decimal, ...], int]:
    """A step counts if each counter has a reading at its ends, and none in between."""
    energies, quarters = [D(0)] * len(counters), 0
    for first in range(begin, end):
        for last in range(first + 1, end + 1):
            at_ends = all(one[first] is not None and one[last] is not None for one in counters)
            inside = any(one[place] is not None for one in counters for place in range(first + 1, last))
            if at_ends and not inside:
                quarters += last - first
                for place, one in enumerate(counters):
                    energies[place] += D((one[last] or 0) - (one[first] or 0)).scaleb(-1)
    return tuple(energies), quarters


def test_two_periods_are_added() -> None:
    assert add(CommonEnergy((D(1), D(2)), 3, (3, 4)), CommonEnergy((D(10), D(20)), 30, (30, 40))) == CommonEnergy(
        (D(11), D(22)), 33, (33, 44)
    )
