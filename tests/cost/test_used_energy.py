from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from iskra_server.cost.tariffs import Rate, SpotShare
from iskra_server.cost.used_energy import UsedEnergy, UseOfPeriod, parts_of, used_at_spot
from iskra_server.meter.obis import EXPORT, IMPORT

NET = Rate(Decimal("0.1"), Decimal("0.09"), (("tax", Decimal("0.02")), ("kwkg", Decimal("0.005"))), Decimal(19))


def test_the_parts_of_a_cost_add_up_to_energy_times_the_gross_price() -> None:
    parts = parts_of(NET, UsedEnergy(Decimal(2000)))
    assert (parts.energy, parts.grid, dict(parts.levies)) == (
        Decimal("0.2"),
        Decimal("0.18"),
        {"tax": Decimal("0.04"), "kwkg": Decimal("0.01")},
    )
    gross = NET.gross()
    assert gross is not None and parts.total == 2 * gross and parts.vat == Decimal("0.43") * Decimal("0.19")


def test_a_gross_price_has_no_parts() -> None:
    parts = parts_of(Rate(Decimal("0.3"), is_gross=True), UsedEnergy(Decimal(1000)))
    assert [parts.unsplit, parts.energy, parts.vat, parts.total] == [Decimal("0.3"), 0, 0, Decimal("0.3")]


def test_energy_is_added_by_its_rate_and_estimates_are_shown_apart() -> None:
    use, feed_in = UseOfPeriod(), Rate(Decimal("0.08"))
    assert not use
    use.add(IMPORT, NET, UsedEnergy(Decimal(500)))
    use.add(IMPORT, NET, UsedEnergy(Decimal(300), unpriced_wh=Decimal(7)))
    use.add(IMPORT, NET, UsedEnergy(Decimal(200)), is_estimate=True)
    use.add(EXPORT, feed_in, UsedEnergy(Decimal(1000)), is_estimate=True)
    amount, gross = use.amount(), NET.gross()
    assert use and gross is not None
    assert [amount.imported, amount.exported] == [gross, Decimal("0.08")]
    assert [amount.unpriced_import_wh, amount.estimated_import_wh, amount.estimated_export_wh] == [7, 200, 1000]
    assert amount.estimated == gross / 5 - Decimal("0.08")


_percentages = st.decimals(-50, 50, places=4)


@given(
    st.lists(st.tuples(st.integers(0, 50_000), st.none() | st.integers(-(10**11), 10**11)), max_size=50),
    st.integers(-4, 0),
    _percentages,
    _percentages,
    st.booleans(),
)
def test_energy_at_spot_prices_costs_the_sum_of_its_quarters(
    quarters: list[tuple[int, int | None]], scaler: int, percent: Decimal, percent_negative: Decimal, unpaid: bool
) -> None:
    share = SpotShare("AT", 1 + percent / 100, 1 + percent_negative / 100, unpaid_when_negative=unpaid)
    rate = Rate(Decimal("0.0215"), Decimal("0.09"), vat_percent=Decimal("8.1"), spot=share)
    used = used_at_spot(share, [raw for raw, _ in quarters], scaler, [price for _, price in quarters])
    expected, unpriced = Decimal(0), Decimal(0)
    for raw, price in quarters:
        kwh = Decimal(raw).scaleb(scaler - 3)
        gross = rate.gross(None if price is None else Decimal(price).scaleb(-11))
        if gross is None:
            unpriced += kwh * 1000
        else:
            expected += kwh * gross
    assert parts_of(rate, used).total == expected
    assert used.unpriced_wh == unpriced
