"""GET /api/v1/meters/{id}/cost: cost in each bucket of a period, and the forecast of the contract year."""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from iskra_server.base.json_values import Instant, Number, local, number
from iskra_server.cost.amounts import Amount, round_fraction
from iskra_server.cost.bill import Bill, Year
from iskra_server.cost.contracts import Contract, contracts_of
from iskra_server.cost.forecast import MONTHS, Basis
from iskra_server.history.model.energy import BucketLength
from iskra_server.history.model.records import QUARTER_S
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.web.api.energy import MAX_BUCKETS
from iskra_server.web.api.history import history_endpoint
from iskra_server.web.http.endpoint import BUCKET, TIME_ZONE, Result, period_parameters
from iskra_server.web.http.query import NotFound, Query


class Money(Struct, frozen=True):
    """`total_amount` is the cost of energy from the grid plus the base fee, less the payment for energy to the grid."""

    import_amount: Number
    export_amount: Number
    base_amount: Number
    total_amount: Number


class CostBucket(Struct, frozen=True):
    """From `begin` until before `end`; `paid` is absent without a measurement or without a contract."""

    begin: Instant
    end: Instant
    paid: Money | UnsetType = UNSET


class CurrentContract(Struct, frozen=True):
    """Today's contract: amounts per kWh, the base fee per month or year, the instalment per month."""

    name: str
    begins: str
    energy_amount: Number
    feed_in_amount: Number
    base_amount: Number
    base_per: Literal["month", "year"]
    instalment_amount: Number


class ContractYear(Struct, frozen=True):
    """Forecast of the contract year and its instalments. A positive difference must be paid, a negative one comes back.

    `basis` says whether the rest of the year is estimated from the year before or from the mean so far.
    """

    begin: Instant
    end: Instant
    basis: Basis
    import_wh: Number
    export_wh: Number
    total_amount: Number
    instalments_amount: Number
    difference_amount: Number


class Cost(Struct, frozen=True):
    """Amounts are exact, in `currency`; only base fees are rounded, to six decimals."""

    meter: str
    simulated: bool
    currency: str
    tz: str
    bucket: BucketLength
    begin: Instant
    end: Instant
    buckets: list[CostBucket]
    total: Money
    contract: CurrentContract | UnsetType = UNSET
    year: ContractYear | UnsetType = UNSET


def cost_of(meter: RecordedMeter, query: Query, contracts: Sequence[Contract]) -> Cost:
    """Raises BadRequest, NotFound without a contract, and StoreError if the database does not respond."""
    contracts = contracts_of(contracts, meter.id, meter.server_id)
    if not contracts:
        raise NotFound(
            f"no contract is configured for meter {meter.id}; write its prices under [[contracts]]", "no_contract"
        )
    length, edges = query.buckets(MAX_BUCKETS)
    bill = Bill(meter, contracts, query.now, query.tz)
    moments = [local(edge * QUARTER_S, query.tz) for edge in edges]
    costs = (UNSET if amount is None else _money(amount) for amount in bill.buckets(edges))
    contract, year = bill.contract, bill.year()
    return Cost(
        meter=meter.id,
        simulated=meter.simulated,
        currency=contracts[0].currency,
        tz=query.tz.key,
        bucket=length,
        begin=moments[0],
        end=moments[-1],
        buckets=[CostBucket(*ends, cost) for ends, cost in zip(pairwise(moments), costs, strict=True)],
        total=_money(bill.total(edges[0], edges[-1])),
        contract=_current_contract(contract) if contract else UNSET,
        year=_contract_year(year, contract, query) if contract and year else UNSET,
    )


def _money(amount: Amount) -> Money:
    return Money(
        number(amount.imported), number(amount.exported), number(round_fraction(amount.base)), number(amount.total)
    )


def _current_contract(contract: Contract) -> CurrentContract:
    return CurrentContract(
        name=contract.name,
        begins=contract.begins.isoformat(),
        energy_amount=number(contract.energy_price),
        feed_in_amount=number(contract.feed_in),
        base_amount=number(contract.base_fee),
        base_per=contract.base_fee_per,
        instalment_amount=number(contract.instalment),
    )


def _contract_year(year: Year, contract: Contract, query: Query) -> ContractYear:
    instalments, total = contract.instalment * MONTHS, year.forecast.amount.total
    return ContractYear(
        begin=local(year.begin * QUARTER_S, query.tz),
        end=local(year.end * QUARTER_S, query.tz),
        basis=year.forecast.basis,
        import_wh=number(year.forecast.import_wh),
        export_wh=number(year.forecast.export_wh),
        total_amount=number(total),
        instalments_amount=number(instalments),
        difference_amount=number(total - instalments),
    )


ENDPOINT = history_endpoint(
    "cost",
    "Cost under the configured contracts in buckets of local time, and the forecast of the contract year.",
    Result("exact amounts, today's contract, and the forecast of its year", Cost),
    lambda settings: partial(cost_of, contracts=settings.contracts),
    (*period_parameters(f"{MAX_BUCKETS:,} buckets"), BUCKET, TIME_ZONE),
    not_found="no such meter, or no contract is configured for it",
)
