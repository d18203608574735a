"""The numbers of a digest: one meter in one period, and what they are compared with.

year before      |=======|                         the same weekdays 52 weeks earlier, or the same month
period before              |=======|               the week or month before
period                             |=======|
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct, structs

from iskra_server.cost.bill import Bill
from iskra_server.cost.contracts import Contract, contract_on, contracts_of_meter
from iskra_server.history.model.base_load import base_load
from iskra_server.history.model.energy import energy_between
from iskra_server.history.model.highest_quarter import QuarterEnergy, highest_quarter, quarter_energies
from iskra_server.history.model.periods import first_day, first_quarter
from iskra_server.history.model.records import QuarterReading
from iskra_server.history.store.counter_history import CounterHistory
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.meter.obis import EXPORT, IMPORT

Kind = Literal["weekly", "monthly"]
_WEEK, _YEAR_OF_WEEKS = timedelta(weeks=1), timedelta(weeks=52)
_DAY = timedelta(days=1)


class DayPeriod(Struct, frozen=True):
    """From a local day until before another."""

    begin: date
    end: date

    @property
    def days(self) -> int:
        return (self.end - self.begin).days

    def quarters(self, tz: ZoneInfo) -> tuple[int, int]:
        return first_quarter(self.begin, tz), first_quarter(self.end, tz)


class MissingSpan(Struct, frozen=True):
    """Quarters without a reading in between; `energy_wh` is their sum, None if it is not known.

    `is_inside`: it is part of the total of the period.
    """

    begin: int
    end: int
    energy_wh: Decimal | None
    is_inside: bool


class PeriodEnergies(Struct, frozen=True):
    """`None` where nothing was measured; `is_whole`: the counter was read at both ends."""

    period: DayPeriod
    import_wh: Decimal | None
    export_wh: Decimal | None
    is_whole: bool


class PeriodCost(Struct, frozen=True):
    """`unpriced_wh` is energy in no amount, because its spot price is unknown; `is_estimated`: part of the cost is."""

    amount: Decimal
    unpriced_wh: Decimal = Decimal(0)
    is_estimated: bool = False


class DigestFigures(Struct, frozen=True):
    """Costs are in `currency`, powers in W."""

    energies: PeriodEnergies
    before: PeriodEnergies
    year_before: PeriodEnergies
    missing: tuple[MissingSpan, ...]
    highest: QuarterEnergy | None
    base_load_w: Decimal | None
    base_load_before_w: Decimal | None
    currency: str = ""
    cost: PeriodCost | None = None
    cost_before: PeriodCost | None = None


def period_before(kind: Kind, period: DayPeriod) -> DayPeriod:
    begin = period.begin - _WEEK if kind == "weekly" else first_day(period.begin - _DAY, "month")
    return DayPeriod(begin, period.begin)


def year_before(kind: Kind, period: DayPeriod) -> DayPeriod:
    """The same weekdays 52 weeks earlier, or the same month."""
    if kind == "weekly":
        return DayPeriod(period.begin - _YEAR_OF_WEEKS, period.end - _YEAR_OF_WEEKS)
    begin, end = (day.replace(year=day.year - 1) for day in (period.begin, period.end))
    return DayPeriod(begin, end)


def digest_figures(
    meter: RecordedMeter, kind: Kind, period: DayPeriod, contracts: Sequence[Contract], *, now: datetime, tz: ZoneInfo
) -> DigestFigures | None:
    """None where nothing was measured in the period. Raises StoreError."""
    earlier = period_before(kind, period)
    begin, end = period.quarters(tz)
    counter = meter.counter(IMPORT)
    readings = list(counter.between(begin, end + 1))
    energies = _energies(meter, period, tz)
    if energies.import_wh is None:
        return None
    quarters = list(quarter_energies(readings, counter.epochs))
    figures = DigestFigures(
        energies=energies,
        before=_energies(meter, earlier, tz),
        year_before=_energies(meter, year_before(kind, period), tz),
        missing=_missing(counter, readings, begin, end),
        highest=highest_quarter(quarters),
        base_load_w=_base_load(quarters, tz),
        base_load_before_w=base_load_of(meter, earlier, tz),
    )
    return _with_cost(figures, meter, contracts, now, tz)


def base_load_of(meter: RecordedMeter, period: DayPeriod, tz: ZoneInfo) -> Decimal | None:
    """The median of the nights of a period in W; None of too few. Raises StoreError."""
    counter = meter.counter(IMPORT)
    begin, end = period.quarters(tz)
    return _base_load(quarter_energies(counter.between(begin, end + 1), counter.epochs), tz)


def _base_load(quarters: Iterable[QuarterEnergy], tz: ZoneInfo) -> Decimal | None:
    return base_load(((quarter.quarter, quarter.energy_wh) for quarter in quarters), tz)


def _energies(meter: RecordedMeter, period: DayPeriod, tz: ZoneInfo) -> PeriodEnergies:
    begin, end = period.quarters(tz)
    import_wh, is_whole = _between(meter.counter(IMPORT), begin, end)
    export_wh = None
    if EXPORT in meter.series():
        export_wh, _ = _between(meter.counter(EXPORT), begin, end)
    return PeriodEnergies(period, import_wh, export_wh, is_whole)


def _between(counter: CounterHistory, begin: int, end: int) -> tuple[Decimal | None, bool]:
    """What a counter counted from its first reading in a period to its last, and whether that is the whole period."""
    outermost = counter.outermost(begin, end)
    if outermost is None:
        return None, False
    first, last = outermost
    return energy_between(first, last, counter.epochs), (first.quarter, last.quarter) == (begin, end)


def _missing(
    counter: CounterHistory, readings: Sequence[QuarterReading], begin: int, end: int
) -> tuple[MissingSpan, ...]:
    missing: list[MissingSpan] = []
    first, last = readings[0], readings[-1]
    if first.quarter > begin:
        before = counter.nearest_before(begin)
        energy_wh = energy_between(before, first, counter.epochs) if before else None
        missing.append(MissingSpan(before.quarter if before else begin, first.quarter, energy_wh, is_inside=False))
    missing += (
        MissingSpan(left.quarter, right.quarter, energy_between(left, right, counter.epochs), is_inside=True)
        for left, right in pairwise(readings)
        if right.quarter > left.quarter + 1
    )
    if last.quarter < end:
        after = counter.nearest_after(end)
        energy_wh = energy_between(last, after, counter.epochs) if after else None
        missing.append(MissingSpan(last.quarter, after.quarter if after else end, energy_wh, is_inside=False))
    return tuple(missing)


def _with_cost(
    figures: DigestFigures, meter: RecordedMeter, contracts: Sequence[Contract], now: datetime, tz: ZoneInfo
) -> DigestFigures:
    """With the cost of periods that were measured whole and lie under a contract."""
    own = contracts_of_meter(contracts, meter)
    cost, before = (
        _cost(meter, own, energies.period, now, tz) if energies.is_whole else None
        for energies in (figures.energies, figures.before)
    )
    return structs.replace(figures, currency=own[0].currency, cost=cost, cost_before=before) if own else figures


def _cost(
    meter: RecordedMeter, contracts: Sequence[Contract], period: DayPeriod, now: datetime, tz: ZoneInfo
) -> PeriodCost | None:
    if contract_on(contracts, period.begin) is None:
        return None
    amount = Bill(meter, contracts, now, tz).total(*period.quarters(tz))
    estimated_wh = amount.estimated_import_wh + amount.estimated_export_wh
    return PeriodCost(amount.total, amount.unpriced_import_wh + amount.unpriced_export_wh, bool(estimated_wh))
