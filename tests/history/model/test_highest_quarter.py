from decimal import Decimal

from iskra_server.history.model.highest_quarter import QuarterEnergy, highest_quarter, quarter_energies
from iskra_server.history.model.records import EpochStart, Exact, QuarterReading
from samples import IMPORT, METER_ID
from web.past import counted


def test_each_quarter_with_readings_at_both_edges_has_its_energy() -> None:
    readings = counted([0, 1000, None, 3000, 3500], first=100)
    assert list(quarter_energies(readings, [])) == [
        QuarterEnergy(100, Decimal("100.0")),
        QuarterEnergy(103, Decimal("50.0")),
    ]


def test_over_a_restart_only_what_both_sides_measured_counts() -> None:
    readings = [
        QuarterReading(METER_ID, IMPORT, 100, Exact(5000, -1), "measured", 0),
        QuarterReading(METER_ID, IMPORT, 101, Exact(30, -1), "measured", 1),
    ]
    epochs = [EpochStart(METER_ID, IMPORT, 1, 100 * 900 + 400, Exact(5070, -1), Exact(0, -1))]
    assert list(quarter_energies(readings, epochs)) == [QuarterEnergy(100, Decimal("10.0"))]


def test_the_first_of_the_highest_quarters_counts() -> None:
    energies = [QuarterEnergy(quarter, Decimal(energy)) for quarter, energy in ((1, 5), (2, 1500), (3, 1500), (4, 0))]
    highest = highest_quarter(energies)
    assert highest is not None and (highest.quarter, highest.power_w) == (2, Decimal(6000))


def test_without_any_energy_there_is_none() -> None:
    assert highest_quarter([]) is None
    assert highest_quarter([QuarterEnergy(1, Decimal(0))]) is None
