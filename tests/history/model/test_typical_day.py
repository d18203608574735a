from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from iskra_server.history.model.highest_quarter import QuarterEnergy
from iskra_server.history.model.typical_day import TypicalQuarter, typical_days

BERLIN = ZoneInfo("Europe/Berlin")


def energy(text: str, wh: int) -> QuarterEnergy:
    return QuarterEnergy(int(datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()) // 900, Decimal(wh))


def test_each_weekday_has_its_median_and_the_band_of_the_middle_half() -> None:
    # Mondays at 18:15
    energies = [energy(f"2026-06-{day:02} 18:15", wh) for day, wh in ((1, 100), (8, 500), (15, 200), (22, 300))]
    monday, tuesday, *_ = typical_days(energies, BERLIN)
    assert (monday.weekday, monday.days, len(monday.quarters)) == (1, 4, 96)
    # as power: four times the energy of a quarter
    assert monday.quarters[18 * 4 + 1] == TypicalQuarter(Decimal(400), Decimal(800), Decimal(1200))
    assert [place for place, quarter in enumerate(monday.quarters) if quarter] == [73]
    assert (tuesday.days, set(tuesday.quarters)) == (0, {None})


def test_fewer_than_three_days_are_not_typical() -> None:
    energies = [energy(f"2026-06-{day:02} 18:15", 100) for day in (1, 8)]
    assert set(typical_days(energies, BERLIN)[0].quarters) == {None}


def test_where_the_clocks_change_an_hour_is_missing_or_counts_twice() -> None:
    begin = int(datetime(2026, 10, 25, tzinfo=BERLIN).timestamp()) // 900
    autumn = typical_days((QuarterEnergy(begin + place, Decimal(place)) for place in range(100)), BERLIN)
    assert autumn[6].days == 1
    begins = [int(datetime(2026, *day, tzinfo=BERLIN).timestamp()) // 900 for day in ((3, 29), (4, 5), (4, 12))]
    sundays = [QuarterEnergy(begin + place, Decimal(1)) for begin in begins for place in range(92)]
    spring = typical_days(sundays, BERLIN)[6]
    # 2:00 to 3:00 was not on the first of them
    assert [place for place in range(80) if spring.quarters[place] is None] == [8, 9, 10, 11]
