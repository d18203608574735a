"""Own solar power: what a plant produced, how much of it the household used itself, and how far that went.

    plant --- self-consumption ---> house <--- import --- grid
      '------------------ export ---------------------------^

    self-consumption = production - export          consumption = import + self-consumption

Both are exact and never clipped: rounding, or a battery that feeds the grid, may make them negative.
"""

from decimal import Decimal

from msgspec import Struct

# rates have so many places
_PLACES = 4


class SolarFlows(Struct, frozen=True):
    """Energies in Wh over the same quarters, or powers in W at the same time."""

    imported: Decimal
    exported: Decimal
    production: Decimal

    @property
    def self_consumption(self) -> Decimal:
        """What the household used of the production."""
        return self.production - self.exported

    @property
    def consumption(self) -> Decimal:
        """What the household used, from the grid and from the plant."""
        return self.imported + self.self_consumption

    @property
    def self_consumption_rate(self) -> Decimal | None:
        """The part of the production that the household used; None without production."""
        return _rate(self.self_consumption, self.production)

    @property
    def self_sufficiency(self) -> Decimal | None:
        """The part of the consumption that came from the plant; None without consumption."""
        return _rate(self.self_consumption, self.consumption)


def _rate(part: Decimal, whole: Decimal) -> Decimal | None:
    return round(part / whole, _PLACES) if whole > 0 else None
