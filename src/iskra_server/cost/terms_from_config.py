"""Reads how a price is made up from the tables of a contract: its tariffs, registers and levies.

A mistake is appended to `problems`, so that one check finds all of them; what is returned then is of no use.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from iskra_server.config import (
    ConfigError,
    EnergyConfig,
    FeedInConfig,
    GridConfig,
    PricesConfig,
)
from iskra_server.cost.contract_sentences import mistake
from iskra_server.cost.tariffs import Levies, SpotShare, Tariff, Terms
from iskra_server.cost.windows_from_config import Problems, exact, windows_of
from iskra_server.meter.obis import Obis

_REGISTER = re.compile(r"(1-0:)?1\.8\.([1-9]|[1-5][0-9]|6[0-3])")
# the keys that belong to one kind
_KEYS_OF = {
    "fixed": ("price",),
    "windows": ("default", "windows"),
    "spot": ("zone", "per", "percent", "percent_negative", "fixed"),
    "registers": ("prices",),
}


def terms_of(configured: PricesConfig, path: str, problems: Problems) -> Terms | None:
    """`path` is "contracts.1". None for one fixed gross price."""
    if configured.energy_price and (configured.has_parts or configured.vat_percent):
        problems.append(_mixed(configured, path))
    if configured.feed_in and configured.feed_in_terms:
        problems.append(mistake("feed_in_twice", f"{path}.feed_in", path=path))
    if configured.has_parts and configured.energy is None:
        table = f"{path.partition('.')[0]}.energy"
        problems.append(mistake("no_energy", f"{path}.energy", path=path, table=table))
    if not configured.has_parts and configured.feed_in_terms is None:
        return None
    energy, grid = (
        tariff_of(part, f"{path}.{name}", problems) if part else Tariff()
        for part, name in ((configured.energy, "energy"), (configured.grid, "grid"))
    )
    if configured.energy and configured.grid:
        _check_registers(energy, grid, path, problems)
    return Terms(
        energy=energy if configured.has_parts else Tariff(exact(configured.energy_price)),
        grid=grid,
        feed_in=_feed_in(configured, path, problems),
        levies=levies_of(configured.levies),
        vat_percent=exact(configured.vat_percent),
        is_gross=not configured.has_parts,
    )


def tariff_of(part: EnergyConfig | GridConfig | FeedInConfig, path: str, problems: Problems) -> Tariff:
    problems += _unused(part, path)
    match part.kind:
        case "windows":
            return Tariff(exact(part.default), windows_of(part.windows, f"{path}.windows", problems))
        case "registers" if not isinstance(part, FeedInConfig):
            return Tariff(registers=_registers(part.prices, f"{path}.prices", problems))
        case "spot" if not isinstance(part, GridConfig):
            return Tariff(exact(part.fixed), spot=_spot_share(part, path, problems))
    return Tariff(exact(part.price))


def levies_of(configured: Mapping[str, float | dict[str, float]]) -> tuple[tuple[int, Levies], ...]:
    """By the year from which they apply; a levy that the table of a year does not name goes on as before."""
    levies = {name: price for name, price in configured.items() if not isinstance(price, dict)}
    steps = [(0, _exact_prices(levies))] if levies else []
    for year, prices in sorted((int(name), prices) for name, prices in configured.items() if isinstance(prices, dict)):
        levies |= prices
        steps.append((year, _exact_prices(levies)))
    return tuple(steps)


def _mixed(configured: PricesConfig, path: str) -> ConfigError:
    tables = [name for name in ("energy", "grid", "levies") if getattr(configured, name)]
    other = (f"the table {tables[0]}", f"die Tabelle {tables[0]}") if tables else "vat_percent"
    return mistake("gross_and_net", f"{path}.energy_price", path=path, other=other)


def _feed_in(configured: PricesConfig, path: str, problems: Problems) -> Tariff:
    part = configured.feed_in_terms
    if part is None:
        return Tariff(exact(configured.feed_in))
    path += ".feed_in"
    tariff = tariff_of(part, path, problems)
    if not part.unpaid_when_negative:
        return tariff
    zone = part.zone or (configured.energy.zone if configured.energy else "")
    if not zone:
        problems.append(mistake("unpaid_zone", f"{path}.zone", ("a zone", "eine Gebotszone"), path=path))
    share = tariff.spot or SpotShare(zone, Decimal(0), Decimal(0))
    return Tariff(
        tariff.price,
        tariff.windows,
        SpotShare(zone, share.factor, share.factor_negative, share.is_hourly, unpaid_when_negative=True),
    )


def _unused(part: EnergyConfig | GridConfig | FeedInConfig, path: str) -> Iterator[ConfigError]:
    """Keys that are set and belong to another kind."""
    default = type(part)()
    needs_zone = isinstance(part, FeedInConfig) and part.unpaid_when_negative
    for kind, names in _KEYS_OF.items():
        for name in names:
            is_used = kind == part.kind or (name == "zone" and needs_zone)
            if not is_used and hasattr(part, name) and getattr(part, name) != getattr(default, name):
                yield mistake("other_kind", f"{path}.{name}", kind=kind, own=part.kind)


def _spot_share(part: EnergyConfig | FeedInConfig, path: str, problems: Problems) -> SpotShare:
    if not part.zone and not (isinstance(part, FeedInConfig) and part.unpaid_when_negative):
        problems.append(mistake("no_zone", f"{path}.zone", path=path))
    negative = part.percent if part.percent_negative is None else part.percent_negative
    factor, factor_negative = (1 + exact(percent).scaleb(-2) for percent in (part.percent, negative))
    return SpotShare(part.zone, factor, factor_negative, part.per == "hour")


def _registers(prices: Mapping[str, float], path: str, problems: Problems) -> tuple[tuple[Obis, Decimal], ...]:
    if not prices:
        problems.append(mistake("no_registers", path, path=path))
    for name in prices:
        if not _REGISTER.fullmatch(name):
            problems.append(mistake("no_register", f"{path}.{name}", ("1.8.1 to 1.8.63", "1.8.1 bis 1.8.63")))
    rates = {Obis.parse(name): exact(price) for name, price in prices.items() if _REGISTER.fullmatch(name)}
    return tuple(sorted(rates.items()))


def _check_registers(energy: Tariff, grid: Tariff, path: str, problems: Problems) -> None:
    """A register says how much, not when: beside it no price may change by the clock."""
    if energy.registers and grid.registers and dict(energy.registers).keys() != dict(grid.registers).keys():
        problems.append(mistake("same_registers", f"{path}.grid.prices", path=path))
    by_clock = [name for name, tariff in (("energy", energy), ("grid", grid)) if tariff.windows or tariff.spot]
    if by_clock and (energy.registers or grid.registers):
        problems.append(mistake("register_and_clock", f"{path}.{by_clock[0]}.kind"))


def _exact_prices(prices: Mapping[str, float]) -> Levies:
    return tuple((name, exact(price)) for name, price in prices.items())
