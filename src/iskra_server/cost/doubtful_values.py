"""Values of a contract that are possible and hardly meant: cents for euros, 0.19 for 19 percent, no price at all.

The limits are far above every bill, so that a warning means a slip. They are for currencies of about the value of the
euro: a kWh may cost 3 Swedish kronor.
"""

from collections.abc import Iterator

from iskra_server.config import EnergyConfig, FeedInConfig, GridConfig, PricesConfig
from iskra_server.config.contract_sections import ContractConfig
from iskra_server.config.findings import Finding
from iskra_server.cost.contract_sentences import PERS, doubt

_LARGE_CURRENCIES = frozenset({"EUR", "CHF", "GBP", "USD"})
_MAX_KWH = 1.5
_MIN_KWH = 0.01
_MAX_FEE_PER_YEAR = 1_500
_MAX_INSTALMENT = 3_000


def doubtful_values(configured: PricesConfig, currency: str, path: str) -> Iterator[Finding]:
    """Warnings; `path` is "contracts.1"."""
    yield from _shares(configured, path)
    yield from _without_price(configured, path)
    if currency in _LARGE_CURRENCIES:
        for name, price in _prices(configured):
            if abs(price) > _MAX_KWH:
                amounts = {"price": f"{price:g}", "currency": currency, "other": _hundredth(price)}
                yield doubt("cents", f"{path}.{name}", **amounts)
        if 0 < configured.energy_price < _MIN_KWH:
            shown = f"{configured.energy_price:g}"
            yield doubt("decimals", f"{path}.energy_price", price=shown, currency=currency)
        yield from _amounts(configured, currency, path)


def _shares(configured: PricesConfig, path: str) -> Iterator[Finding]:
    """Percentages that were written as a part of 1."""
    percents = {"vat_percent": configured.vat_percent}
    if configured.energy:
        percents |= {"energy.percent": configured.energy.percent}
    for name, percent in percents.items():
        if 0 < abs(percent) < 1:
            yield doubt("percent", f"{path}.{name}", percent=f"{percent:g}", other=f"{percent * 100:g}")


def _without_price(configured: PricesConfig, path: str) -> Iterator[Finding]:
    energy = configured.energy
    pays_feed_in = configured.feed_in or configured.feed_in_terms
    if not (configured.energy_price or configured.has_parts or pays_feed_in):
        yield doubt("no_price", f"{path}.energy_price", section=path.partition(".")[0])
    elif energy and energy.kind == "fixed" and not energy.price:
        yield doubt("no_energy_price", f"{path}.energy.price")
    elif energy and energy.kind == "windows" and len(energy.windows) == 1 and not energy.default:
        # several windows may fill the day
        yield doubt("no_default", f"{path}.energy.default")


def _prices(configured: PricesConfig) -> Iterator[tuple[str, float]]:
    """What a kWh costs, by the key in the contract."""
    yield from (("energy_price", configured.energy_price), ("feed_in", configured.feed_in))
    parts = ("energy", configured.energy), ("grid", configured.grid), ("feed_in", configured.feed_in_terms)
    for name, part in parts:
        if part:
            yield from _part_prices(name, part)
    for levy, price in configured.levies.items():
        if isinstance(price, dict):
            yield from ((f"levies.{levy}.{name}", value) for name, value in price.items())
        else:
            yield f"levies.{levy}", price


def _part_prices(name: str, part: EnergyConfig | GridConfig | FeedInConfig) -> Iterator[tuple[str, float]]:
    yield from ((f"{name}.price", part.price), (f"{name}.default", part.default))
    yield from ((f"{name}.windows.{number}.price", window.price) for number, window in enumerate(part.windows, 1))
    if not isinstance(part, GridConfig):
        yield f"{name}.fixed", part.fixed
    if not isinstance(part, FeedInConfig):
        yield from ((f"{name}.prices.{register}", price) for register, price in part.prices.items())


def _amounts(configured: PricesConfig, currency: str, path: str) -> Iterator[Finding]:
    fees = (
        ("base_fee", configured.base_fee, configured.base_fee_per),
        ("grid_fee", configured.grid_fee, configured.grid_fee_per),
        ("metering_fee", configured.metering_fee, configured.metering_fee_per),
    )
    for name, amount, per in fees:
        if amount * (12 if per == "month" else 1) > _MAX_FEE_PER_YEAR:
            yield doubt("high_fee", f"{path}.{name}", amount=f"{amount:g}", currency=currency, per=PERS[per])
    if isinstance(configured, ContractConfig) and configured.instalment > _MAX_INSTALMENT:
        shown = f"{configured.instalment:g}"
        yield doubt("high_instalment", f"{path}.instalment", amount=shown, currency=currency)


def _hundredth(price: float) -> str:
    """In as many digits as are needed: 0.3265 for 32.65."""
    return f"{price / 100:.6f}".rstrip("0")
