"""A contract by the spot price as one would be offered, with numbers that its reader replaces by those of an offer.

The levies are those of Germany in 2026: they are published anew each October. Supplier, grid operator and town set the
other parts; no price list is shipped.
"""

from decimal import Decimal

from msgspec import Struct

from iskra_server.cost.contracts import ANY_TIME, Contract
from iskra_server.cost.tariffs import SpotShare, Tariff, Terms

NAME = "Dynamic"


class DynamicOffer(Struct, frozen=True):
    """Net prices per kWh, a gross base fee per month."""

    zone: str
    markup: Decimal = Decimal("0.02")
    grid_fee: Decimal = Decimal("0.10")
    tax: Decimal = Decimal("0.0205")
    kwkg: Decimal = Decimal("0.00446")
    offshore: Decimal = Decimal("0.00941")
    special: Decimal = Decimal("0.01559")
    concession: Decimal = Decimal("0.0159")
    vat_percent: Decimal = Decimal(19)
    base_fee: Decimal = Decimal(6)

    @property
    def levies(self) -> tuple[tuple[str, Decimal], ...]:
        names = ("tax", "kwkg", "offshore", "special", "concession")
        return tuple((name, getattr(self, name)) for name in names)

    def contract(self, currency: str, feed_in: Tariff) -> Contract:
        terms = Terms(
            energy=Tariff(self.markup, spot=SpotShare(self.zone)),
            grid=Tariff(self.grid_fee),
            feed_in=feed_in,
            levies=((ANY_TIME.year, self.levies),),
            vat_percent=self.vat_percent,
        )
        return Contract(begins=ANY_TIME, name=NAME, currency=currency, base_fee=self.base_fee, terms=terms)
