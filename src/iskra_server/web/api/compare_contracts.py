"""GET /api/v1/meters/{id}/compare-contracts: what other contracts would have cost, on the own energy of every quarter.

The dynamic contract is one by the spot price, with numbers from the query (cost/dynamic_offer.py).
"""

from collections.abc import Sequence
from functools import partial

from iskra_server.cost.compared_energy import measured_span
from iskra_server.cost.comparison import Comparison, compare
from iskra_server.cost.contracts import Contract, contract_on, contracts_of_meter
from iskra_server.cost.dynamic_offer import DynamicOffer
from iskra_server.cost.tariffs import Tariff
from iskra_server.history.model.spot_price import SPOT_CURRENCY, ZONES
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.web.api.comparison_answer import Candidate, ContractComparison, comparison_answer
from iskra_server.web.api.history import history_endpoint
from iskra_server.web.http.endpoint import TEXT, TIME_ZONE, Parameter, Result, period_parameters
from iskra_server.web.http.query import BadRequest, Query

MAX_DAYS = 4400
MAX_CONTRACTS = 10
DEFAULT_ZONE = "DE-LU"
_MAX_PRICE = 1000


def comparison_of(
    meter: RecordedMeter, query: Query, contracts: Sequence[Contract], offers: Sequence[Contract]
) -> ContractComparison:
    """Raises BadRequest, and StoreError if the database does not respond."""
    first, last = query.quarters(max_days=MAX_DAYS)
    template = _template(query)
    own = contracts_of_meter(contracts, meter)
    candidates = _chosen(query, _configured(query, own, contracts_of_meter(offers, meter)))
    if query.get("zone") and all(candidate.contract.currency == SPOT_CURRENCY for candidate in candidates[:1]):
        candidates.append(_dynamic(template, candidates))
    if len(candidates) > MAX_CONTRACTS:
        raise BadRequest(f"more than {MAX_CONTRACTS} contracts are compared; name some of them in 'contracts'")
    span = measured_span(meter, first, last)
    if span is None:
        comparison = Comparison(first, first, [], [])
    else:
        chosen = [candidate.contract for candidate in candidates]
        comparison = compare(meter, chosen, span, meter.spot_raws, query.tz)
    return comparison_answer(meter, query, comparison, candidates, template)


def _template(query: Query) -> DynamicOffer:
    zone = query.choice("zone", ZONES, default=DEFAULT_ZONE)
    default = DynamicOffer(zone)
    names = DynamicOffer.__struct_fields__[1:]
    numbers = {name: query.decimal(name, default=getattr(default, name), maximum=_MAX_PRICE) for name in names}
    return DynamicOffer(zone, **numbers)


def _configured(query: Query, own: Sequence[Contract], offers: Sequence[Contract]) -> list[Candidate]:
    """The contract of today first, then its other contracts, the latest first, and offers."""
    today = contract_on(own, query.today)
    others = sorted((contract for contract in own if contract is not today), key=lambda each: each.begins, reverse=True)
    candidates = [Candidate(today, "contract", is_own=True)] if today else []
    candidates += [Candidate(contract, "contract") for contract in others]
    return candidates + [Candidate(contract, "offer") for contract in offers]


def _chosen(query: Query, candidates: list[Candidate]) -> list[Candidate]:
    """The contract of today, and those that are named; by default all."""
    text = query.get("contracts")
    if text is None:
        return candidates
    names = {name.strip() for name in text.split(",")}
    if unknown := names - {candidate.contract.name for candidate in candidates}:
        raise BadRequest(f"'{min(unknown)[:40]}' is no contract or offer of this meter; write its name as configured")
    return [candidate for candidate in candidates if candidate.is_own or candidate.contract.name in names]


def _dynamic(template: DynamicOffer, others: Sequence[Candidate]) -> Candidate:
    """Energy to the grid is paid for as in the contract of today: another supplier does not change that."""
    if not others:
        return Candidate(template.contract(SPOT_CURRENCY, Tariff()), "dynamic")
    contract = others[0].contract
    feed_in = contract.terms.feed_in if contract.terms else Tariff(contract.feed_in)
    return Candidate(template.contract(contract.currency, feed_in), "dynamic")


def _price_parameter(name: str) -> Parameter:
    default = format(getattr(DynamicOffer(DEFAULT_ZONE), name), "f")
    schema = {"type": "number", "minimum": 0, "maximum": _MAX_PRICE, "default": float(default)}
    return Parameter(name, f"of the dynamic contract: {_MEANINGS[name]}; default {default}", schema)


_MEANINGS = {
    "markup": "the supplier's markup, net per kWh",
    "grid_fee": "the grid fee, net per kWh",
    "tax": "electricity tax, net per kWh",
    "kwkg": "KWKG levy, net per kWh",
    "offshore": "offshore grid levy, net per kWh",
    "special": "levy for special grid use, net per kWh",
    "concession": "concession fee, net per kWh",
    "vat_percent": "VAT in percent",
    "base_fee": "the base fee, gross per month",
}

ENDPOINT = history_endpoint(
    "compare-contracts",
    "What the contracts, the offers and a dynamic contract would have cost on the energy of every quarter-hour.",
    Result("each contract with its total, its months and its difference to today's contract", ContractComparison),
    lambda settings: partial(comparison_of, contracts=settings.contracts, offers=settings.offers),
    (
        *period_parameters(f"{MAX_DAYS:,} days"),
        TIME_ZONE,
        Parameter("contracts", "names of contracts and offers, separated by commas; default: all", TEXT),
        Parameter(
            "zone",
            "compare with a dynamic contract by the spot prices of this zone, too; not where contracts are not in EUR",
            {**TEXT, "enum": list(ZONES)},
        ),
        *map(_price_parameter, _MEANINGS),
    ),
)
