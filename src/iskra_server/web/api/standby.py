"""GET /api/v1/meters/{id}/standby: the base load at night, week by week, and what it costs in a year."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

from msgspec import UNSET, Struct, UnsetType

from iskra_server.base.json_values import Number, number, optional
from iskra_server.cost.amounts import energy_cost
from iskra_server.cost.contracts import Contract, contract_on, contracts_of_meter
from iskra_server.cost.even_price import even_price
from iskra_server.history.model.base_load import median_of_nights, night_quarters, nightly_minima
from iskra_server.history.model.highest_quarter import quarter_energies
from iskra_server.history.model.records import quarter_of
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.meter.obis import IMPORT
from iskra_server.web.api.history import history_endpoint
from iskra_server.web.http.endpoint import TIME_ZONE, Result
from iskra_server.web.http.query import Query

WEEKS = 13
_WEEKS_BEFORE = 4
_DAY = timedelta(days=1)
_HOURS_PER_YEAR = 365 * 24
_QUARTERS_PER_YEAR = _HOURS_PER_YEAR * 4
_PLACES = 6


class StandbyWeek(Struct, frozen=True):
    """Seven nights from the day `begin` on, of which `nights` were measured; of fewer than three no base load."""

    begin: str
    nights: int
    base_load_w: Number | UnsetType = UNSET


class Standby(Struct, frozen=True):
    """`base_load_w` is the median of the last seven nights, `before_w` that of the four weeks before.

    `year_wh` is this power for 365 days; `year_amount` its cost at `price_amount` per kWh, the mean over the
    quarters of the last 365 days whose price under today's contract is known.
    """

    meter: str
    simulated: bool
    tz: str
    nights: int
    weeks: list[StandbyWeek]
    base_load_w: Number | UnsetType = UNSET
    before_w: Number | UnsetType = UNSET
    year_wh: Number | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    price_amount: Number | UnsetType = UNSET
    year_amount: Number | UnsetType = UNSET


def standby_of(meter: RecordedMeter, query: Query, contracts: Sequence[Contract]) -> Standby:
    """Raises BadRequest, and StoreError if the database does not respond."""
    end = _day_after_last_night(query.now, query.tz)
    nights = [end - days * _DAY for days in range(7 * WEEKS, 0, -1)]
    # at night the meter of a solar plant measures its inverter
    minima = {} if meter.is_production else nightly_minima(_energies(meter, nights, query.tz), query.tz)
    weeks = [_between(minima, begin, begin + 7 * _DAY) for begin in nights[::7]]
    watts = median_of_nights(weeks[-1])
    before = median_of_nights(_between(minima, nights[-7 * (_WEEKS_BEFORE + 1)], nights[-7]))
    contract = contract_on(contracts_of_meter(contracts, meter), query.today)
    now = query.quarter
    price = even_price(contract, now - _QUARTERS_PER_YEAR, now, meter.spot_raws, query.tz) if contract else None
    year_wh = None if watts is None else watts * _HOURS_PER_YEAR
    return Standby(
        meter=meter.id,
        simulated=meter.simulated,
        tz=query.tz.key,
        nights=len(weeks[-1]),
        weeks=[
            StandbyWeek(begin.isoformat(), len(week), optional(median_of_nights(week)))
            for begin, week in zip(nights[::7], weeks, strict=True)
        ],
        base_load_w=optional(watts),
        before_w=optional(before),
        year_wh=optional(year_wh),
        currency=contract.currency if contract else UNSET,
        price_amount=optional(price and _rounded(price)),
        year_amount=UNSET if year_wh is None or price is None else number(_rounded(energy_cost(year_wh, price))),
    )


def _day_after_last_night(now: datetime, tz: ZoneInfo) -> date:
    today = now.astimezone(tz).date()
    return today + _DAY if quarter_of(now.timestamp()) >= night_quarters(today, tz).stop else today


def _energies(meter: RecordedMeter, nights: Sequence[date], tz: ZoneInfo) -> Iterator[tuple[int, Decimal]]:
    """The measured quarters of the nights, with their energy in Wh."""
    counter = meter.counter(IMPORT)
    edges = [quarter for night in nights for span in [night_quarters(night, tz)] for quarter in (*span, span.stop)]
    readings = counter.look_up(edges)
    energies = quarter_energies((readings[edge] for edge in edges if edge in readings), counter.epochs)
    return ((energy.quarter, energy.energy_wh) for energy in energies)


def _between(minima: Mapping[date, Decimal], begin: date, end: date) -> dict[date, Decimal]:
    return {night: watts for night, watts in minima.items() if begin <= night < end}


def _rounded(amount: Decimal) -> Decimal:
    """A mean of quarters may have endless decimals."""
    return amount if amount == round(amount, _PLACES) else round(amount, _PLACES)


ENDPOINT = history_endpoint(
    "standby",
    "The base load at night, week by week, and what it costs in a year.",
    Result("the base load; absent where too few nights were measured", Standby),
    lambda settings: partial(standby_of, contracts=settings.contracts),
    (TIME_ZONE,),
)
