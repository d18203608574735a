"""Spot prices in the history database, kept for ever with their source and when they were retrieved.

The first published price of a quarter stays. A later one that differs is logged, and kept beside it (other_price).
Only the price of an hour, or of a longer time, which stood in for that of its quarter gives way to the quarter's own.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, RowMapping, Table, delete, func, insert, or_, select

from iskra_server.history.model.spot_price import FIRST_QUARTERLY, QUARTER_MINUTES, Price, Prices, begins_at, eur_mwh
from iskra_server.history.store.mapping import RowValues
from iskra_server.history.store.number_columns import as_text, numbers
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.schema import other_price, price_retrieval, spot_price
from iskra_server.history.store.store import Store

log = logging.getLogger(__name__)


class StoredZone(Struct, frozen=True):
    """From the first quarter with a price until before `end`; gaps make `count` smaller.

    `differing` counts later prices that differ from those in force.
    """

    zone: str
    begin: int
    end: int
    count: int
    differing: int


class Stored(Struct, frozen=True):
    """How many prices are new, differ from the one in force, and took the place of an hour's."""

    new: int = 0
    differing: int = 0
    replaced: int = 0

    def __add__(self, other: "Stored") -> "Stored":
        return Stored(self.new + other.new, self.differing + other.differing, self.replaced + other.replaced)


def spot_raws(reads: Reads, zone: str, begin: int, end: int) -> dict[int, int]:
    """Quarter -> millionths of EUR/MWh, from quarter `begin` until before `end`; without a price it is absent."""
    columns: list[ColumnElement[Any]] = [
        as_text(spot_price.c.quarter).label("quarters"),
        as_text(spot_price.c.raw).label("raws"),
    ]
    row = reads.query(select(*columns).where(*_between(spot_price, zone, begin, end)))[0]
    return dict(zip(numbers(row.quarters), numbers(row.raws), strict=True))


def spot_prices(reads: Reads, zone: str, begin: int, end: int) -> Prices:
    """As `spot_raws`, with what each price was published for."""
    columns = spot_price.c.quarter, spot_price.c.raw, spot_price.c.minutes
    statement = select(*columns).where(*_between(spot_price, zone, begin, end)).order_by(spot_price.c.quarter)
    return {row.quarter: Price(row.raw, row.minutes) for row in reads.query(statement)}


def price_sources(reads: Reads, zone: str, begin: int, end: int) -> dict[str, int]:
    """The sources of these prices, and when each was asked last (Unix seconds)."""
    statement = (
        select(price_retrieval.c.source, func.max(price_retrieval.c.at_s).label("last_s"))
        .join(spot_price, spot_price.c.retrieval == price_retrieval.c.id)
        .where(*_between(spot_price, zone, begin, end))
        .group_by(price_retrieval.c.source)
        .order_by(price_retrieval.c.source)
    )
    return {row.source: row.last_s for row in reads.query(statement)}


def stored_zones(reads: Reads) -> list[StoredZone]:
    zone, quarter = spot_price.c.zone, spot_price.c.quarter
    extent = func.min(quarter).label("first"), func.max(quarter).label("last"), func.count().label("rows")
    # not those of hours that gave way
    is_own = or_(other_price.c.minutes <= QUARTER_MINUTES, other_price.c.quarter < FIRST_QUARTERLY)
    counts = select(other_price.c.zone, func.count().label("rows")).where(is_own).group_by(other_price.c.zone)
    differing = {row.zone: row.rows for row in reads.query(counts)}
    statement = select(zone, *extent).group_by(zone).order_by(zone)
    return [
        StoredZone(row.zone, row.first, row.last + 1, row.rows, differing.get(row.zone, 0))
        for row in reads.query(statement)
    ]


def store_prices(store: Store, zone: str, source: str, at_s: int, prices: Prices) -> Stored:
    """Insert prices in one transaction, which may be repeated. Raises StoreError."""
    if not prices:
        return Stored()
    with store.transaction() as connection:
        found = {row["quarter"]: row for row in _rows(connection, spot_price, zone, prices)}
        new = {quarter: price for quarter, price in prices.items() if quarter not in found}
        better = {quarter: price for quarter, price in prices.items() if _gives_way(found.get(quarter), price)}
        other = {quarter: price for quarter, price in prices.items() if _differs(found.get(quarter), price)}
        # a source is asked for the same day more than once
        known = {(row["quarter"], row["raw"]) for row in _rows(connection, other_price, zone, other)}
        other = {quarter: price for quarter, price in other.items() if (quarter, price.raw) not in known}
        if not (new or better or other):
            return Stored()
        retrieval = connection.execute(
            insert(price_retrieval).values(source=source, at_s=at_s).returning(price_retrieval.c.id)
        ).scalar_one()
        _insert(store, connection, other_price, [dict(found[quarter]) for quarter in sorted(better)])
        for quarter in better:
            key = spot_price.c.zone == zone, spot_price.c.quarter == quarter
            connection.execute(delete(spot_price).where(*key))
        for table, rows in (spot_price, new | better), (other_price, other):
            _insert(store, connection, table, [_values(zone, retrieval, *item) for item in sorted(rows.items())])
    _log(zone, source, other, len(better))
    return Stored(len(new), len(other), len(better))


def _rows(connection: Connection, table: Table, zone: str, prices: Prices) -> Iterable[RowMapping]:
    """Those of the period of `prices`."""
    if not prices:
        return ()
    return (
        connection.execute(select(table).where(*_between(table, zone, min(prices), max(prices) + 1))).mappings().all()
    )


def _insert(store: Store, connection: Connection, table: Table, rows: Sequence[RowValues]) -> None:
    if rows:
        # another program may have written the same since
        connection.execute(store.insert(table).on_conflict_do_nothing(), rows)


def _values(zone: str, retrieval: int, quarter: int, price: Price) -> RowValues:
    return {"zone": zone, "quarter": quarter, "raw": price.raw, "minutes": price.minutes, "retrieval": retrieval}


def _between(table: Table, zone: str, begin: int, end: int) -> tuple[ColumnElement[bool], ...]:
    return table.c.zone == zone, table.c.quarter >= begin, table.c.quarter < end


def _gives_way(row: RowMapping | None, price: Price) -> bool:
    """Before the market had quarters, the price of the hour is that of the quarter."""
    return row is not None and row["minutes"] > price.minutes and row["quarter"] >= FIRST_QUARTERLY


def _differs(row: RowMapping | None, price: Price) -> bool:
    """An hour's price is the mean of its quarters: it may differ from each of them."""
    return row is not None and row["minutes"] == price.minutes and row["raw"] != price.raw


def _log(zone: str, source: str, other: Prices, replaced: int) -> None:
    if other:
        quarter = min(other)
        log.warning(
            "%d prices that %s publishes for %s differ from those published first, such as %s EUR/MWh at %s; history "
            "keeps the first ones.",
            *(len(other), source, zone, eur_mwh(other[quarter].raw), f"{begins_at(quarter):%Y-%m-%d %H:%M UTC}"),
        )
    if replaced:
        log.info("%d prices of %s are now those of quarter-hours instead of longer times.", replaced, zone)
