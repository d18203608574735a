"""GET /api/v1/meters/{id}/cost: cost in each bucket of a period, and the forecast of the contract year."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import Literal

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from iskra_server.base.json_values import Instant, Number, number
from iskra_server.cost.amounts import Amount, round_fraction
from iskra_server.cost.bill import Bill, Year
from iskra_server.cost.billing_years import billing_years
from iskra_server.cost.contracts import ANY_TIME, Contract, contracts_of_meter, zones_of
from iskra_server.cost.forecast import Basis
from iskra_server.cost.price_runs import contract_runs
from iskra_server.cost.tariffs import Levies, Per, Pricing
from iskra_server.history.model.energy import BucketLength
from iskra_server.history.model.periods import quarter_instant
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.web.api.energy import MAX_BUCKETS
from iskra_server.web.api.history import history_endpoint
from iskra_server.web.http.endpoint import BUCKET, TIME_ZONE, Result, period_parameters
from iskra_server.web.http.query import Query


class NamedAmount(Struct, frozen=True):
    """A net levy: what it has cost, or its price per kWh."""

    name: str
    amount: Number


class Money(Struct, frozen=True):
    """`total_amount` is the cost of energy from the grid plus the base fee, less the payment for energy to the grid.

    Where the contract says how its price is made up, `import_amount` is the sum of the net amounts for energy, grid and
    levies and of the tax. Energy whose spot price is unknown is unpriced: it is in no amount. Energy of gaps over which
    the price changes is estimated: its amount is in the others.
    """

    import_amount: Number
    export_amount: Number
    base_amount: Number
    total_amount: Number
    energy_amount: Number | UnsetType = UNSET
    grid_amount: Number | UnsetType = UNSET
    levies_amount: Number | UnsetType = UNSET
    levies: list[NamedAmount] | UnsetType = UNSET
    vat_amount: Number | UnsetType = UNSET
    credit_amount: Number | UnsetType = UNSET
    unpriced_import_wh: Number | UnsetType = UNSET
    unpriced_export_wh: Number | UnsetType = UNSET
    estimated_import_wh: Number | UnsetType = UNSET
    estimated_export_wh: Number | UnsetType = UNSET
    estimated_amount: Number | UnsetType = UNSET


class CostBucket(Struct, frozen=True):
    """From `begin` until before `end`; `paid` is absent without a measurement or without a contract."""

    begin: Instant
    end: Instant
    paid: Money | UnsetType = UNSET


class ContractFee(Struct, frozen=True):
    """A gross fee beside the price of energy; `credit` is subtracted (par. 14a EnWG, module 1)."""

    name: Literal["supplier", "grid", "metering", "credit"]
    amount: Number
    per: Per


class CurrentContract(Struct, frozen=True):
    """Today's contract: gross amounts per kWh where they are fixed, the base fee per month or year, the instalment.

    `begins` is absent where it is not configured: then the contract counts from the first reading on. `pricing` is how
    its most variable price changes. `vat_percent` and `levies` are there if the price is made up of parts, `zone` if it
    follows a spot price.
    """

    name: str
    pricing: Pricing
    base_amount: Number
    base_per: Per
    instalment_amount: Number
    fees: list[ContractFee]
    begins: str | UnsetType = UNSET
    energy_amount: Number | UnsetType = UNSET
    feed_in_amount: Number | UnsetType = UNSET
    vat_percent: Number | UnsetType = UNSET
    levies: list[NamedAmount] | UnsetType = UNSET
    zone: str | UnsetType = UNSET


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
    """Amounts are exact, in `currency`; only base fees are rounded, to six decimals.

    Without a contract for the meter there are no `buckets`, and no amounts. `counts_from` is the first day on which a
    kWh has a cost: that of the first contract, or of the first reading if that is later.
    """

    meter: str
    simulated: bool
    tz: str
    bucket: BucketLength
    begin: Instant
    end: Instant
    buckets: list[CostBucket]
    currency: str | UnsetType = UNSET
    counts_from: str | UnsetType = UNSET
    total: Money | UnsetType = UNSET
    contract: CurrentContract | UnsetType = UNSET
    year: ContractYear | UnsetType = UNSET


def cost_of(meter: RecordedMeter, query: Query, contracts: Sequence[Contract]) -> Cost:
    """Raises BadRequest, and StoreError if the database does not respond."""
    contracts = contracts_of_meter(contracts, meter)
    length, edges = query.buckets(MAX_BUCKETS)
    moments = [quarter_instant(edge, query.tz) for edge in edges]
    empty = Cost(meter.id, meter.simulated, query.tz.key, length, moments[0], moments[-1], [])
    if not contracts:
        return empty
    bill = Bill(meter, contracts, query.now, query.tz)
    # the year first: its quarters are kept for the period, which is a part of it most of the time
    contract, year = bill.contract, bill.year()
    amounts, total = bill.costs(edges)
    costs = (UNSET if amount is None else _money(amount) for amount in amounts)
    return replace(
        empty,
        currency=contracts[0].currency,
        counts_from=_counts_from(meter, contracts, query),
        buckets=[CostBucket(*ends, cost) for ends, cost in zip(pairwise(moments), costs, strict=True)],
        total=_money(total),
        contract=_current_contract(contract, query) if contract else UNSET,
        year=_contract_year(year, contracts, query) if contract and year else UNSET,
    )


def _counts_from(meter: RecordedMeter, contracts: Sequence[Contract], query: Query) -> str | UnsetType:
    if meter.first_s > query.now.timestamp():
        return UNSET
    recorded = datetime.fromtimestamp(meter.first_s, query.tz).date()
    return max(recorded, min(contract.begins for contract in contracts)).isoformat()


def _money(amount: Amount) -> Money:
    parts = amount.parts
    split = {
        "energy_amount": parts.energy,
        "grid_amount": parts.grid,
        "levies_amount": parts.levies_total,
        "vat_amount": parts.vat,
    }
    apart = {
        "credit_amount": round_fraction(amount.credit),
        "unpriced_import_wh": amount.unpriced_import_wh,
        "unpriced_export_wh": amount.unpriced_export_wh,
        "estimated_import_wh": amount.estimated_import_wh,
        "estimated_export_wh": amount.estimated_export_wh,
        "estimated_amount": amount.estimated,
    }
    shown = (split if any(split.values()) else {}) | {name: value for name, value in apart.items() if value}
    return Money(
        number(amount.imported),
        number(amount.exported),
        number(round_fraction(amount.base)),
        number(amount.total),
        levies=_levies(parts.levies) if any(split.values()) else UNSET,
        **{name: number(value) for name, value in shown.items()},
    )


def _current_contract(contract: Contract, query: Query) -> CurrentContract:
    now = query.quarter
    (run,) = contract_runs(contract, now, now + 1, query.tz)
    (_, rate), *_ = run.imports
    import_price, export_price = rate.gross(), run.feed_in.gross()
    fees = [ContractFee(fee.name, number(fee.amount), fee.per) for fee in contract.fees]
    if contract.grid_credit:
        fees.append(ContractFee("credit", number(contract.grid_credit), "year"))
    return CurrentContract(
        name=contract.name,
        begins=UNSET if contract.begins == ANY_TIME else contract.begins.isoformat(),
        pricing=contract.pricing,
        base_amount=number(contract.base_fee),
        base_per=contract.base_fee_per,
        instalment_amount=number(contract.instalment_on(query.today)),
        fees=fees,
        energy_amount=number(import_price) if import_price is not None and contract.is_import_fixed else UNSET,
        feed_in_amount=number(export_price) if export_price is not None and contract.is_export_fixed else UNSET,
        vat_percent=UNSET if rate.is_gross else number(rate.vat_percent),
        levies=UNSET if rate.is_gross else _levies(rate.levies),
        zone=next(iter(sorted(zones_of([contract]))), UNSET),
    )


def _levies(levies: Levies) -> list[NamedAmount]:
    return [NamedAmount(name, number(amount)) for name, amount in levies]


def _contract_year(year: Year, contracts: Sequence[Contract], query: Query) -> ContractYear:
    today, total = query.today, year.forecast.amount.total
    instalments = billing_years(contracts, today, today)[-1].instalments_total
    return ContractYear(
        begin=quarter_instant(year.begin, query.tz),
        end=quarter_instant(year.end, query.tz),
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
)
