"""Contract years one after another, each with the instalments that were due in it.

contracts       |-------- A --------------|----- B --->
years           |--- A 1 ---|--- A 2 ---|A|--- B 1 ---      anniversaries; the last one ends with its contract
instalments     ^  ^  ^  ^  ^  ^  ^  ^  ^ ^  ^  ^  ^        one at the beginning of each month of a year
"""

import calendar
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise

from msgspec import Struct

from iskra_server.cost.contracts import Contract, anniversary

_MONTHS = 12


class Instalment(Struct, frozen=True):
    day: date
    amount: Decimal


class BillingYear(Struct, frozen=True):
    """From the day `begin` until before `end`."""

    begin: date
    end: date
    contract: Contract

    @property
    def instalments(self) -> list[Instalment]:
        """Those due in the year, without those of 0."""
        days = (_months_later(self.begin, months) for months in range(_MONTHS))
        due = [Instalment(day, self.contract.instalment_on(day)) for day in days if day < self.end]
        return [instalment for instalment in due if instalment.amount]

    @property
    def instalments_total(self) -> Decimal:
        return sum((instalment.amount for instalment in self.instalments), Decimal(0))


def billing_years(contracts: Sequence[Contract], first: date, today: date) -> list[BillingYear]:
    """The years that have begun, the earliest first, from that with the day `first` on.

    A contract that has not begun yet ends none: the forecast of the current year does not know it either.
    """
    begun = [contract for contract in contracts if contract.begins <= today]
    ordered = sorted(begun, key=lambda contract: contract.begins)
    ends = [*(contract.begins for contract in ordered[1:]), date.max]
    # without a contract there is an end, and no year
    years = (year for contract, end in zip(ordered, ends, strict=False) for year in _years(contract, end, first, today))
    return [year for year in years if year.end > first]


def _years(contract: Contract, end: date, first: date, today: date) -> Iterator[BillingYear]:
    """Those that begin before `end` and until today, from the year before `first` on."""
    calendar_years = range(max(contract.begins.year, first.year - 1), today.year + 2)
    for begin, after in pairwise(anniversary(contract.begins, year) for year in calendar_years):
        if begin < end and begin <= today:
            yield BillingYear(begin, min(after, end), contract)


def _months_later(day: date, months: int) -> date:
    """The same day of a later month, or its last."""
    year, month = divmod(day.year * _MONTHS + day.month - 1 + months, _MONTHS)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
