"""What the month and the contract year of a meter will cost: measured so far, estimated for the rest, with a band."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.cost.amounts import base_fee, grid_credit, round_fraction
from iskra_server.cost.bill import Bill
from iskra_server.cost.contracts import Contract
from iskra_server.cost.day_forecast import LOOK_BACK, Band, RuleName, band, forecast_days
from iskra_server.history.model.periods import (
    FIRST_YEAR,
    QUARTERS_OF_DAY,
    first_day,
    first_quarter,
    next_start,
    quarter_date,
)
from iskra_server.history.model.records import quarter_of
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.meter.obis import IMPORT

_DAY = timedelta(days=1)


class PeriodForecast(Struct, frozen=True):
    """From quarter `begin` until `end`; amounts include base fees, `total` is measured plus estimated cost."""

    begin: int
    end: int
    basis: RuleName
    so_far: Decimal
    total: Decimal
    band: Band | None


class Outlook:
    """The forecasts of one meter at the time `now`. Each method may raise StoreError."""

    def __init__(self, meter: RecordedMeter, contracts: Sequence[Contract], now: datetime, tz: ZoneInfo) -> None:
        self._bill = Bill(meter, contracts, now, tz)
        self._contracts = contracts
        self._tz = tz
        self._counter = meter.counter(IMPORT)
        self._first_s = meter.first_s
        self._last = self._counter.nearest_before(quarter_of(now.timestamp()) + 1)
        self._days: dict[date, Decimal] = {}
        if self._last is not None and self._bill.contract is not None:
            # what the past would have cost at the prices of today
            lasting = replace(self._bill.contract, begins=date(FIRST_YEAR, 1, 1))
            self._days = self._day_amounts(Bill(meter, [lasting], now, tz))

    def month(self) -> PeriodForecast | None:
        """None without a contract, with too little history, and while the price of energy so far is unknown."""
        contract, last = self._bill.contract, self._last
        if contract is None or last is None:
            return None
        today = self._day_of(last.quarter)
        month = first_day(today, "month")
        begin, end = self._quarter(month), self._quarter(next_start(month, "month"))
        so_far = self._bill.total(begin, last.quarter)
        begins = max(month, min(contract.begins for contract in self._contracts))
        rest = forecast_days(self._days, today, self._missing_days(begins, end))
        if rest is None or so_far.has_unpriced:
            return None
        fee = base_fee(contract, last.quarter, end, self._tz) - grid_credit(contract, last.quarter, end, self._tz)
        total = so_far.total + rest + round_fraction(fee)
        rest_days = Decimal(end - last.quarter) / QUARTERS_OF_DAY
        return PeriodForecast(
            begin, end, "weekday", so_far.total, total, band(self._days, today, "weekday", rest_days, total)
        )

    def year(self) -> PeriodForecast | None:
        """The contract year, as the bill forecasts it."""
        year, last = self._bill.year(), self._last
        if year is None or last is None:
            return None
        total, basis = year.forecast.amount.total, year.forecast.basis
        rest_days = Decimal(max(0, year.end - last.quarter)) / QUARTERS_OF_DAY
        around = band(self._days, self._day_of(last.quarter), basis, rest_days, total)
        so_far = self._bill.total(year.begin, min(last.quarter, year.end)).total
        return PeriodForecast(year.begin, year.end, basis, so_far, total, around)

    def _missing_days(self, begin: date, end: int) -> dict[date, Decimal]:
        """The days from `begin` until quarter `end` that history does not have, each by its missing share."""
        first, last = quarter_of(self._first_s), self._last.quarter if self._last else 0
        missing: dict[date, Decimal] = {}
        day = begin
        while (start := self._quarter(day)) < end:
            stop = self._quarter(day + _DAY)
            before, after = max(0, min(first, stop) - start), max(0, stop - max(last, start))
            if before or after:
                missing[day] = Decimal(min(before + after, stop - start)) / (stop - start)
            day += _DAY
        return missing

    def _day_amounts(self, bill: Bill) -> dict[date, Decimal]:
        """What the energy of each day cost that was measured from midnight to midnight, and has a known price."""
        end = self._day_of(self._last.quarter) if self._last else date.min
        begin = max(end - LOOK_BACK, self._day_of(quarter_of(self._first_s)))
        days = [begin + place * _DAY for place in range((end - begin).days + 1)]
        if len(days) < 2:
            return {}
        edges = [self._quarter(day) for day in days]
        readings = self._counter.look_up(edges)
        return {
            day: amount.imported - amount.exported
            for day, (left, right), amount in zip(days, pairwise(edges), bill.buckets(edges), strict=False)
            if amount is not None and left in readings and right in readings and not amount.has_unpriced
        }

    def _day_of(self, quarter: int) -> date:
        return quarter_date(quarter, self._tz)

    def _quarter(self, day: date) -> int:
        return first_quarter(day, self._tz)
