"""Which spot prices are fetched, and from where: the configuration, checked."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from iskra_server.base.address import Address, is_host
from iskra_server.config import Config, ConfigError
from iskra_server.cost.contract_sentences import mistake
from iskra_server.cost.contracts import zones_of
from iskra_server.cost.from_config import contracts_from_config, offers_from_config

if TYPE_CHECKING:
    # for its type alone: who fetches no prices imports nothing of it
    from iskra_server.prices.price_sources import SourceAddresses


class PricePlan(Struct, frozen=True):
    """On a reload, one that is equal keeps running."""

    zones: tuple[str, ...]
    addresses: "SourceAddresses"


def price_plan(config: Config) -> PricePlan | None:
    """None where nobody asks for prices. Raises ConfigError."""
    zones = configured_zones(config)
    if not zones:
        return None
    if not config.history.enabled:
        raise mistake("prices_history", zone=zones[0])
    addresses = source_addresses(config)
    check_zones(zones, addresses)
    return PricePlan(zones, addresses)


def price_problems(config: Config) -> list[ConfigError]:
    """Of contracts that have no other mistake."""
    try:
        price_plan(config)
    except ConfigError as error:
        return [error]
    return []


def configured_zones(config: Config) -> tuple[str, ...]:
    """That of [prices], then those of contracts and offers. Raises ConfigError."""
    contracts = contracts_from_config(config.contracts)
    needed = zones_of((*contracts, *offers_from_config(config.offers, contracts)))
    return tuple(filter(None, dict.fromkeys((config.prices.zone, *sorted(needed)))))


def source_addresses(config: Config) -> "SourceAddresses":
    """Raises ConfigError."""
    from iskra_server.prices.price_sources import SourceAddresses  # noqa: PLC0415

    prices = config.prices
    for key in ("energy_charts_url", "smard_url", "awattar_url"):
        _check_url(f"prices.{key}", getattr(prices, key))
    if prices.file.scheme in ("http", "https"):
        _check_url("prices.file", prices.file)
    return SourceAddresses(prices.energy_charts_url, prices.smard_url, prices.awattar_url, prices.file)


def check_zones(zones: Iterable[str], addresses: "SourceAddresses") -> None:
    """Raises ConfigError for a zone that no source has."""
    from iskra_server.prices.price_sources import price_sources  # noqa: PLC0415

    sources = price_sources(addresses)
    if not sources:
        raise mistake("no_source")
    known = sorted({zone for source in sources for zone in source.zones or ()})
    for zone in zones:
        if not any(source.has(zone) for source in sources):
            raise mistake("no_spot_zone", zone=zone[:20], known=", ".join(known))


def _check_url(key: str, address: Address) -> None:
    if not address:
        return
    host = address.host.replace("{country}", "de")
    try:
        is_right = address.scheme in ("http", "https") and is_host(host) and (address.port or True)
    except ValueError:
        is_right = False
    if not is_right:
        raise mistake("price_address", key, address=address)
