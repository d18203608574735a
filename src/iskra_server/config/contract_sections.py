"""The sections [[contracts]] and [[offers]], and the tables in them that say how a price is made up.

A key whose `Meta` has `extra=table(NAME)` is a table of its own, written [contracts.NAME]; several keys are in it.
"""

from datetime import date
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

# above any price in any currency
MAX_PRICE = 1_000_000_000
_Per = Literal["month", "year"]
_Price = Annotated[float, Meta(ge=-MAX_PRICE, le=MAX_PRICE, description="Net price of a kWh.")]
# of a register or levy by its name; of the levies of a year by the year
Prices = dict[str, float]
YearPrices = dict[str, float | Prices]


def table(name: str) -> dict[str, Any]:
    return {"table": name}


class WindowConfig(Struct, frozen=True, rename={"from_": "from"}):
    name: Annotated[str, Meta(description="Name of the window, such as HT or night.")] = ""
    months: Annotated[str, Meta(description="Months, such as 1-3,10-12.")] = "1-12"
    days: Annotated[str, Meta(description="Days of the week, such as mon-fri or sat,sun.")] = "mon-sun"
    from_: Annotated[
        str, Meta(description="Local time at which the window begins, in steps of 15 minutes, such as 17:00.")
    ] = ""
    to: Annotated[
        str,
        Meta(
            description="Local time at which it ends; the price no longer applies at this time. Earlier than from: on "
            "the next day. 24:00: midnight."
        ),
    ] = ""
    price: _Price = 0.0


class _TariffConfig(Struct, frozen=True):
    """What every part of a price has in common."""

    price: Annotated[
        float,
        Meta(ge=-MAX_PRICE, le=MAX_PRICE, description="fixed: net price of a kWh; in feed_in what is paid for it."),
    ] = 0.0
    default: Annotated[
        float, Meta(ge=-MAX_PRICE, le=MAX_PRICE, description="windows: net price of a kWh outside all windows.")
    ] = 0.0
    windows: Annotated[
        tuple[WindowConfig, ...],
        Meta(description="windows: a list of windows; two of them must not overlap.", extra=table("windows")),
    ] = ()


class _SpotConfig(_TariffConfig, frozen=True):
    zone: Annotated[
        str, Meta(description="spot: bidding zone, such as DE-LU or AT; in feed_in also for unpaid_when_negative.")
    ] = ""
    per: Annotated[
        Literal["quarter", "hour"],
        Meta(description="spot: the price of each 15 minutes, or the mean of the four of an hour."),
    ] = "quarter"
    percent: Annotated[
        float, Meta(ge=-100, le=1000, description="spot: percentage that is added to the spot price.")
    ] = 0.0
    percent_negative: Annotated[
        Annotated[float, Meta(ge=-100, le=1000)] | None,
        Meta(
            description="spot: percentage that is added where the spot price is below 0, such as -3. Default: percent."
        ),
    ] = None
    fixed: Annotated[
        float,
        Meta(ge=-MAX_PRICE, le=MAX_PRICE, description="spot: what is added to the spot price for each kWh, net."),
    ] = 0.0


_Registers = Annotated[
    Prices,
    Meta(
        description="registers: net price of a kWh by register, such as 1.8.1; their energy counts, and not that of "
        "1.8.0.",
        extra=table("prices"),
    ),
]


class EnergyConfig(_SpotConfig, frozen=True):
    kind: Annotated[
        Literal["fixed", "windows", "spot", "registers"],
        Meta(
            description="How the price changes: fixed, windows (by the clock), spot (with the exchange), registers (by "
            "the tariff registers of the meter)."
        ),
    ] = "fixed"
    prices: _Registers = {}


class GridConfig(_TariffConfig, frozen=True):
    kind: Annotated[
        Literal["fixed", "windows", "registers"],
        Meta(description="How the grid fee changes: fixed, windows (by the clock), registers."),
    ] = "fixed"
    prices: _Registers = {}
    module: Annotated[
        Literal[0, 1, 3],
        Meta(
            description="Module of par. 14a EnWG: 3 checks the windows against its rules. 0: none. Module 2 is a "
            "contract of its own, for the meter of the device."
        ),
    ] = 0
    credit: Annotated[
        float,
        Meta(
            ge=0,
            le=MAX_PRICE,
            description="Gross credit per year of module 1, from the price sheet of the grid operator; it counts by "
            "days, up to the grid fee. 0: none.",
        ),
    ] = 0.0


