"""The answer of compare-contracts: numbers are rounded here, once, to a millionth.

Above WARN_PERCENT of estimated energy it warns. Above REFUSE_PERCENT it has no differences: then nothing can be said
about which contract is cheaper.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from iskra_server.base.json_values import Instant, Number, number
from iskra_server.cost.amounts import round_fraction
from iskra_server.cost.comparison import Comparison, MonthEnergy
from iskra_server.cost.contract_account import ContractCost, MonthAmount
from iskra_server.cost.contracts import ANY_TIME, Contract
from iskra_server.cost.dynamic_offer import DynamicOffer
from iskra_server.cost.tariffs import Pricing
from iskra_server.history.model.periods import QUARTERS_OF_DAY, quarter_instant
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.web.http.query import Query

WARN_PERCENT, REFUSE_PERCENT = 5, 20
_YEAR_DAYS = 365
# all but the zone
_NUMBERS = DynamicOffer.__struct_fields__[1:]

Source = Literal["contract", "offer", "dynamic"]
# ok; estimated: more than 5 % of the energy is; refused: more than 20 %
Verdict = Literal["ok", "estimated", "refused"]


class ComparedMonth(Struct, frozen=True):
    """Energy from `begin` until before `end`: measured by the quarter-hour, and estimated in gaps."""

    begin: Instant
    end: Instant
    import_wh: Number
    export_wh: Number
    estimated_import_wh: Number
    estimated_export_wh: Number


class MonthCost(Struct, frozen=True):
    """`mean_amount` is the mean price of a kWh from the grid, without fees."""

    total_amount: Number
    mean_amount: Number | UnsetType = UNSET


class NamedMonth(Struct, frozen=True):
    """A month, and the mean price of a kWh from the grid in it."""

    begin: Instant
    mean_amount: Number


class NegativePrices(Struct, frozen=True):
    """Quarter-hours with a spot price below 0, and the energy measured in them."""

    quarters: int
    import_wh: Number
    export_wh: Number


class ComparedContract(Struct, frozen=True, kw_only=True):
    """What a contract would have cost, in the currency; prices are per kWh from the grid.

    `total_amount` = import - export + estimated + base; `estimated_amount` is the share of gaps, base fees less credit.
    `mean_amount` is the mean price of the own use, `even_amount` that of a use that never changes, both without fees.
    `shift_amount`: what moving 1 kWh a day into the cheapest quarter-hour of the day would have saved.
    `difference_amount`: more (+) or less (-) than the first contract, on the same energy. Energy without a known spot
    price is in `unpriced_import_wh` and `unpriced_export_wh`, and in no amount.
    """

    name: str
    source: Source
    is_own: bool
    pricing: Pricing
    begins: str | UnsetType = UNSET
    import_amount: Number
    export_amount: Number
    estimated_amount: Number
    base_amount: Number
    total_amount: Number
    unpriced_import_wh: Number
    unpriced_export_wh: Number
    mean_amount: Number | UnsetType = UNSET
    even_amount: Number | UnsetType = UNSET
    shift_amount: Number | UnsetType = UNSET
    difference_amount: Number | UnsetType = UNSET
    difference_percent: Number | UnsetType = UNSET
    negative: NegativePrices | UnsetType = UNSET
    cheapest_month: NamedMonth | UnsetType = UNSET
    dearest_month: NamedMonth | UnsetType = UNSET
    months: list[MonthCost]


class SpotZone(Struct, frozen=True):
    """Spot prices that are stored of a zone."""

    zone: str
    begin: Instant
    end: Instant


class DynamicTemplate(Struct, frozen=True):
    """The numbers of a dynamic contract, as asked for or by default: net per kWh; a gross base fee per month."""

    zone: str
    markup: Number
    grid_fee: Number
    tax: Number
    kwkg: Number
    offshore: Number
    special: Number
    concession: Number
    vat_percent: Number
    base_fee: Number


class ContractComparison(Struct, frozen=True):
    """From the first to the last reading of the period; the first contract is the one that the others differ from.

    Without two readings in the period there are no contracts and no months.
    """

    meter: str
    simulated: bool
    currency: str
    tz: str
    begin: Instant
    end: Instant
    days: int
    has_year: bool
    verdict: Verdict
    import_wh: Number
    export_wh: Number
    estimated_import_wh: Number
    estimated_export_wh: Number
    estimated_percent: Number
    months: list[ComparedMonth]
    contracts: list[ComparedContract]
    zones: list[SpotZone]
    dynamic: DynamicTemplate


class Candidate(Struct, frozen=True):
    contract: Contract
    source: Source
    is_own: bool = False


def comparison_answer(
    meter: RecordedMeter,
    query: Query,
    comparison: Comparison,
    candidates: Sequence[Candidate],
    template: DynamicOffer,
) -> ContractComparison:
    share = comparison.estimated_share * 100
    verdict: Verdict = "refused" if share > REFUSE_PERCENT else "estimated" if share > WARN_PERCENT else "ok"
    months = comparison.months
    names = "import_wh", "export_wh", "estimated_import_wh", "estimated_export_wh"
    sums = {name: _number(sum((getattr(month, name) for month in months), start=Fraction(0))) for name in names}
    moments = [quarter_instant(quarter, query.tz) for quarter in (comparison.begin, comparison.end)]
    begins = [quarter_instant(month.begin, query.tz) for month in months]
    return ContractComparison(
        meter=meter.id,
        simulated=meter.simulated,
        currency=candidates[0].contract.currency if candidates else "EUR",
        tz=query.tz.key,
        begin=moments[0],
        end=moments[1],
        days=(days := round((comparison.end - comparison.begin) / QUARTERS_OF_DAY)),
        has_year=days >= _YEAR_DAYS,
        verdict=verdict,
        **sums,
        estimated_percent=number(round(round_fraction(share), 2)),
        months=[_month(month, query) for month in months],
        contracts=[
            _contract(comparison, cost, candidate, begins, has_verdict=verdict != "refused")
            for cost, candidate in zip(comparison.contracts, candidates, strict=False)
        ],
        zones=[
            SpotZone(zone.zone, quarter_instant(zone.begin, query.tz), quarter_instant(zone.end, query.tz))
            for zone in meter.stored_zones()
        ],
        dynamic=DynamicTemplate(template.zone, *(number(getattr(template, name)) for name in _NUMBERS)),
    )


def _month(month: MonthEnergy, query: Query) -> ComparedMonth:
    return ComparedMonth(
        begin=quarter_instant(month.begin, query.tz),
        end=quarter_instant(month.end, query.tz),
        import_wh=_number(month.import_wh),
        export_wh=_number(month.export_wh),
        estimated_import_wh=_number(month.estimated_import_wh),
        estimated_export_wh=_number(month.estimated_export_wh),
    )


def _contract(
    comparison: Comparison, cost: ContractCost, candidate: Candidate, begins: Sequence[str], *, has_verdict: bool
) -> ComparedContract:
    total, negative = cost.total, cost.negative
    difference = comparison.difference(cost) if has_verdict else None
    reference = total.total - difference if difference is not None else Fraction(0)
    cheapest, dearest = _extremes(cost.months, begins)
    return ComparedContract(
        name=cost.contract.name,
        source=candidate.source,
        is_own=candidate.is_own,
        pricing=cost.contract.pricing,
        begins=UNSET if cost.contract.begins == ANY_TIME else cost.contract.begins.isoformat(),
        import_amount=_number(total.imported),
        export_amount=_number(total.exported),
        estimated_amount=_number(total.estimated),
        base_amount=_number(total.fees),
        total_amount=_number(total.total),
        unpriced_import_wh=_number(total.unpriced_import_wh),
        unpriced_export_wh=_number(total.unpriced_export_wh),
        mean_amount=_optional(total.import_price),
        even_amount=_optional(cost.even_price),
        shift_amount=_optional(cost.shift),
        difference_amount=_optional(difference),
        difference_percent=_percent(difference, reference),
        negative=NegativePrices(negative.count, _number(negative.import_wh), _number(negative.export_wh))
        if negative
        else UNSET,
        cheapest_month=cheapest,
        dearest_month=dearest,
        months=[MonthCost(_number(month.total), _optional(month.import_price)) for month in cost.months],
    )


def _extremes(
    months: Sequence[MonthAmount], begins: Sequence[str]
) -> tuple[NamedMonth | UnsetType, NamedMonth | UnsetType]:
    """The months with the lowest and the highest price; absent where the price is always the same."""
    prices = sorted(
        (price, begin) for month, begin in zip(months, begins, strict=True) if (price := month.import_price)
    )
    if not prices or prices[0][0] == prices[-1][0]:
        return UNSET, UNSET
    (low, first), (high, last) = prices[0], prices[-1]
    return NamedMonth(first, _number(low)), NamedMonth(last, _number(high))


def _number(exact: Fraction) -> Number:
    return number(round_fraction(exact))


def _optional(exact: Fraction | None) -> Number | UnsetType:
    return UNSET if exact is None else _number(exact)


def _percent(difference: Fraction | None, reference: Fraction) -> Number | UnsetType:
    """Of the reference, to a tenth; absent where that has cost nothing."""
    if difference is None or reference <= 0:
        return UNSET
    return number(round(round_fraction(difference * 100 / reference), 1))
