"""The configured contracts, checked together, with their prices as exact decimals."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import combinations

from iskra_server.config import ConfigError, ContractConfig
from iskra_server.cost.contracts import Contract
from iskra_server.meter import identity

_PLACES = 12


def contracts_from_config(configured: Sequence[ContractConfig]) -> tuple[Contract, ...]:
    """Raises ConfigError where two contracts contradict each other."""
    currencies = sorted({contract.currency for contract in configured})
    if len(currencies) > 1:
        raise ConfigError(f"contracts.currency must be the same in all contracts, not {' and '.join(currencies)}.")
    for first, second in combinations(configured, 2):
        meters = _meter(first), _meter(second)
        if first.begins == second.begins and (meters[0] == meters[1] or "" in meters):
            raise ConfigError(f"Two contracts begin on {first.begins}; give each its own day in contracts.begins.")
    return tuple(map(_contract, configured))


def _meter(configured: ContractConfig) -> str:
    """The meter in one form, whether it is given by its label or by its server id in hex."""
    name = identity.compact_name(configured.meter)
    try:
        label = identity.label(bytes.fromhex(name))
    except ValueError:
        return name
    return identity.compact_name(label) if label else name


def _contract(configured: ContractConfig) -> Contract:
    return Contract(
        begins=configured.begins,
        name=configured.name,
        meter=configured.meter,
        currency=configured.currency,
        energy_price=_exact(configured.energy_price),
        feed_in=_exact(configured.feed_in),
        base_fee=_exact(configured.base_fee),
        base_fee_per=configured.base_fee_per,
        instalment=_exact(configured.instalment),
    )


def _exact(price: float) -> Decimal:
    """The decimal digits that the float was written with, rounded to 12 places: more than any bill has."""
    exact = Decimal(repr(price))
    return exact if exact == round(exact, _PLACES) else round(exact, _PLACES)
