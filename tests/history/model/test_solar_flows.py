from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from iskra_server.history.model.common_quarters import common_energies
from iskra_server.history.model.quarter_energy import columns_of, energy_column
from iskra_server.history.model.solar_flows import SolarFlows
from trying import tries
from web.past import Q, counted

D = Decimal
quarters = st.lists(st.tuples(*[st.integers(0, 5000)] * 3), min_size=1, max_size=60)


def test_a_sunny_quarter() -> None:
    flows = SolarFlows(imported=D(0), exported=D("800.5"), production=D(1000))
    assert (flows.self_consumption, flows.consumption) == (D("199.5"), D("199.5"))
    assert (flows.self_consumption_rate, flows.self_sufficiency) == (D("0.1995"), D(1))


def test_at_night_there_is_no_rate_of_the_production() -> None:
    flows = SolarFlows(imported=D(50), exported=D(0), production=D(0))
    assert (flows.consumption, flows.self_consumption_rate, flows.self_sufficiency) == (D(50), None, D(0))


def test_without_consumption_there_is_no_self_sufficiency() -> None:
    assert SolarFlows(D(0), D(7), D(7)).self_sufficiency is None
    assert SolarFlows(D(0), D(0), D(0)).self_consumption_rate is None


@pytest.mark.parametrize(("imported", "exported", "production"), [(0, 501, 500), (120, 90, 0)])
def test_nothing_is_clipped(imported: int, exported: int, production: int) -> None:
    """Rounding at an edge, or a battery that feeds the grid."""
    flows = SolarFlows(D(imported), D(exported), D(production))
    assert flows.self_consumption == production - exported < 0
    assert flows.consumption == imported + production - exported


@given(quarters, st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60)))
@tries()
def test_energy_is_conserved_in_every_period(
    flows: list[tuple[int, int, int]], grid_gaps: set[int], plant_gaps: set[int]
) -> None:
    """From the counters of a household: self-consumption, import and export."""
    counters = [[0], [0], [0]]
    for self_consumed, imported, exported in flows:
        for counter, energy in zip(counters, (imported, exported, self_consumed + exported), strict=True):
            counter.append(counter[-1] + energy)
    columns = [
        energy_column(columns_of(readings), None, (Q, Q + len(flows)), [])
        for counter, gaps in zip(counters, (grid_gaps, grid_gaps, plant_gaps), strict=True)
        if (readings := [row for row in counted(counter) if row.quarter - Q not in gaps])
    ]
    assume(len(columns) == 3)
    edges = sorted({Q, Q + len(flows) // 3, Q + len(flows)})
    periods, whole = common_energies(columns, edges)
    assert periods
    for period in (*periods, whole):
        one = SolarFlows(*period.energies)
        assert one.production == one.self_consumption + one.exported
        assert one.consumption == one.imported + one.self_consumption
        assert one.self_consumption >= 0 and one.consumption >= 0
        for rate in (one.self_consumption_rate, one.self_sufficiency):
            assert rate is None or 0 <= rate <= 1
    if not grid_gaps | plant_gaps:
        assert whole.quarters == len(flows)
        assert SolarFlows(*whole.energies).self_consumption == D(sum(flow[0] for flow in flows)).scaleb(-1)