class FeedInConfig(_SpotConfig, frozen=True):
    kind: Annotated[
        Literal["fixed", "windows", "spot"],
        Meta(description="How the payment changes: fixed, windows (by the clock), spot (with the exchange)."),
    ] = "fixed"
    unpaid_when_negative: Annotated[
        bool,
        Meta(description="true: nothing is paid for 15 minutes in which the spot price of the zone is below 0."),
    ] = False


class PricesConfig(Struct, frozen=True, kw_only=True):
    """What contracts and offers have in common."""

    energy_price: Annotated[
        float,
        Meta(
            ge=0,
            le=MAX_PRICE,
            description="Gross price of a kWh from the grid, such as 0.3265; instead of energy, grid and levies.",
        ),
    ] = 0.0
    base_fee: Annotated[
        float, Meta(ge=0, le=MAX_PRICE, description="Gross base fee of the supplier per month or year. 0: none.")
    ] = 0.0
    base_fee_per: Annotated[_Per, Meta(description="Period that base_fee is for.")] = "month"
    grid_fee: Annotated[
        float,
        Meta(
            ge=0, le=MAX_PRICE, description="Gross base fee of the grid operator, where it is not in base_fee. 0: none."
        ),
    ] = 0.0
    grid_fee_per: Annotated[_Per, Meta(description="Period that grid_fee is for.")] = "year"
    metering_fee: Annotated[
        float,
        Meta(ge=0, le=MAX_PRICE, description="Gross fee for the meter, where it is not in base_fee. 0: none."),
    ] = 0.0
    metering_fee_per: Annotated[_Per, Meta(description="Period that metering_fee is for.")] = "year"
    vat_percent: Annotated[
        float,
        Meta(
            ge=0,
            le=100,
            description="Value added tax on energy, grid and levies, such as 19. 0: their prices are gross.",
        ),
    ] = 0.0
    feed_in: Annotated[
        float,
        Meta(
            ge=0,
            le=MAX_PRICE,
            description="Feed-in payment for a kWh to the grid, such as 0.0811, or a table. 0: none.",
        ),
    ] = 0.0
    name: Annotated[str, Meta(description="Name of the contract on the page, such as the supplier. Empty: none.")] = ""
    meter: Annotated[str, Meta(description="Number of the meter that the contract is for. Empty: every meter.")] = ""
    energy: Annotated[
        EnergyConfig | None, Meta(description="What the supplier charges for energy.", extra=table("energy"))
    ] = None
    grid: Annotated[
        GridConfig | None, Meta(description="The grid fee for energy, without spot.", extra=table("grid"))
    ] = None
    levies: Annotated[
        YearPrices,
        Meta(
            description="Net levies and taxes per kWh, each under a name of your choice; in a table named by a year, "
            "those from that year on.",
            extra=table("levies"),
        ),
    ] = {}
    feed_in_terms: Annotated[
        FeedInConfig | None, Meta(description="What is paid for a kWh to the grid.", extra=table("feed_in"))
    ] = None

    @property
    def has_parts(self) -> bool:
        """Whether tables say how the price from the grid is made up."""
        return self.energy is not None or self.grid is not None or bool(self.levies)


class ContractConfig(PricesConfig, frozen=True, kw_only=True):
    begins: Annotated[date, Meta(description="First day of the contract; it ends where the next one begins.")] = date(
        1970, 1, 1
    )
    instalment: Annotated[
        float, Meta(ge=0, le=MAX_PRICE, description="Monthly instalment that is paid in advance. 0: none.")
    ] = 0.0
    instalments: Annotated[
        Prices,
        Meta(
            description="Monthly instalments that changed within the contract, each under the day from which on it is "
            "paid.",
            extra=table("instalments"),
        ),
    ] = {}
    currency: Annotated[
        str,
        Meta(min_length=1, description="Currency, such as EUR or CHF (ISO 4217); the same in all contracts."),
    ] = "EUR"


class OfferConfig(PricesConfig, frozen=True, kw_only=True):
    """A contract that is compared and never billed."""
