"""Contracts, and the periods in which the prices of one contract apply.

    contracts        |---- A ----|-------- B ----->        a contract begins where the one before ends
    periods       |..|-----|-----|-----|                   of a span of time: none before the first contract

Prices that change by the quarter of an hour would make each quarter a period of its own.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.history.model.periods import local_midnight
from iskra_server.history.model.records import quarter_of
from iskra_server.meter.identity import compact_name

Per = Literal["month", "year"]


class Contract(Struct, frozen=True, kw_only=True):
    """Applies from the day `begins` on, in the server's time zone. Prices are per kWh in `currency`, exact.

    `meter` is the label of its meter, with or without spaces, or its server id; empty: every meter.
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
    """From quarter `begin` until before quarter `end` the prices of one contract apply."""

    begin: int
    end: int
    contract: Contract


def contract_periods(contracts: Sequence[Contract], begin: int, end: int, tz: ZoneInfo) -> Iterator[ContractPeriod]:
    """The periods from quarter `begin` until before `end`, in order; there is none before the first contract."""
    ordered = sorted(contracts, key=lambda contract: contract.begins)
    starts = [_start(contract, tz) for contract in ordered]
    for contract, (start, next_start) in zip(ordered, pairwise([*starts, end]), strict=True):
        first, last = max(start, begin), min(max(next_start, start), end)
        if first < last:
            yield ContractPeriod(first, last, contract)


def contracts_of(contracts: Iterable[Contract], meter_id: str, server_id: str) -> list[Contract]:
    """Those of a meter, `server_id` in hex."""
    names = ("", compact_name(meter_id), server_id)
    return [contract for contract in contracts if compact_name(contract.meter) in names]


def contract_on(contracts: Sequence[Contract], today: date) -> Contract | None:
    """The contract that applies on a day."""
    begun = [contract for contract in contracts if contract.begins <= today]
    return max(begun, key=lambda contract: contract.begins) if begun else None


def contract_year(contract: Contract, today: date) -> tuple[date, date]:
    """First day of the contract year that a day is in, and of the next: anniversaries of the beginning."""
    begin = _anniversary(contract.begins, today.year)
    if begin > today:
        begin = _anniversary(contract.begins, today.year - 1)
    return begin, _anniversary(contract.begins, begin.year + 1)


def _anniversary(day: date, year: int) -> date:
    """The anniversary of February 29 is March 1."""
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def _start(contract: Contract, tz: ZoneInfo) -> int:
    return quarter_of(local_midnight(contract.begins, tz).timestamp())
