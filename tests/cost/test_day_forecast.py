from datetime import date, timedelta
from decimal import Decimal

from iskra_server.cost.day_forecast import LOOK_BACK, Band, RuleName, band, forecast_days

# a Monday
TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)


def week(*amounts: str, weeks: int = 12) -> dict[date, Decimal]:
    """The weeks before today; seven amounts, Monday first."""
    return {TODAY - (7 * weeks - place) * DAY: Decimal(amounts[place % 7]) for place in range(7 * weeks)}


DAYS = week("1", "2", "3", "4", "5", "6", "7")


def test_a_day_costs_the_mean_of_the_same_weekdays() -> None:
    assert forecast_days(DAYS, TODAY, {TODAY: Decimal(1), TODAY + 6 * DAY: Decimal(1)}) == 8
    more = DAYS | {TODAY - 7 * DAY: Decimal(9)}
    assert forecast_days(more, TODAY, {TODAY: Decimal(1)}) == 2
    assert forecast_days(more, TODAY, {TODAY + 28 * DAY: Decimal("0.5")}) == 1


def test_only_the_eight_weeks_before_count() -> None:
    old = DAYS | {TODAY - 63 * DAY: Decimal(1000)}
    assert forecast_days(old, TODAY, {TODAY: Decimal(1)}) == 1


def test_a_weekday_of_which_little_is_known_is_not_forecast() -> None:
    short = {day: amount for day, amount in DAYS.items() if day >= TODAY - 13 * DAY}
    assert forecast_days(short, TODAY, {TODAY + DAY: Decimal(1)}) == 2
    assert forecast_days(short, TODAY, {TODAY: Decimal(1)}) is None


def test_nothing_left_costs_nothing() -> None:
    assert forecast_days({}, TODAY, {}) == 0


def test_a_rule_that_was_always_right_has_a_band_without_width() -> None:
    found = band(week("1", "2", "3", "4", "5", "6", "7", weeks=40), TODAY, "weekday", Decimal(7), Decimal(100))
    assert found == Band(Decimal(100), Decimal(100), 26)


def test_the_band_is_made_of_the_errors_of_the_past() -> None:
    """Days cost 1 a year ago; since then one week costs 7 more and the next 7 less than a year before."""
    days = {TODAY - place * DAY: Decimal(10) for place in range(364, 364 + 28 * 7)}
    days |= {TODAY - place * DAY: Decimal(10) + (1 if (place - 1) // 7 % 2 else -1) for place in range(1, 28 * 7)}
    found = band(days, TODAY, "year_before", Decimal(7), Decimal(100))
    assert found == Band(Decimal(93), Decimal(107), 26)
    longer = band(days, TODAY, "year_before", Decimal("3.5"), Decimal(100))
    assert longer == Band(Decimal("96.5"), Decimal("103.5"), 26)


def test_a_rest_longer_than_a_window_is_wrong_in_proportion() -> None:
    days = {TODAY - place * DAY: Decimal(10) for place in range(364, 364 + 40 * 7)}
    days |= {TODAY - place * DAY: Decimal(11) for place in range(1, 40 * 7)}
    for rest, high in (28, 128), (280, 380):
        found = band(days, TODAY, "year_before", Decimal(rest), Decimal(100))
        # every forecast was too low: the forecast itself stays inside
        assert found == Band(Decimal(100), Decimal(high), 26)


def test_a_band_needs_eight_measured_windows() -> None:
    rules: tuple[RuleName, ...] = ("weekday", "year_before", "mean")
    for rule in rules:
        assert band({}, TODAY, rule, Decimal(7), Decimal(1)) is None
    assert band(week(*"1234567", weeks=9), TODAY, "weekday", Decimal(7), Decimal(1)) is None
    found = band(week(*"1234567", weeks=10), TODAY, "weekday", Decimal(7), Decimal(1))
    assert found and found.windows == 8


def test_a_window_counts_if_nine_tenths_of_it_were_measured() -> None:
    full = week(*"1234567", weeks=20)

    def windows(missing: int) -> int:
        hole = [TODAY - (20 - place) * DAY for place in range(missing)]
        days = {day: amount for day, amount in full.items() if day not in hole}
        found = band(days, TODAY, "mean", Decimal(28), Decimal(1))
        return found.windows if found else 0

    assert windows(0) == windows(2) >= 8
    assert windows(5) < windows(0)


def test_the_mean_is_of_all_days_before() -> None:
    days = {TODAY - place * DAY: Decimal(2) for place in range(1, 120)}
    found = band(days, TODAY, "mean", Decimal(28), Decimal(50))
    assert found and found.low == found.high == Decimal(50)


def test_no_window_looks_further_back_than_is_loaded() -> None:
    days = {TODAY - place * DAY: Decimal(place % 11) for place in range(1, LOOK_BACK.days + 200)}
    loaded = {day: amount for day, amount in days.items() if day >= TODAY - LOOK_BACK}
    for rule in ("weekday", "year_before"):
        name: RuleName = "weekday" if rule == "weekday" else "year_before"
        assert band(days, TODAY, name, Decimal(28), Decimal(1)) == band(loaded, TODAY, name, Decimal(28), Decimal(1))
