"""What a kWh costs in each quarter-hour, and when it is cheapest.

/api/v1/meters/{id}/prices  gross prices under the contract of each day, with the spot prices that they come from
/api/v1/meters/{id}/evcc    the same of today and tomorrow as the list that evcc reads
/api/v1/prices              the spot prices of a zone alone
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Literal

from msgspec import UNSET, Raw, Struct, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from iskra_server.base.json_values import Instant, Number, NumberColumn, instant, number, utc
from iskra_server.cost.contracts import Contract, contract_on, contracts_of_meter
from iskra_server.cost.meter_prices import MeterPrices, meter_prices, today_and_tomorrow, zone_of
from iskra_server.history.model.periods import quarter_instant
from iskra_server.history.model.records import QUARTER_S, quarter_of
from iskra_server.history.model.spot_price import Price, eur_mwh
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.prices.cheapest import CheapestHours, cheapest_hours
from iskra_server.prices.licences import LICENCES
from iskra_server.web.api.history import history_endpoint
from iskra_server.web.http.endpoint import (
    TEXT,
    TIME_ZONE,
    Context,
    Endpoint,
    Parameter,
    Result,
    failure,
    history_results,
    period_parameters,
    read_history,
)
from iskra_server.web.http.query import NotFound, Query
from iskra_server.web.http.responses import revalidated_json
from iskra_server.web.http.settings import WebSettings

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.history.store.reads import Reads

MAX_DAYS = 400
_PLACES = Decimal("0.000001")
_DIRECTIONS = ("import", "export")


class CheapestPeriod(Struct, frozen=True):
    """The cheapest `hours` in a row that begin from now on; `price` is their mean, rounded to six decimals."""

    hours: int
    begin: Instant
    end: Instant
    price: Number


class PriceOrigin(Struct, frozen=True):
    """Where spot prices come from, and when that source was asked last."""

    source: str
    retrieved_at: Instant
    licence: str


class SpotPrices(Struct, frozen=True):
    """Element n is the price of the quarter-hour that begins n x 900 s after `begin`, without taxes and fees; null if
    it is unknown. `stand_ins` of them are prices of an hour, in a time in which each quarter-hour has its own.
    `differing` counts prices of this zone that were published again with another value: the first one stays.
    """

    zone: str
    unit: Literal["EUR/MWh"]
    tz: str
    begin: Instant
    end: Instant
    prices: NumberColumn
    stand_ins: int
    differing: int
    cheapest: list[CheapestPeriod]
    origins: list[PriceOrigin]


class PricesOfMeter(Struct, frozen=True):
    """Element n is the gross price of a kWh in the quarter-hour that begins n x 900 s after `begin`, under the contract
    of its day; null if it is unknown. `known_until`: up to when prices are known without a gap, from now on, at most
    until the end of tomorrow; absent while that of now is unknown. `spot` has the spot prices of the zone in EUR/MWh.
    """

    meter: str
    simulated: bool
    tz: str
    begin: Instant
    end: Instant
    import_amount: NumberColumn
    export_amount: NumberColumn
    cheapest: list[CheapestPeriod]
    currency: str | UnsetType = UNSET
    known_until: Instant | UnsetType = UNSET
    zone: str | UnsetType = UNSET
    spot: NumberColumn | UnsetType = UNSET
    origins: list[PriceOrigin] | UnsetType = UNSET


class EvccRate(Struct, frozen=True):
    """`value` is the gross price of a kWh in the currency of the contract."""

    start: Instant
    end: Instant
    value: Number


def prices_of(meter: RecordedMeter, query: Query, settings: WebSettings) -> PricesOfMeter:
    """Raises BadRequest, and StoreError if the database does not respond."""
    first, last = query.quarters(max_days=MAX_DAYS)
    contracts = contracts_of_meter(settings.contracts, meter)
    asked = meter_prices(contracts, first, last, meter.spot_raws, query.tz)
    ahead = _ahead(meter, contracts, query)
    zone = zone_of(contracts, query.now, query.tz) or settings.price_zone
    return PricesOfMeter(
        meter=meter.id,
        simulated=meter.simulated,
        tz=query.tz.key,
        begin=quarter_instant(first, query.tz),
        end=quarter_instant(last, query.tz),
        import_amount=list(map(_number, asked.imports)),
        export_amount=list(map(_number, asked.exports)),
        cheapest=[_period(found, found.mean, query) for found in ahead.cheapest(query.now.timestamp())],
        currency=contracts[0].currency if contracts else UNSET,
        known_until=_known_until(ahead, query),
        zone=zone or UNSET,
        spot=_column(meter.spot_prices(zone, first, last), first, last) if zone else UNSET,
        origins=_origins(meter.price_sources(zone, first, last)) if zone else UNSET,
    )


def evcc_rates(meter: RecordedMeter, query: Query, settings: WebSettings) -> list[EvccRate]:
    """Raises BadRequest, NotFound without a contract, and StoreError if the database does not respond."""
    direction = query.choice("direction", _DIRECTIONS, default="import")
    contracts = contracts_of_meter(settings.contracts, meter)
    if contract_on(contracts, query.today) is None:
        raise NotFound(
            f"no contract is configured for meter {meter.id}; write its prices under [[contracts]]", "no_contract"
        )
    ahead = _ahead(meter, contracts, query)
    prices = ahead.imports if direction == "import" else ahead.exports
    return [
        EvccRate(utc(quarter * QUARTER_S), utc((quarter + 1) * QUARTER_S), number(price))
        for quarter, price in enumerate(prices, ahead.begin)
        if price is not None
    ]


def spot_of(reads: "Reads", query: Query, settings: WebSettings) -> SpotPrices:
    """Raises BadRequest, NotFound for a zone without prices, and StoreError if the database does not respond."""
    from iskra_server.history.store.spot_prices import price_sources, spot_prices, stored_zones  # noqa: PLC0415

    first, last = query.quarters(max_days=MAX_DAYS)
    zones = {stored.zone: stored for stored in stored_zones(reads)}
    zone = query.get("zone") or settings.price_zone or next(iter(zones), "")
    if zone not in zones:
        known = f"history has those of {', '.join(zones)}" if zones else "history has none; set prices.zone"
        raise NotFound(f"there are no spot prices of '{zone[:20]}'; {known}", "no_prices")
    prices = spot_prices(reads, zone, first, last)
    _, tomorrow = today_and_tomorrow(query.now, query.tz)
    next_quarter = quarter_of(query.now.timestamp() - 1) + 1
    ahead = spot_prices(reads, zone, next_quarter, max(tomorrow, next_quarter))
    decimals = {quarter: eur_mwh(price.raw) for quarter, price in ahead.items()}
    return SpotPrices(
        zone=zone,
        unit="EUR/MWh",
        tz=query.tz.key,
        begin=quarter_instant(first, query.tz),
        end=quarter_instant(last, query.tz),
        prices=_column(prices, first, last),
        stand_ins=sum(not price.is_final(quarter) for quarter, price in prices.items()),
        differing=zones[zone].differing,
        cheapest=[_period(found, found.mean, query) for found in cheapest_hours(decimals, next_quarter)],
        origins=_origins(price_sources(reads, zone, first, last)),
    )


def _ahead(meter: RecordedMeter, contracts: Sequence[Contract], query: Query) -> MeterPrices:
    return meter_prices(contracts, *today_and_tomorrow(query.now, query.tz), meter.spot_raws, query.tz)


def _known_until(ahead: MeterPrices, query: Query) -> Instant | UnsetType:
    now = query.quarter
    known = ahead.columns.imports[now - ahead.begin :]
    until = now + next((place for place, price in enumerate(known) if price is None), len(known))
    return quarter_instant(until, query.tz) if until > now else UNSET


def _period(found: CheapestHours, mean: Decimal, query: Query) -> CheapestPeriod:
    begin, end = (quarter_instant(quarter, query.tz) for quarter in (found.begin, found.end))
    return CheapestPeriod(found.hours, begin, end, number(mean.quantize(_PLACES)))


def _column(prices: Mapping[int, Price], first: int, last: int) -> NumberColumn:
    return [number(eur_mwh(prices[quarter].raw)) if quarter in prices else None for quarter in range(first, last)]


def _number(price: Decimal | None) -> Raw | None:
    return None if price is None else number(price)


def _origins(sources: Mapping[str, int]) -> list[PriceOrigin]:
    return [
        PriceOrigin(name, instant(datetime.fromtimestamp(at_s, UTC)), LICENCES.get(name, ""))
        for name, at_s in sources.items()
    ]


_ZONE = Parameter("zone", "zone of the market, such as DE-LU; default: that of the configuration", TEXT)
_PARAMETERS = (*period_parameters(f"{MAX_DAYS} days"), TIME_ZONE)

METER = history_endpoint(
    "prices",
    "Gross prices of a kWh in 15-minute steps under the configured contracts, and the cheapest hours ahead.",
    Result("the columns; null means that a price is unknown", PricesOfMeter),
    lambda settings: partial(prices_of, settings=settings),
    _PARAMETERS,
)
EVCC = history_endpoint(
    "evcc",
    "Gross prices of today and tomorrow as a list of start, end and value, for a tariff of evcc.",
    Result("the prices that are known, in order of time", list[EvccRate]),
    lambda settings: partial(evcc_rates, settings=settings),
    (
        Parameter(
            "direction",
            "import: what energy from the grid costs; export: what is paid for energy to the grid; default: import",
            {**TEXT, "enum": list(_DIRECTIONS)},
        ),
        TIME_ZONE,
    ),
    not_found=failure("no such meter, or no contract is configured for it"),
)


async def _spot_handler(context: Context, request: Request) -> Response:
    def respond(reads: "Reads", query: Query) -> Response:
        return revalidated_json(request, spot_of(reads, query, context.settings))

    return await read_history(context, request, SPOT.parameters, respond)


SPOT = Endpoint(
    "/api/v1/prices",
    "spot_prices",
    "Spot prices of a zone in 15-minute steps, and the cheapest hours ahead.",
    history_results(Result("the column; null means that a price is unknown", SpotPrices))
    | {404: failure("history has no prices of this zone")},
    _spot_handler,
    (_ZONE, *_PARAMETERS),
)
ENDPOINTS = (METER, EVCC, SPOT)
