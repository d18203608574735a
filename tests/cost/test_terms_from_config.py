from decimal import Decimal
from typing import Any

import msgspec
import pytest

from iskra_server.config import ContractConfig
from iskra_server.cost.tariffs import SpotShare, Tariff, Terms
from iskra_server.cost.terms_from_config import levies_of, terms_of
from iskra_server.cost.windows_from_config import Problems
from iskra_server.meter.obis import Obis

DAY, NIGHT = Obis.parse("1.8.1"), Obis.parse("1.8.2")
WINDOW = {"name": "HT", "from": "17:00", "to": "20:00", "price": 0.2}


def read(**keys: Any) -> tuple[Terms | None, Problems]:
    problems: Problems = []
    keys = {("feed_in_terms" if name == "feed_in" and isinstance(value, dict) else name): value
            for name, value in keys.items()}  # fmt: skip
    return terms_of(msgspec.convert(keys, ContractConfig), "contracts.1", problems), problems


def terms(**keys: Any) -> Terms:
    found, problems = read(**keys)
    assert found is not None and problems == []
    return found


def sentences(**keys: Any) -> list[str]:
    return [str(problem) for problem in read(**keys)[1]]


def test_one_fixed_gross_price_has_no_terms() -> None:
    assert read(energy_price=0.3265, feed_in=0.08, base_fee=10.0) == (None, [])


def test_the_price_of_each_kind_is_read() -> None:
    assert terms(energy={"price": 0.21}).energy == Tariff(Decimal("0.21"))
    spot = {"kind": "spot", "zone": "AT", "per": "hour", "percent": 3.0, "percent_negative": -3.0, "fixed": 0.015}
    share = SpotShare("AT", Decimal("1.03"), Decimal("0.97"), is_hourly=True)
    assert terms(energy=spot).energy == Tariff(Decimal("0.015"), spot=share)
    windows = terms(energy={"kind": "windows", "default": 0.1, "windows": [WINDOW]}).energy
    assert (windows.price, [window.name for window in windows.windows]) == (Decimal("0.1"), ["HT"])
    registers = terms(energy={"kind": "registers", "prices": {"1.8.2": 0.17, "1.8.1": 0.21}}).energy.registers
    assert registers == ((DAY, Decimal("0.21")), (NIGHT, Decimal("0.17")))


def test_a_percentage_counts_for_negative_prices_too_unless_they_have_their_own() -> None:
    share = terms(energy={"kind": "spot", "zone": "AT", "percent": 3.0}).energy.spot
    assert share == SpotShare("AT", Decimal("1.03"), Decimal("1.03"))


def test_a_payment_for_feed_in_may_be_a_number_or_a_table_beside_any_price() -> None:
    assert terms(energy={"price": 0.21}, feed_in=0.08).feed_in == Tariff(Decimal("0.08"))
    fixed = terms(energy_price=0.30, feed_in={"price": 0.0778, "unpaid_when_negative": True, "zone": "DE-LU"})
    assert (fixed.is_gross, fixed.energy.price, fixed.feed_in.price) == (True, Decimal("0.3"), Decimal("0.0778"))
    assert fixed.feed_in.spot == SpotShare("DE-LU", Decimal(0), Decimal(0), unpaid_when_negative=True)
    # the zone of the energy price is taken where feed-in has none
    spot = {"kind": "spot", "zone": "AT"}
    both = terms(energy=spot, feed_in={"kind": "spot", "percent": -5.0, "unpaid_when_negative": True}).feed_in.spot
    assert both == SpotShare("AT", Decimal("0.95"), Decimal("0.95"), unpaid_when_negative=True)


def test_levies_of_a_year_replace_those_before() -> None:
    levies = levies_of({"tax": 0.0205, "2026": {"kwkg": 0.00446}, "2025": {"kwkg": 0.00277, "offshore": 0.00816}})
    tax = ("tax", Decimal("0.0205"))
    assert levies == (
        (0, (tax,)),
        (2025, (tax, ("kwkg", Decimal("0.00277")), ("offshore", Decimal("0.00816")))),
        (2026, (tax, ("kwkg", Decimal("0.00446")), ("offshore", Decimal("0.00816")))),
    )
    assert levies_of({}) == ()


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        (
            {"energy_price": 0.3, "energy": {"price": 0.2}},
            "contracts.1 has energy_price, a gross price, and the table energy, which belongs to net prices; keep one",
        ),
        ({"energy_price": 0.3, "levies": {"tax": 0.02}, "energy": {}}, "energy_price, a gross price, and the table"),
        ({"energy_price": 0.3, "vat_percent": 19.0}, "energy_price, a gross price, and vat_percent, which belongs to"),
        ({"grid": {"price": 0.1}}, "contracts.1 has a grid fee or levies, but no price of energy; add the table"),
        ({"energy": {"price": 0.1, "zone": "AT"}}, "contracts.1.energy.zone is for kind = spot; here kind is fixed."),
        ({"energy": {"kind": "spot"}}, "contracts.1.energy.zone is missing; a spot price needs its zone, such"),
        ({"energy": {"kind": "windows"}}, "contracts.1.energy.windows is empty; kind = windows needs at least one"),
        ({"energy": {"kind": "registers"}}, 'contracts.1.energy.prices is empty; name each register with its price'),
        (
            {"energy": {"kind": "registers", "prices": {"2.8.1": 0.1, "1.8.1": 0.2}}},
            "contracts.1.energy.prices.2.8.1 is no tariff register of import, such as 1.8.1.",
        ),
        (
            {
                "energy": {"kind": "registers", "prices": {"1.8.1": 0.2}},
                "grid": {"kind": "windows", "windows": [WINDOW]},
            },
            "contracts.1.grid.kind must be fixed or registers, as the other part goes by register.",
        ),
        (
            {"energy": {"kind": "spot", "zone": "AT"}, "grid": {"kind": "registers", "prices": {"1.8.1": 0.2}}},
            "contracts.1.energy.kind must be fixed or registers, as the other part goes by register.",
        ),
        (
            {
                "energy": {"kind": "registers", "prices": {"1.8.1": 0.2}},
                "grid": {"kind": "registers", "prices": {"1.8.2": 0.2}},
            },
            "contracts.1.energy.prices and contracts.1.grid.prices must name the same registers.",
        ),
        (
            {"energy_price": 0.3, "feed_in": {"price": 0.08, "unpaid_when_negative": True}},
            "contracts.1.feed_in.unpaid_when_negative needs contracts.1.feed_in.zone, such as DE-LU.",
        ),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_a_mistake(keys: dict[str, Any], sentence: str) -> None:
    (found,) = sentences(**keys)
    assert sentence in found and found.endswith(".")


def test_all_mistakes_are_found() -> None:
    windows = {"kind": "windows", "windows": [{"from": "1:03", "to": "2:00"}, {"from": "3:00", "to": "x", "days": "y"}]}
    assert len(sentences(energy_price=0.3, energy={"kind": "spot"}, grid=windows)) == 5
