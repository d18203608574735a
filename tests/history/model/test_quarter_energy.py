from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from iskra_server.history.model.energy import energy_between
from iskra_server.history.model.quarter_energy import EnergyColumn, RawGap, columns_of, energy_column
from iskra_server.history.model.records import EpochStart, Exact, QuarterReading
from samples import IMPORT, METER_ID
from web.past import Q, anew, counted


def test_a_quarter_has_the_difference_of_its_edges_and_a_gap_its_sum() -> None:
    column = energy_column(columns_of(counted([1000, 1012, 1027, None, None, 1060, 1069])), None, (Q, Q + 7), [])
    assert column is not None
    assert column.raws == [12, 15, 0, 0, 0, 9, 0]
    assert column.gaps == [RawGap(Q + 2, Q + 5, 33)]
    assert column.scaler == -1


def test_a_gap_reaches_back_to_the_reading_before() -> None:
    (before,) = counted([900], first=Q - 3)
    column = energy_column(columns_of(counted([1000, 1001])), before, (Q, Q + 2), [])
    assert column is not None
    assert (column.raws, column.gaps) == ([1, 0], [RawGap(Q - 3, Q, 100)])


def test_a_quarter_between_two_epochs_has_what_was_measured() -> None:
    readings = [*counted([1000]), *counted([7], first=Q + 1, epoch=1)]
    column = energy_column(columns_of(readings), None, (Q, Q + 1), [anew(Q * 900 + 60, 1030, 5)])
    assert column is not None
    assert (column.raws, column.gaps) == ([32], [])


def test_a_scaler_that_changes_makes_the_finer_one_hold() -> None:
    readings = [
        QuarterReading(METER_ID, IMPORT, Q, Exact(10, 3), "measured"),
        QuarterReading(METER_ID, IMPORT, Q + 1, Exact(11, 3), "interpolated"),
        *counted([110_012, 110_015], first=Q + 2),
    ]
    column = energy_column(columns_of(readings), None, (Q, Q + 3), [])
    assert column is not None
    assert (column.raws, column.scaler) == ([10_000, 12, 3], -1)


def test_a_part_after_the_last_reading_is_as_long_and_has_no_energy() -> None:
    column = EnergyColumn(1000, 0, [0] * 400, [], (1050, 1090))
    for begin, end in ((1100, 1300), (1000, 1050), (1092, 1112), (1200, 1400)):
        assert column.part(begin, end).measured() == bytearray(end - begin)
    assert column.part(1040, 1120).measured() == bytearray(10) + b"\1" * 40 + bytearray(30)


def test_without_readings_there_is_no_column() -> None:
    assert energy_column(columns_of([]), None, (Q, Q + 3), []) is None


readings = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 1), st.integers(-2, 0), st.integers(0, 10**6)),
    min_size=2,
    unique_by=lambda row: row[0],
)


@given(readings)
def test_energies_and_gaps_add_up_to_the_whole_difference(rows: list[tuple[int, int, int, int]]) -> None:
    later = sorted(row[0] for row in rows)[len(rows) // 2]
    found = [
        QuarterReading(METER_ID, IMPORT, Q + quarter, Exact(raw, scaler), "measured", int(quarter >= later))
        for quarter, _, scaler, raw in sorted(rows)
    ]
    epochs = [EpochStart(METER_ID, IMPORT, 1, (Q + later) * 900, Exact(77, -2), Exact(5, -1))]
    column = energy_column(columns_of(found), None, (Q, Q + 41), epochs)
    assert column is not None
    total = Decimal(sum(column.raws) + sum(gap.raw for gap in column.gaps)).scaleb(column.scaler)
    assert total == energy_between(found[0], found[-1], epochs)
