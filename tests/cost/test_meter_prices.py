from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from iskra_server.cost.contracts import Contract
from iskra_server.cost.meter_prices import meter_prices, plain, today_and_tomorrow, zone_of
from iskra_server.cost.price_columns import no_spot_prices
from iskra_server.cost.tariffs import SpotShare, Tariff, Terms

BERLIN = ZoneInfo("Europe/Berlin")
SPOT = Contract(
    begins=date(2026, 1, 1),
    terms=Terms(energy=Tariff(price=Decimal("0.02"), spot=SpotShare(zone="DE-LU")), vat_percent=Decimal(19)),
)
FIXED = Contract(begins=date(2025, 1, 1), energy_price=Decimal("0.3000"), feed_in=Decimal("0.08"))


def test_prices_have_no_zeros_at_their_end() -> None:
    assert [str(plain(Decimal(text))) for text in ("0.326500", "100.000", "-0.10", "0.00")] == [
        *("0.3265", "100", "-0.1", "0"),
    ]


def test_today_and_tomorrow_are_local_days() -> None:
    begin, end = today_and_tomorrow(datetime(2026, 3, 27, 23, 30, tzinfo=UTC), BERLIN)
    assert datetime.fromtimestamp(begin * 900, BERLIN).isoformat() == "2026-03-28T00:00:00+01:00"
    # an hour is missing on the 29th
    assert end - begin == 96 + 92


def test_each_quarter_has_the_price_of_its_contract_and_unknown_ones_have_none() -> None:
    begin, _ = today_and_tomorrow(datetime(2025, 12, 31, tzinfo=UTC), BERLIN)
    prices = meter_prices([SPOT, FIXED], begin, begin + 98, lambda *_: {begin + 96: 100_000_000}, BERLIN)
    assert prices.imports == [Decimal("0.3")] * 96 + [Decimal("0.1428"), None]
    assert (prices.exports[95:], prices.end) == ([Decimal("0.08"), 0, 0], begin + 98)


def test_the_cheapest_hours_begin_at_the_next_quarter_at_the_earliest() -> None:
    begin, end = today_and_tomorrow(datetime(2026, 11, 22, tzinfo=UTC), BERLIN)
    spot = {quarter: 1_000_000 * (quarter - begin) for quarter in range(begin, end)}
    prices = meter_prices([SPOT], begin, end, lambda *_: spot, BERLIN)
    assert [found.begin - begin for found in prices.cheapest(begin * 900)] == [0, 0, 0, 0]
    assert [found.begin - begin for found in prices.cheapest(begin * 900 + 1)] == [1, 1, 1, 1]
    assert meter_prices([FIXED], begin, end, no_spot_prices, BERLIN).cheapest(begin * 900) == []


def test_the_zone_of_a_contract() -> None:
    moments = datetime(2025, 6, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)
    assert [zone_of([FIXED, SPOT], moment, BERLIN) for moment in moments] == ["", "DE-LU", ""]
