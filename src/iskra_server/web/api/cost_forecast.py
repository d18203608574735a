"""GET /api/v1/meters/{id}/forecast: what the month and the contract year will cost, with a band (cost/outlook.py)."""

from collections.abc import Sequence
from decimal import Decimal
from functools import partial

from msgspec import UNSET, Struct, UnsetType

from iskra_server.base.json_values import Instant, Number, number
from iskra_server.cost.contracts import Contract, contracts_of_meter
from iskra_server.cost.day_forecast import RuleName
from iskra_server.cost.outlook import Outlook, PeriodForecast
from iskra_server.history.model.periods import quarter_instant
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.web.api.history import history_endpoint
from iskra_server.web.http.endpoint import TIME_ZONE, Result
from iskra_server.web.http.query import Query


class CostForecast(Struct, frozen=True):
    """Of a whole period: `so_far_amount` is measured, `total_amount` estimated, both with base fees.

    `basis`: a day is taken to cost what the same weekdays of the last eight weeks cost, what the day a year before
    cost, or the mean so far. Of ten forecasts, eight end between `low_amount` and `high_amount`: that is what the same
    rule gave for `windows` periods of the past; absent where fewer than eight were measured.
    """

    begin: Instant
    end: Instant
    basis: RuleName
    so_far_amount: Number
    total_amount: Number
    low_amount: Number | UnsetType = UNSET
    high_amount: Number | UnsetType = UNSET
    windows: int = 0


class CostForecasts(Struct, frozen=True):
    """A forecast is absent without a contract, where too little was measured, and while needed prices are unknown."""

    meter: str
    simulated: bool
    tz: str
    currency: str | UnsetType = UNSET
    month: CostForecast | UnsetType = UNSET
    year: CostForecast | UnsetType = UNSET


def cost_forecasts_of(meter: RecordedMeter, query: Query, contracts: Sequence[Contract]) -> CostForecasts:
    """Raises BadRequest, and StoreError if the database does not respond."""
    contracts = contracts_of_meter(contracts, meter)
    if not contracts:
        return CostForecasts(meter.id, meter.simulated, query.tz.key)
    outlook = Outlook(meter, contracts, query.now, query.tz)
    month, year = outlook.month(), outlook.year()
    return CostForecasts(
        meter=meter.id,
        simulated=meter.simulated,
        tz=query.tz.key,
        currency=contracts[0].currency,
        month=_forecast(month, query) if month else UNSET,
        year=_forecast(year, query) if year else UNSET,
    )


def _forecast(period: PeriodForecast, query: Query) -> CostForecast:
    band = period.band
    return CostForecast(
        begin=quarter_instant(period.begin, query.tz),
        end=quarter_instant(period.end, query.tz),
        basis=period.basis,
        so_far_amount=number(period.so_far),
        total_amount=_rounded(period.total),
        low_amount=_rounded(band.low) if band else UNSET,
        high_amount=_rounded(band.high) if band else UNSET,
        windows=band.windows if band else 0,
    )


def _rounded(estimate: Decimal) -> Number:
    return number(round(estimate, 2))


ENDPOINT = history_endpoint(
    "forecast",
    "What the month and the contract year will cost, with a band.",
    Result("the forecasts; absent without a contract and with too little history", CostForecasts),
    lambda settings: partial(cost_forecasts_of, contracts=settings.contracts),
    (TIME_ZONE,),
)
