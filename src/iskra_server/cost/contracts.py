"""Contracts, and the stretches of time in which one price holds.

    contracts        |---- A ----|-------- B ----->        the next one begins where the one before ends
    stretches     |..|-----|-----|-----|                   of a period: none before the first contract

A stretch is the seam for prices that change by the quarter of an hour: then each quarter is a stretch of its own.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.history.model.periods import local_midnight
from iskra_server.history.model.records import quarter_of

Per = Literal["month", "year"]


class Contract(Struct, frozen=True, kw_only=True):
    """From the day `begins` on, in the zone of the server. Prices are per kWh, in `currency`, exact.

    `meter` is the meter that it is for: its label, with or without spaces, or its server id; empty is every meter.
    """

    begins: date
    energy_price: Decimal
    name: str = ""
    meter: str = ""
    currency: str = "EUR"
    feed_in: Decimal = Decimal(0)
    base_fee: Decimal = Decimal(0)
    base_fee_per: Per = "month"
    instalment: Decimal = Decimal(0)


class ContractPeriod(Struct, frozen=True):
    """From quarter `begin` until before quarter `end` the prices of one contract hold."""

    begin: int
    end: int
    contract: Contract


def contract_periods(contracts: Sequence[Contract], begin: int, end: int, tz: ZoneInfo) -> Iterator[ContractPeriod]:
    """The stretches of a period, in order; time before the first contract has none."""
    known = sorted(contracts, key=lambda contract: contract.begins)
    starts = [_start(contract, tz) for contract in known]
    for contract, (first, following) in zip(known, pairwise([*starts, end]), strict=True):
        left, right = max(first, begin), min(max(following, first), end)
        if left < right:
            yield ContractPeriod(left, right, contract)


def contract_on(contracts: Sequence[Contract], today: date) -> Contract | None:
    """The contract of a day."""
    begun = [contract for contract in contracts if contract.begins <= today]
    return max(begun, key=lambda contract: contract.begins) if begun else None


def contract_year(contract: Contract, today: date) -> tuple[date, date]:
    """The contract year that a day lies in: from one anniversary of its beginning to the next."""
    begin = _anniversary(contract.begins, today.year)
    if begin > today:
        begin = _anniversary(contract.begins, today.year - 1)
    return begin, _anniversary(contract.begins, begin.year + 1)


def _anniversary(day: date, year: int) -> date:
    """That of the 29th of February is the 1st of March."""
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def _start(contract: Contract, tz: ZoneInfo) -> int:
    return quarter_of(local_midnight(contract.begins, tz).timestamp())
