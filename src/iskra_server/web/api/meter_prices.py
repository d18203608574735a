"""GET /api/v1/meters/{id}/prices: the price of each quarter-hour under the contract, and the cheapest hours ahead."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from functools import partial

from msgspec import UNSET, Struct, UnsetType

from iskra_server.base.json_values import Instant, Number, local, number
from iskra_server.cost.contracts import Contract, contracts_of
from iskra_server.cost.price_columns import price_columns_of
from iskra_server.history.model.periods import local_midnight
from iskra_server.history.model.records import QUARTER_S, quarter_of
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.meter.reading import scaled
from iskra_server.prices.cheapest import cheapest_hours
from iskra_server.web.api.history import history_endpoint
from iskra_server.web.api.quarters import MAX_DAYS, Column
from iskra_server.web.http.endpoint import TIME_ZONE, Result, period_parameters
from iskra_server.web.http.query import Query

_MEAN_PLACES = 6


class CheapWindow(Struct, frozen=True):
    """`hours` hours in a row from `begin` on; `price_amount` is their mean price per kWh."""

    hours: int
    begin: Instant
    end: Instant
    price_amount: Number


class MeterPrices(Struct, frozen=True):
    """Element n is the gross price per kWh in the quarter-hour from n x 900 s after `begin`; null if it is unknown.

    `cheapest`: the cheapest 1, 2, 3 and 4 hours from now until the end of tomorrow, as far as prices are known; the
    earliest of equal ones. Without a contract `currency` is absent and every price null.
    """

    meter: str
    simulated: bool
    tz: str
    begin: Instant
    end: Instant
    import_amount: Column
    export_amount: Column
    cheapest: list[CheapWindow]
    currency: str | UnsetType = UNSET


def meter_prices_of(meter: RecordedMeter, query: Query, contracts: Sequence[Contract]) -> MeterPrices:
    """Raises BadRequest, and StoreError if the database does not respond."""
    begin, end = query.period(max_days=MAX_DAYS)
    first, last = quarter_of(begin.timestamp()), quarter_of(end.timestamp())
    own = contracts_of(contracts, meter.id, meter.server_id)
    columns = price_columns_of(own, first, last, meter.spot_raws, query.tz)
    return MeterPrices(
        meter=meter.id,
        simulated=meter.simulated,
        tz=query.tz.key,
        begin=local(first * QUARTER_S, query.tz),
        end=local(last * QUARTER_S, query.tz),
        import_amount=_column(columns.imports, columns.scaler),
        export_amount=_column(columns.exports, columns.scaler),
        cheapest=_cheapest(meter, query, own) if own else [],
        currency=own[0].currency if own else UNSET,
    )


def _column(raws: Sequence[int | None], scaler: int) -> Column:
    # a price stays for hours: few distinct ones
    numbers = {raw: number(_shortest(scaled(raw, scaler))) for raw in set(raws) if raw is not None}
    return [None if raw is None else numbers[raw] for raw in raws]


def _shortest(price: Decimal) -> Decimal:
    """Without zeros at its end, which the common scale of all prices gives it."""
    return price.normalize() if price else Decimal(0)


def _cheapest(meter: RecordedMeter, query: Query, contracts: Sequence[Contract]) -> list[CheapWindow]:
    first = quarter_of(query.now.timestamp())
    day_after_tomorrow = query.now.astimezone(query.tz).date() + timedelta(days=2)
    end = quarter_of(local_midnight(day_after_tomorrow, query.tz).timestamp())
    columns = price_columns_of(contracts, first, end, meter.spot_raws, query.tz)
    known = {
        quarter: scaled(raw, columns.scaler) for quarter, raw in enumerate(columns.imports, first) if raw is not None
    }
    return [
        CheapWindow(
            hours=cheap.hours,
            begin=local(cheap.begin * QUARTER_S, query.tz),
            end=local(cheap.end * QUARTER_S, query.tz),
            price_amount=number(round(cheap.mean, _MEAN_PLACES)),
        )
        for cheap in cheapest_hours(known, first)
    ]


ENDPOINT = history_endpoint(
    "prices",
    "The gross price of each quarter-hour under the meter's contract, and the cheapest hours ahead.",
    Result("the columns; null means that a price is not known", MeterPrices),
    lambda settings: partial(meter_prices_of, contracts=settings.contracts),
    (*period_parameters(f"{MAX_DAYS} days"), TIME_ZONE),
)
