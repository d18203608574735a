"""GET /api/v1/meters/{id}/cost: what was paid in each bucket of a period, and what the contract year will cost."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from iskra_server.base.json_values import Instant, Number, local, number
from iskra_server.cost.amounts import Amount, round_fraction
from iskra_server.cost.contracts import Contract
from iskra_server.cost.forecast import MONTHS, Basis
from iskra_server.history.model.energy import BucketLength
from iskra_server.history.model.records import QUARTER_S
from iskra_server.meter.identity import compact_name
from iskra_server.web.api.bill import Bill, Year
from iskra_server.web.api.energy import length_of, quarters_at
from iskra_server.web.api.recorded import RecordedMeter
from iskra_server.web.http.question import Query

NAMES = ("from", "to", "bucket", "tz")


class Money(Struct, frozen=True):
    """`total_amount` is what was drawn and the base fee, less what was fed in."""

    import_amount: Number
    export_amount: Number
    base_amount: Number
    total_amount: Number


class CostBucket(Struct, frozen=True):
    """From `begin` until before `end`; `paid` is absent without a measurement and without a contract."""

    begin: Instant
    end: Instant
    paid: Money | UnsetType = UNSET


class ContractShown(Struct, frozen=True):
    """The contract of today: amounts per kWh, per month or year for the base fee, a month for the instalment."""

    name: str
    begins: str
    energy_amount: Number
    feed_in_amount: Number
    base_amount: Number
    base_per: Literal["month", "year"]
    instalment_amount: Number


class ContractYear(Struct, frozen=True):
    """What the year will cost against its instalments: the difference is still to be paid, or to come back if negative.

    `basis`: the rest of the year is taken to be as it was a year before, or as the mean so far.
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
    """Amounts are exact, in `currency`; only a base fee is rounded, to a millionth."""

    meter: str
    simulated: bool
    currency: str
    tz: str
    bucket: BucketLength
    begin: Instant
    end: Instant
    buckets: list[CostBucket]
    total: Money
    contract: ContractShown | UnsetType = UNSET
    year: ContractYear | UnsetType = UNSET


class NoContract(Exception):
    """A sentence: for this meter nothing is configured."""


class Costs:
    """The answers by these contracts."""

    def __init__(self, contracts: Sequence[Contract]) -> None:
        self._contracts = contracts

    def cost_of(self, meter: RecordedMeter, question: Query) -> Cost:
        """NoContract, Misuse, or StoreError for a database that does not answer."""
        names = ("", compact_name(meter.id), meter.server_id)
        contracts = [each for each in self._contracts if compact_name(each.meter) in names]
        if not contracts:
            raise NoContract(f"no contract is configured for meter {meter.id}; write its prices under [[contracts]]")
        bill = Bill(meter, contracts, question.now, question.tz)
        period = question.period()
        length = length_of(question.get("bucket"), period)
        edges = quarters_at(period, length, question.tz)
        moments = [local(edge * QUARTER_S, question.tz) for edge in edges]
        paid = (UNSET if each is None else _money(each) for each in bill.buckets(edges))
        contract, year = bill.contract, bill.year()
        return Cost(
            meter=meter.id,
            simulated=meter.simulated,
            currency=contracts[0].currency,
            tz=question.tz.key,
            bucket=length,
            begin=moments[0],
            end=moments[-1],
            buckets=[CostBucket(*ends, each) for ends, each in zip(pairwise(moments), paid, strict=True)],
            total=_money(bill.total(edges[0], edges[-1])),
            contract=_contract(contract) if contract else UNSET,
            year=_year(year, contract, question) if contract and year else UNSET,
        )


def _money(amount: Amount) -> Money:
    return Money(
        number(amount.imported), number(amount.exported), number(round_fraction(amount.base)), number(amount.total)
    )


def _contract(contract: Contract) -> ContractShown:
    return ContractShown(
        name=contract.name,
        begins=contract.begins.isoformat(),
        energy_amount=number(contract.energy_price),
        feed_in_amount=number(contract.feed_in),
        base_amount=number(contract.base_fee),
        base_per=contract.base_fee_per,
        instalment_amount=number(contract.instalment),
    )


def _year(year: Year, contract: Contract, question: Query) -> ContractYear:
    instalments, total = contract.instalment * MONTHS, year.forecast.amount.total
    return ContractYear(
        begin=local(year.begin * QUARTER_S, question.tz),
        end=local(year.end * QUARTER_S, question.tz),
        basis=year.forecast.basis,
        import_wh=number(year.forecast.import_wh),
        export_wh=number(year.forecast.export_wh),
        total_amount=number(total),
        instalments_amount=number(instalments),
        difference_amount=number(total - instalments),
    )
