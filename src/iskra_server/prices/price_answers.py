"""The answers of those who publish spot prices, as prices of quarters. Strict: what is not as documented is refused.

energy-charts  {"unix_seconds": [begin, ...], "price": [EUR/MWh or null, ...], "unit": "EUR / MWh"}
SMARD          {"timestamps": [begin of a week in ms, ...]}, then {"series": [[begin in ms, EUR/MWh or null], ...]}
aWATTar        {"data": [{"start_timestamp": ms, "end_timestamp": ms, "marketprice": EUR/MWh, "unit": "Eur/MWh"}]}
evcc's form    [{"start": time, "end": time, "value": EUR/kWh}], or the same list as "rates" of an object

Numbers go from their text to a decimal, never through a float.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from iskra_server.base.json_values import utc
from iskra_server.history.model.records import EARLIEST_S, QUARTER_S
from iskra_server.history.model.spot_price import FIRST_QUARTERLY, HOUR_MINUTES, Price, Prices, raw_price

_MINUTE_S, _HOUR_S = 60, 3600
# a price for a longer time is no price of a market
_MAX_SLOT_S = 25 * _HOUR_S
# 2100-01-01
_LATEST_S = 4_102_444_800
_KWH_IN_MWH = 1000
# begin, end and price in EUR/MWh
Slot = tuple[int, int, Decimal]
T = TypeVar("T")


class BadAnswer(ValueError):
    """A clause that says what is wrong with an answer: "it is not JSON in the documented form"."""


class _EnergyCharts(Struct):
    unix_seconds: list[int]
    price: list[Decimal | None]
    unit: str


class _SmardIndex(Struct):
    timestamps: list[int]


class _SmardSeries(Struct):
    series: list[tuple[int, Decimal | None]]


class _AwattarSlot(Struct):
    start_timestamp: int
    end_timestamp: int
    marketprice: Decimal
    unit: str


class _Awattar(Struct):
    data: list[_AwattarSlot]


class _Exported(Struct):
    begin: datetime
    end: datetime
    eur_mwh: Decimal
    minutes: Annotated[int, Meta(ge=1, le=_MAX_SLOT_S // _MINUTE_S)]


class _Rate(Struct):
    start: datetime
    end: datetime
    value: Decimal


class _Rates(Struct):
    rates: list[_Rate]


def energy_charts_prices(body: bytes) -> Prices:
    """Raises BadAnswer, as the functions below."""
    answer = _decode(body, _EnergyCharts)
    if len(answer.unix_seconds) != len(answer.price):
        raise BadAnswer(f"it has {len(answer.unix_seconds)} times and {len(answer.price)} prices")
    _check_unit(answer.unit)
    return _prices(_slots(zip(answer.unix_seconds, answer.price, strict=True)))


def smard_weeks(body: bytes) -> list[int]:
    """Where the files of weeks begin, in ms."""
    return sorted(set(_decode(body, _SmardIndex).timestamps))


def smard_prices(body: bytes) -> Prices:
    answer = _decode(body, _SmardSeries)
    return _prices(_slots((_seconds(begin_ms), price) for begin_ms, price in answer.series))


def awattar_prices(body: bytes) -> Prices:
    slots = _decode(body, _Awattar).data
    for slot in slots:
        _check_unit(slot.unit)
    return _prices((_seconds(slot.start_timestamp), _seconds(slot.end_timestamp), slot.marketprice) for slot in slots)


def evcc_prices(body: bytes, units_in_mwh: int = _KWH_IN_MWH) -> Prices:
    """`value` is in EUR/kWh; with 1 for `units_in_mwh` it is in EUR/MWh."""
    rates = _decode(body, _Rates).rates if body.lstrip().startswith(b"{") else _decode(body, list[_Rate])
    return _prices((_unix_s(rate.start), _unix_s(rate.end), _checked(rate.value) * units_in_mwh) for rate in rates)


def exported_prices(body: bytes) -> Prices:
    """What `prices show --json` has written: an object a line."""
    prices: dict[int, Price] = {}
    for line in body.splitlines():
        row = _decode(line, _Exported)
        for quarter, price in _prices([(_unix_s(row.begin), _unix_s(row.end), row.eur_mwh)]).items():
            prices[quarter] = Price(price.raw, max(price.minutes, row.minutes))
    return prices


def _decode(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadAnswer(f"it is not in the documented form: {str(error)[:120]}") from None


def _check_unit(unit: str) -> None:
    if "".join(unit.split()).lower() != "eur/mwh":
        raise BadAnswer(f"its prices are in '{unit[:20]}', not in EUR/MWh")


def _seconds(milliseconds: int) -> int:
    seconds, rest = divmod(milliseconds, 1000)
    if rest:
        raise BadAnswer(f"a price begins at {milliseconds} ms, between two quarter-hours")
    return seconds


def _unix_s(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise BadAnswer(f"the time {moment.isoformat()} has no offset such as Z or +01:00")
    seconds = moment.timestamp()
    if seconds != int(seconds):
        raise BadAnswer(f"a price begins or ends at {moment.isoformat()}, between two quarter-hours")
    return int(seconds)


def _slots(begins: Iterable[tuple[int, Decimal | None]]) -> Iterator[Slot]:
    """The slots of prices that only say where they begin: hours where every one begins at a full hour."""
    priced = [(begin, price) for begin, price in begins if price is not None]
    change_s = FIRST_QUARTERLY * QUARTER_S
    for rows in [row for row in priced if row[0] < change_s], [row for row in priced if row[0] >= change_s]:
        times = {begin for begin, _ in rows}
        # one alone is an hour before the market had quarters, and a quarter since
        is_hourly = len(times) > 1 or min(times, default=change_s) < change_s
        length_s = _HOUR_S if is_hourly and all(begin % _HOUR_S == 0 for begin in times) else QUARTER_S
        yield from ((begin, begin + length_s, price) for begin, price in rows)


def _prices(slots: Iterable[Slot]) -> Prices:
    prices: dict[int, Price] = {}
    for begin_s, end_s, eur_mwh in slots:
        _check_slot(begin_s, end_s)
        minutes = (end_s - begin_s) // _MINUTE_S
        raw = raw_price(_checked(eur_mwh))
        for quarter in range(begin_s // QUARTER_S, end_s // QUARTER_S):
            price = Price(raw, minutes if quarter >= FIRST_QUARTERLY else max(minutes, HOUR_MINUTES))
            if prices.setdefault(quarter, price) != price:
                raise BadAnswer(f"it has two prices for {utc(quarter * QUARTER_S)}")
    return prices


def _checked(price: Decimal) -> Decimal:
    """A number that can be calculated with."""
    try:
        raw_price(price)
    except ValueError as error:
        raise BadAnswer(str(error)) from None
    return price


def _check_slot(begin_s: int, end_s: int) -> None:
    if not EARLIEST_S <= begin_s < end_s < _LATEST_S:
        raise BadAnswer(f"a price begins at {begin_s} and ends at {end_s} (Unix seconds)")
    if begin_s % QUARTER_S or end_s % QUARTER_S or end_s - begin_s > _MAX_SLOT_S:
        raise BadAnswer(f"a price is for {utc(begin_s)} to {utc(end_s)}, not for quarter-hours or hours")
