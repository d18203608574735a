from datetime import date
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from iskra_server.cost.amounts import Amount, Parts
from iskra_server.cost.contracts import Contract
from iskra_server.cost.forecast import MeasuredEnergy, forecast
from iskra_server.cost.tariffs import PriceWindow, SpotShare, Tariff, Terms

UTC = ZoneInfo("UTC")
DAY = 96
YEAR = (0, 365 * DAY)
CONTRACT = Contract(
    begins=date(1970, 1, 1), energy_price=Decimal("0.30"), feed_in=Decimal("0.08"), base_fee=Decimal("10")
)
QUARTER_OF_IT = MeasuredEnergy(0, 73 * DAY, Decimal("730000"), Decimal("146000"))


def test_without_a_year_before_the_mean_so_far_goes_on() -> None:
    found = forecast(CONTRACT, YEAR, QUARTER_OF_IT, None, UTC)
    assert found is not None
    assert found.basis == "mean"
    assert (found.import_wh, found.export_wh) == (Decimal(3650000), Decimal(730000))
    # 3650 kWh at 0.30, less 730 kWh at 0.08, and twelve months at 10
    assert found.amount.total == Decimal("1095") - Decimal("58.4") + 120


def test_the_rest_is_taken_to_be_as_it_was_a_year_before() -> None:
    before = MeasuredEnergy(73 * DAY - 365 * DAY, 0, Decimal("2000000"))
    found = forecast(CONTRACT, YEAR, QUARTER_OF_IT, before, UTC)
    assert found is not None
    assert found.basis == "year_before" and found.import_wh == 2730000


def test_a_year_before_of_which_too_little_was_measured_does_not_count() -> None:
    before = MeasuredEnergy(-100 * DAY, 0, Decimal("2000000"))
    found = forecast(CONTRACT, YEAR, QUARTER_OF_IT, before, UTC)
    assert found is not None and found.basis == "mean"


def test_the_time_before_history_began_counts_as_the_mean() -> None:
    found = forecast(CONTRACT, YEAR, MeasuredEnergy(73 * DAY, 146 * DAY, Decimal("730000")), None, UTC)
    assert found is not None and found.import_wh == 3650000


def test_some_days_say_nothing_of_a_year() -> None:
    assert forecast(CONTRACT, YEAR, None, None, UTC) is None
    assert forecast(CONTRACT, YEAR, MeasuredEnergy(0, 6 * DAY, Decimal("60000")), None, UTC) is None


def test_the_forecast_of_a_past_year_is_what_was_measured() -> None:
    found = forecast(CONTRACT, YEAR, MeasuredEnergy(*YEAR, Decimal("1000")), None, UTC)
    assert found is not None and found.import_wh == 1000


NIGHT = PriceWindow("night", frozenset(range(1, 13)), frozenset(range(7)), 88, 120, Decimal("0.10"))
VARYING = Contract(
    begins=date(1970, 1, 1),
    terms=Terms(
        energy=Tariff(Decimal("0.25"), (NIGHT,)),
        grid=Tariff(Decimal("0.05")),
        vat_percent=Decimal(20),
        feed_in=Tariff(Decimal("0.08")),
    ),
    grid_credit=Decimal(500),
)


def test_a_price_that_changes_counts_with_its_mean_so_far() -> None:
    cost = Amount(imported=Decimal(146), parts=Parts(grid=Decimal("36.5")), unpriced_import_wh=Decimal(0))
    found = forecast(VARYING, YEAR, MeasuredEnergy(0, 73 * DAY, Decimal(730_000), cost=cost), None, UTC)
    assert found is not None and found.import_wh == 3_650_000
    # 0.20 a kWh; the grid costs 0.05 and 20 %, less than the credit
    assert (found.amount.imported, found.amount.exported) == (Decimal(730), Decimal(0))
    assert found.amount.credit == 3650 * Fraction(6, 100)


def test_energy_without_a_price_counts_with_the_mean_of_the_rest() -> None:
    cost = Amount(imported=Decimal(73), unpriced_import_wh=Decimal(365_000))
    so_far = MeasuredEnergy(0, 73 * DAY, Decimal(730_000), Decimal(100_000), cost=cost)
    found = forecast(VARYING, YEAR, so_far, None, UTC)
    # 0.20 a kWh for the whole year
    assert found is not None and found.amount.imported == Decimal("0.2") * 3650


def test_without_any_known_price_nothing_is_forecast() -> None:
    spot = replace(VARYING, terms=Terms(energy=Tariff(spot=SpotShare("DE-LU"))))
    measured = MeasuredEnergy(0, 73 * DAY, Decimal(730_000), cost=Amount(unpriced_import_wh=Decimal(730_000)))
    assert forecast(spot, YEAR, measured, None, UTC) is None
    assert forecast(spot, YEAR, MeasuredEnergy(0, 73 * DAY, Decimal(0)), measured, UTC) is not None
    before = MeasuredEnergy(73 * DAY - 365 * DAY, 0, Decimal(2_000_000))
    assert forecast(spot, YEAR, MeasuredEnergy(0, 73 * DAY, Decimal(0)), before, UTC) is None
