"""What one contract costs on the energy of a comparison: added up piece by piece, then closed with its fees."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.cost.compared_energy import EnergyPiece, Fractions, power_of_ten
from iskra_server.cost.contracts import Contract, spot_shares
from iskra_server.cost.credit import credited
from iskra_server.cost.price_columns import PriceColumns, Spot, columns_of_runs, raw, spot_column
from iskra_server.cost.price_runs import contract_runs, registers_of
from iskra_server.cost.priced_energy import PricedEnergy, PricesOf
from iskra_server.cost.tariffs import Per, Rate, SpotShare
from iskra_server.history.model.periods import quarter_time
from iskra_server.meter.obis import EXPORT, IMPORT, Obis

# tariff registers and the total are rounded each on its own
_ROUNDING = Fraction(1, 100)


class MonthAmount(Struct, frozen=True):
    """In a month, in the currency: measured energy, gaps (cost less pay), and fees less credit.

    `priced_import_wh` is the measured energy that `imported` is for; that without a price is in no amount.
    """

    imported: Fraction = Fraction(0)
    exported: Fraction = Fraction(0)
    estimated: Fraction = Fraction(0)
    fees: Fraction = Fraction(0)
    priced_import_wh: Fraction = Fraction(0)
    unpriced_import_wh: Fraction = Fraction(0)
    unpriced_export_wh: Fraction = Fraction(0)

    def __add__(self, other: "MonthAmount") -> "MonthAmount":
        return MonthAmount(*(getattr(self, name) + getattr(other, name) for name in self.__struct_fields__))

    @property
    def total(self) -> Fraction:
        return self.imported - self.exported + self.estimated + self.fees

    @property
    def import_price(self) -> Fraction | None:
        """The mean price of a measured kWh, without fees."""
        return self.imported * 1000 / self.priced_import_wh if self.priced_import_wh else None


class NegativeQuarters(Struct, frozen=True):
    """Quarters whose spot price is below 0, and the energy measured in them."""

    count: int = 0
    import_wh: Fraction = Fraction(0)
    export_wh: Fraction = Fraction(0)

    def __add__(self, other: "NegativeQuarters") -> "NegativeQuarters":
        energies = self.import_wh + other.import_wh, self.export_wh + other.export_wh
        return NegativeQuarters(self.count + other.count, *energies)


class ContractCost(Struct, frozen=True):
    """`even_price` is the mean price of a kWh over time, `shift` what moving 1 kWh a day to the cheapest quarter saves.

    `left_out` is what the energy without a price here costs in the reference; None where it has no price there either.
    """

    contract: Contract
    months: list[MonthAmount]
    even_price: Fraction | None
    shift: Fraction | None
    negative: NegativeQuarters | None
    left_out: Fraction | None

    @property
    def total(self) -> MonthAmount:
        return sum(self.months, start=MonthAmount())


class PricedPiece(Struct, frozen=True):
    """`no_register_wh` is imported energy that no register of the contract has counted."""

    imports: list[PricedEnergy]
    exports: list[PricedEnergy]
    no_register_wh: Fractions

    @property
    def has_unpriced(self) -> bool:
        parts = self.imports + self.exports
        return any(self.no_register_wh) or any(part.unknown or part.unknown_gaps for part in parts)


class ContractAccount:
    """`months` are where the months of the comparison begin, and its end."""

    def __init__(self, contract: Contract, months: Sequence[int], tz: ZoneInfo) -> None:
        self.contract = contract
        self._months, self._tz = months, tz
        self._varies = contract.pricing in {"windows", "spot"} and not contract.registers
        # both prices of a piece, and the grid fee for a credit, come from the same runs
        self._runs = lru_cache(maxsize=2)(lambda begin, end: contract_runs(contract, begin, end, tz))
        nothing = [Fraction(0)] * (len(months) - 1)
        self._imported = self._exported = self._estimated = self._grid = nothing
        self._priced_import = self._unpriced_import = self._unpriced_export = nothing
        self._prices: tuple[Fraction, int] = Fraction(0), 0
        self._shift = Fraction(0)
        self._negative: NegativeQuarters | None = None
        self._left_out: Fraction | None = Fraction(0)

    def add(self, piece: EnergyPiece, spot: Spot, reference: PricedPiece | None) -> PricedPiece:
        """`reference` is the same piece in the contract that others are compared with; None: this is it."""
        priced = self._priced(piece, spot)
        self._unpriced_import = _plus(self._unpriced_import, priced.no_register_wh)
        for part in priced.imports:
            self._imported = _plus(self._imported, part.costs())
            self._estimated = _plus(self._estimated, part.estimated_costs())
            self._priced_import = _plus(self._priced_import, part.priced_wh())
            self._unpriced_import = _plus(self._unpriced_import, part.unpriced_wh())
            self._add_prices(part)
        for part in priced.exports:
            self._exported = _plus(self._exported, part.costs())
            self._estimated = _minus(self._estimated, part.estimated_costs())
            self._unpriced_export = _plus(self._unpriced_export, part.unpriced_wh())
        self._count_negative(piece, spot)
        if reference:
            self._leave_out(priced, reference)
        return priced

    def close(self, shares: Callable[[Per], Fractions]) -> ContractCost:
        """`shares(per)` is the part of a fee per month or year that falls to each month."""
        columns = (
            *(self._imported, self._exported, self._estimated, self._fees(shares)),
            *(self._priced_import, self._unpriced_import, self._unpriced_export),
        )
        price_sum, count = self._prices
        return ContractCost(
            contract=self.contract,
            months=[MonthAmount(*values) for values in zip(*columns, strict=True)],
            even_price=price_sum / count if count else None,
            shift=self._shift if self._varies else None,
            negative=self._negative,
            left_out=self._left_out,
        )

    def _priced(self, piece: EnergyPiece, spot: Spot) -> PricedPiece:
        @lru_cache(maxsize=2)
        def columns(begin: int, end: int) -> PriceColumns:
            return columns_of_runs(self._runs(begin, end), begin, end, spot)

        def imports(begin: int, end: int) -> tuple[Sequence[int | None], int]:
            return columns(begin, end).imports, columns(begin, end).scaler

        def exports(begin: int, end: int) -> tuple[Sequence[int | None], int]:
            return columns(begin, end).exports, columns(begin, end).scaler

        def priced(obis: Obis, prices_of: PricesOf) -> list[PricedEnergy]:
            return [PricedEnergy(piece, obis, prices_of)] if obis in piece.columns else []

        parts = [part for obis in self.contract.registers for part in priced(obis, self._prices_of(obis, Rate.gross))]
        if self.contract.grid_credit:
            for obis in registers_of(self.contract):
                for part in priced(obis, self._prices_of(obis, _grid_price)):
                    self._grid = _plus(self._grid, _plus(part.costs(), part.estimated_costs()))
        return PricedPiece(
            imports=parts if self.contract.registers else priced(IMPORT, imports),
            exports=priced(EXPORT, exports),
            no_register_wh=self._no_register_wh(piece),
        )

    def _prices_of(self, obis: Obis, price_of: Callable[[Rate], Decimal | None]) -> PricesOf:
        """Prices of one register, or parts of prices, that need no spot price."""

        def prices_of(begin: int, end: int) -> tuple[Sequence[int | None], int]:
            runs = self._runs(begin, end)
            # runs share their rates
            rates = {id(rate): rate for run in runs for rate in [dict(run.imports)[obis]]}
            prices = {key: price_of(rate) for key, rate in rates.items()}
            exponents = [int(price.as_tuple().exponent) for price in prices.values() if price is not None]
            scaler = min(exponents, default=0)
            raws = {key: None if price is None else raw(price, scaler) for key, price in prices.items()}
            column: list[int | None] = []
            for run in runs:
                column += [raws[id(dict(run.imports)[obis])]] * (run.end - run.begin)
            return column, scaler

        return prices_of

    def _no_register_wh(self, piece: EnergyPiece) -> Fractions:
        if not self.contract.registers:
            return [Fraction(0)] * (len(self._months) - 1)
        whole = rest = piece.measured_wh(IMPORT)
        for obis in self.contract.registers:
            rest = _minus(rest, piece.measured_wh(obis))
        return [left if left > energy * _ROUNDING else Fraction(0) for left, energy in zip(rest, whole, strict=True)]

    def _add_prices(self, part: PricedEnergy) -> None:
        if not self.contract.registers:
            price_sum, count = part.price_sum()
            self._prices = self._prices[0] + price_sum, self._prices[1] + count
        if self._varies:
            self._shift += part.saved_by_shifting()

    def _count_negative(self, piece: EnergyPiece, spot: Spot) -> None:
        for share in spot_shares(self.contract)[:1]:
            places = _negative_places(share, piece, spot)
            energies = []
            for obis in IMPORT, EXPORT:
                column = piece.columns.get(obis)
                steps = sum(column.raws[place] for place in places) if column else 0
                energies.append(power_of_ten(column.scaler) * steps if column else Fraction(0))
            self._negative = (self._negative or NegativeQuarters()) + NegativeQuarters(len(places), *energies)

    def _leave_out(self, priced: PricedPiece, reference: PricedPiece) -> None:
        if self._left_out is None or reference.has_unpriced or any(priced.no_register_wh):
            self._left_out = None
            return
        for unpriced in priced.imports:
            self._left_out += sum(part.cost_where_unknown(unpriced) for part in reference.imports)
        for unpriced in priced.exports:
            self._left_out -= sum(part.cost_where_unknown(unpriced) for part in reference.exports)

    def _fees(self, shares: Callable[[Per], Fractions]) -> Fractions:
        """By month, less the credit as far as the grid fees of the calendar year cover it."""
        fees, grid = [Fraction(0)] * (len(self._months) - 1), self._grid
        for fee in self.contract.fees:
            amounts = [Fraction(fee.amount) * share for share in shares(fee.per)]
            fees = _plus(fees, amounts)
            grid = _plus(grid, amounts) if fee.name == "grid" else grid
        if not self.contract.grid_credit:
            return fees
        credits = [Fraction(self.contract.grid_credit) * share for share in shares("year")]
        years = [quarter_time(month, self._tz).year for month in self._months[:-1]]
        months = zip(years, credits, grid, strict=True)
        by_year = (list(zip(*group, strict=True)) for _, group in groupby(months, key=itemgetter(0)))
        return _minus(fees, [amount for _, *steps in by_year for amount in credited(*steps)])


def _grid_price(rate: Rate) -> Decimal:
    return rate.with_tax(rate.grid)


def _negative_places(share: SpotShare, piece: EnergyPiece, spot: Spot) -> list[int]:
    if share.is_hourly:
        hours = spot_column(share, piece.first, piece.end, spot)
        return [place for place, price in enumerate(hours) if price is not None and price < 0]
    prices = spot(share.zone, piece.first, piece.end)
    return [
        quarter - piece.first for quarter, price in prices.items() if price < 0 and piece.first <= quarter < piece.end
    ]


def _plus(left: Fractions, right: Fractions) -> Fractions:
    # most are 0, and adding fractions takes a microsecond
    return [first + second if second else first for first, second in zip(left, right, strict=True)]


def _minus(left: Fractions, right: Fractions) -> Fractions:
    return [first - second if second else first for first, second in zip(left, right, strict=True)]
