"""Questions to history: each one statement that seeks by key, on a connection of its own, from any thread.

Periods are half open: first <= x < end. Whatever the database has against a question is a StoreError.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import starmap
from math import inf
from typing import Any

from sqlalchemy import Column, ColumnElement, Row, Select, Table, and_, func, or_, select, true
from sqlalchemy.exc import SQLAlchemyError

from iskra_server.history.model.records import (
    MAX_BLOCK_S,
    QUALITIES,
    QUARTER_S,
    EpochStart,
    Exact,
    LastCounter,
    MeterInfo,
    PointBlock,
    PowerBlock,
    PowerQuarter,
    QuarterReading,
    quarter_of,
)
from iskra_server.history.store.database import Database
from iskra_server.history.store.database_errors import store_error
from iskra_server.history.store.schema import epoch, meter, points, power, quarter_reading, series
from iskra_server.meter.obis import Obis

# SQLite takes 32,766 parameters
_AT_ONCE = 5_000
_replacement = meter.alias("replacement")


class Reads:
    """What can be asked of a history."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def meters(self) -> list[MeterInfo]:
        """Every meter, the first seen first."""
        return self._chosen_meters(true())

    def replacement_chain(self, names: Collection[str]) -> list[MeterInfo]:
        """A meter and those that it replaced, and those that they had replaced; the first seen first.

        It is found by its label without spaces or its server id, both in lower case, among all meters: they are few
        beside what history holds of each.
        """
        label = func.lower(func.replace(meter.c.meter_id, " ", ""))
        line = select(meter.c.id).where(or_(label.in_(names), meter.c.server_id.in_(names))).cte(recursive=True)
        line = line.union(select(meter.c.id).join(line, meter.c.replaced_by == line.c.id))
        return self._chosen_meters(meter.c.id.in_(select(line.c.id)))

    def series(self, meter_id: str) -> list[Obis]:
        """The energy registers of a meter that history keeps."""
        statement = select(series.c.obis).where(series.c.meter == _meter(meter_id))
        return sorted(Obis.parse(row.obis) for row in self._all(statement))

    def quarter_readings(self, meter_id: str, obis: Obis, quarters: Sequence[int]) -> dict[int, QuarterReading]:
        """The counter at the beginning of these quarters; those that history lacks are absent."""
        found: dict[int, QuarterReading] = {}
        for start in range(0, len(quarters), _AT_ONCE):
            some = quarters[start : start + _AT_ONCE]
            found |= {
                known.quarter: known
                for known in self._quarter_readings(meter_id, obis, quarter_reading.c.quarter.in_(some))
            }
        return found

    def quarter_readings_between(self, meter_id: str, obis: Obis, first: int, end: int) -> list[QuarterReading]:
        return self._quarter_readings(
            meter_id, obis, and_(quarter_reading.c.quarter >= first, quarter_reading.c.quarter < end)
        )

    def nearest_before(self, meter_id: str, obis: Obis, quarter: int) -> QuarterReading | None:
        """The last boundary before a quarter."""
        return self._quarter_reading(
            meter_id, obis, quarter_reading.c.quarter < quarter, quarter_reading.c.quarter.desc()
        )

    def nearest_after(self, meter_id: str, obis: Obis, quarter: int) -> QuarterReading | None:
        """The first boundary after a quarter."""
        return self._quarter_reading(meter_id, obis, quarter_reading.c.quarter > quarter, quarter_reading.c.quarter)

    def power_between(self, meter_id: str, first: int, end: int) -> list[PowerQuarter]:
        statement = (
            select(power)
            .where(power.c.meter == _meter(meter_id), power.c.quarter >= first, power.c.quarter < end)
            .order_by(power.c.quarter)
        )
        return [
            PowerQuarter(meter_id, row.quarter, row.min_mw, row.mean_mw, row.max_mw, row.telegrams)
            for row in self._all(statement)
        ]

    def points_between(self, meter_id: str, from_s: int, to_s: int) -> list[PointBlock]:
        """Every block that holds a telegram of the period, and perhaps some around it."""
        statement = select(points).where(*_around(meter_id, from_s, to_s)).order_by(points.c.first_s)
        return [_block(meter_id, row) for row in self._all(statement)]

    def power_blocks_between(self, meter_id: str, from_s: int, to_s: int) -> list[PowerBlock]:
        """What the same blocks say of power, without their telegrams; only those that have some."""
        columns = (points.c[name] for name in PowerBlock.__struct_fields__)
        statement = (
            select(*columns)
            .where(*_around(meter_id, from_s, to_s), points.c.mean_mw.is_not(None))
            .order_by(points.c.first_s)
        )
        return list(starmap(PowerBlock, self._all(statement)))

    def last_points(self, until_s: float = inf) -> list[PointBlock]:
        """The newest block of each meter that has one; what begins after `until_s` is not looked at."""
        found = []
        for info in self.meters():
            newest = [points.c.meter == _meter(info.meter_id)]
            if until_s < inf:
                newest.append(points.c.first_s <= int(until_s))
            statement = select(points).where(*newest).order_by(points.c.first_s.desc()).limit(1)
            found += [_block(info.meter_id, row) for row in self._all(statement)]
        return found

    def epochs(self, meter_id: str, obis: Obis) -> list[EpochStart]:
        """Where the counter was accepted anew, in order."""
        statement = select(epoch).where(epoch.c.series == _series(meter_id, obis)).order_by(epoch.c.epoch)
        return [_epoch(meter_id, obis, row) for row in self._all(statement)]

    def last_counters(self, until_s: float = inf) -> list[LastCounter]:
        """The newest value of every counter: its last boundary, or the start of its epoch where that is later.

        What a clock that ran ahead has put behind `until_s` is not looked at.
        """
        began = true() if until_s == inf else epoch.c.at_s <= int(until_s)
        showed = true() if until_s == inf else quarter_reading.c.quarter <= quarter_of(until_s)
        starts = self._all(_newest(epoch, epoch.c.epoch, began))
        last = {
            (row.meter_id, row.obis): row
            for row in self._all(_newest(quarter_reading, quarter_reading.c.quarter, showed))
        }
        found = ((last[start.meter_id, start.obis], start) for start in starts)
        counters = (_last_counter(*each) for each in found if each[0].quarter is not None or each[1].epoch is not None)
        return sorted(counters, key=lambda counter: (counter.meter_id, counter.obis))

    def _quarter_reading(
        self, meter_id: str, obis: Obis, side: ColumnElement[bool], order: ColumnElement[int]
    ) -> QuarterReading | None:
        statement = (
            select(quarter_reading)
            .where(quarter_reading.c.series == _series(meter_id, obis), side)
            .order_by(order)
            .limit(1)
        )
        return next((_quarter_reading(meter_id, obis, row) for row in self._all(statement)), None)

    def _quarter_readings(self, meter_id: str, obis: Obis, which: ColumnElement[bool]) -> list[QuarterReading]:
        statement = (
            select(quarter_reading)
            .where(quarter_reading.c.series == _series(meter_id, obis), which)
            .order_by(quarter_reading.c.quarter)
        )
        return [_quarter_reading(meter_id, obis, row) for row in self._all(statement)]

    def query(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        """A question of a neighbour in this room."""
        return self._all(statement)

    def _chosen_meters(self, which: ColumnElement[bool]) -> list[MeterInfo]:
        statement = (
            select(meter, _replacement.c.meter_id.label("successor"))
            .outerjoin(_replacement, meter.c.replaced_by == _replacement.c.id)
            .where(which)
            .order_by(meter.c.first_s, meter.c.id)
        )
        return [
            MeterInfo(
                row.meter_id, row.server_id, row.simulated, row.first_s, row.last_s, row.successor, row.port or ""
            )
            for row in self._all(statement)
        ]

    def _all(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        with self._sentences(), self._database.read.connect() as connection:
            return connection.execute(statement).all()

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise store_error(self._database.url, error) from error


def _meter(meter_id: str) -> ColumnElement[int]:
    return select(meter.c.id).where(meter.c.meter_id == meter_id).scalar_subquery()


def _series(meter_id: str, obis: Obis) -> ColumnElement[int]:
    return select(series.c.id).where(series.c.meter == _meter(meter_id), series.c.obis == str(obis)).scalar_subquery()


def _around(meter_id: str, from_s: int, to_s: int) -> tuple[ColumnElement[bool], ...]:
    """The blocks of points that reach into a period."""
    return (
        points.c.meter == _meter(meter_id),
        points.c.first_s >= from_s - MAX_BLOCK_S,
        points.c.first_s < to_s,
        points.c.last_s >= from_s,
    )


def _block(meter_id: str, row: Row[Any]) -> PointBlock:
    power_mw = row.min_mw, row.mean_mw, row.max_mw
    return PointBlock(meter_id, row.first_s, row.last_s, row.telegrams, row.octets, *power_mw)


def _newest(table: Table, order: Column[int], among: ColumnElement[bool]) -> Select[Any]:
    """The last row of each series by `order` among some, None where it has none.

    Its columns one by one: each is sure to seek.
    """
    last = [
        select(column)
        .where(table.c.series == series.c.id, among)
        .order_by(order.desc())
        .limit(1)
        .correlate(series)
        .scalar_subquery()
        .label(column.name)
        for column in table.c
    ]
    return select(meter.c.meter_id, series.c.obis, *last).join_from(series, meter)


def _quarter_reading(meter_id: str, obis: Obis, row: Row[Any]) -> QuarterReading:
    return QuarterReading(meter_id, obis, row.quarter, Exact(row.raw, row.scaler), QUALITIES[row.quality], row.epoch)


def _epoch(meter_id: str, obis: Obis, row: Row[Any]) -> EpochStart:
    before = None if row.before_raw is None else Exact(row.before_raw, row.before_scaler)
    return EpochStart(meter_id, obis, row.epoch, row.at_s, before, Exact(row.after_raw, row.after_scaler))


def _last_counter(last: Row[Any], start: Row[Any]) -> LastCounter:
    """A series has a boundary, an epoch or both: it was made for one of them."""
    meter_id, obis = last.meter_id, Obis.parse(last.obis)
    if last.quarter is None or (start.epoch is not None and start.epoch > last.epoch):
        return LastCounter(meter_id, obis, Exact(start.after_raw, start.after_scaler), start.at_s, start.epoch)
    return LastCounter(meter_id, obis, Exact(last.raw, last.scaler), last.quarter * QUARTER_S, last.epoch)
