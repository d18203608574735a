from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from iskra_server.cost.contracts import Contract
from iskra_server.cost.forecast import MeasuredEnergy, forecast

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


def test_a_year_before_of_which_too_little_is_known_does_not_count() -> None:
    before = MeasuredEnergy(-100 * DAY, 0, Decimal("2000000"))
    found = forecast(CONTRACT, YEAR, QUARTER_OF_IT, before, UTC)
    assert found is not None and found.basis == "mean"


def test_the_time_before_history_began_counts_as_the_mean() -> None:
    found = forecast(CONTRACT, YEAR, MeasuredEnergy(73 * DAY, 146 * DAY, Decimal("730000")), None, UTC)
    assert found is not None and found.import_wh == 3650000


def test_some_days_say_nothing_of_a_year() -> None:
    assert forecast(CONTRACT, YEAR, None, None, UTC) is None
    assert forecast(CONTRACT, YEAR, MeasuredEnergy(0, 6 * DAY, Decimal("60000")), None, UTC) is None


def test_a_year_that_is_over_is_what_was_measured() -> None:
    found = forecast(CONTRACT, YEAR, MeasuredEnergy(*YEAR, Decimal("1000")), None, UTC)
    assert found is not None and found.import_wh == 1000
