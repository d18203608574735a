"""GET /api/v1/meters/{id}/contract-years: the contract years since recording began, with their instalments."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from msgspec import UNSET, Struct, UnsetType

from iskra_server.base.json_values import Number, number
from iskra_server.cost.billing_years import BillingYear, billing_years
from iskra_server.cost.contracts import Contract, contracts_of_meter
from iskra_server.history.model.periods import first_quarter
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.meter.obis import IMPORT
from iskra_server.web.api.history import history_endpoint
from iskra_server.web.http.endpoint import TIME_ZONE, Result
from iskra_server.web.http.query import Query


class DueInstalment(Struct, frozen=True):
    day: str
    amount: Number


class PastYear(Struct, frozen=True):
    """From the day `begin` until before the day `end`; it ends with its contract. `instalments_amount` is their sum.

    `whole`: the meter was recorded from its beginning to its end, so that its cost is that of the whole year.
    """

    begin: str
    end: str
    contract: str
    whole: bool
    instalments: list[DueInstalment]
    instalments_amount: Number


class ContractYears(Struct, frozen=True):
    """The earliest first, the current one last. Without a contract there is none."""

    meter: str
    simulated: bool
    tz: str
    years: list[PastYear]
    currency: str | UnsetType = UNSET


def contract_years_of(meter: RecordedMeter, query: Query, contracts: Sequence[Contract]) -> ContractYears:
    """Raises BadRequest, and StoreError if the database does not respond."""
    contracts = contracts_of_meter(contracts, meter)
    years: list[PastYear] = []
    if contracts and meter.first_s <= query.now.timestamp():
        outermost = meter.counter(IMPORT).outermost(0, query.quarter)
        span = (outermost[0].quarter, outermost[1].quarter) if outermost else (0, 0)
        first = datetime.fromtimestamp(meter.first_s, query.tz).date()
        found = billing_years(contracts, first, query.today)
        years = [_year(year, span, query) for year in found]
    return ContractYears(
        meter=meter.id,
        simulated=meter.simulated,
        tz=query.tz.key,
        years=years,
        currency=contracts[0].currency if contracts else UNSET,
    )


def _year(year: BillingYear, span: tuple[int, int], query: Query) -> PastYear:
    return PastYear(
        begin=year.begin.isoformat(),
        end=year.end.isoformat(),
        contract=year.contract.name,
        whole=span[0] <= first_quarter(year.begin, query.tz) and first_quarter(year.end, query.tz) <= span[1],
        instalments=[DueInstalment(each.day.isoformat(), number(each.amount)) for each in year.instalments],
        instalments_amount=number(year.instalments_total),
    )


ENDPOINT = history_endpoint(
    "contract-years",
    "The contract years since recording began, with the instalments that were due in each.",
    Result("the years, the current one last; `cost` has what each cost", ContractYears),
    lambda settings: partial(contract_years_of, contracts=settings.contracts),
    (TIME_ZONE,),
)
