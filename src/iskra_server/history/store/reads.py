"""Queries of history: each is one statement that seeks by key, on a connection of its own, from any thread.

An answer that needs several takes a snapshot: the writer may be writing a quarter-hour meanwhile.

Periods are half open: first <= x < end. Every error of the database is raised as StoreError.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import starmap
from math import inf
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.exc import SQLAlchemyError

from iskra_server.history.model.quarter_energy import ReadingColumns, columns_of
from iskra_server.history.model.records import (
    MAX_BLOCK_S,
    QUALITIES,
    EpochStart,
    LastCounter,
    MeterInfo,
    PointBlock,
    PowerBlock,
    PowerQuarter,
    QuarterReading,
    quarter_of,
)
from iskra_server.history.store.batches import batches
from iskra_server.history.store.database import Database
from iskra_server.history.store.database_errors import store_error
from iskra_server.history.store.mapping import epoch_start_of, point_block_of, quarter_reading_of
from iskra_server.history.store.newest_rows import last_counter_of, newest_at_once, newest_by_series
from iskra_server.history.store.number_columns import columns_as_text, in_order, numbers
from iskra_server.history.store.row_ids import RowIds
from iskra_server.history.store.schema import epoch, meter, points, power, quarter_reading, series
from iskra_server.history.store.search_windows import Window, within
from iskra_server.meter.obis import Obis
from iskra_server.meter.virtual_meter import VirtualMeters, no_virtual_meters

# in quarters; later than every row
_DAY, _NEVER, _NEVER_S = 96, 2**31 - 1, 2**62
_replacement = meter.alias("replacement")
# word for word as in the index ix_meter_compact
_LABEL = func.lower(func.replace(meter.c.meter_id, literal_column("' '"), literal_column("''")))


class Reads:
    """The queries of an open history."""

    def __init__(
        self, database: Database, connection: Connection | None = None, virtual: VirtualMeters = no_virtual_meters
    ) -> None:
        """All queries on `connection`, if there is one. `virtual`: the virtual meters, which no table holds."""
        self.virtual = virtual
        self._database = database
        self._connection = connection
        self._row_ids = RowIds(self.query, database, remembers=connection is not None)

    @contextmanager
    def snapshot(self) -> Iterator["Reads"]:
        """Queries of one thread that all see the same state of the database."""
        if self._connection is not None:
            yield self
            return
        with self._store_errors(), self._database.snapshot() as connection:
            yield Reads(self._database, connection, self.virtual)

    def meters(self) -> list[MeterInfo]:
        """Every meter, in the order in which they were first seen."""
        return self._meters_where(true())

    def first_meters(self, limit: int) -> list[MeterInfo]:
        """At most so many meters, those that history knows longest: a central server has a million."""
        return self._meters_where(meter.c.id.in_(select(meter.c.id).order_by(meter.c.id).limit(limit)))

    def first_s(self) -> int | None:
        """When the first meter was first seen, in Unix seconds; None without a meter."""
        first_s: int | None = self.query(select(func.min(meter.c.first_s)))[0][0]
        return first_s

    def replacement_chain(self, names: Collection[str]) -> list[MeterInfo]:
        """A meter and all that it replaced, directly or not, in the order in which they were first seen.

        `names` are its label without spaces or its server id, in lower case.
        """
        chain = select(meter.c.id).where(or_(_LABEL.in_(names), meter.c.server_id.in_(names))).cte(recursive=True)
        chain = chain.union(select(meter.c.id).join(chain, meter.c.replaced_by == chain.c.id))
        return self._meters_where(meter.c.id.in_(select(chain.c.id)))

    def meters_ending(self, digits: Collection[str]) -> list[MeterInfo]:
        """Those whose label ends with one of these eight digits. No index helps, but the database gives only them."""
        return self._meters_where(func.substr(_LABEL, func.length(_LABEL) - 7).in_(digits))

    def series(self, meter_id: str) -> list[Obis]:
        """The energy registers of a meter that history keeps."""
        statement = select(series.c.obis).where(series.c.meter == self._row_ids.of_meter(meter_id))
        return sorted(Obis.parse(row.obis) for row in self.query(statement))

    def quarter_readings(self, meter_id: str, obis: Obis, quarters: Sequence[int]) -> dict[int, QuarterReading]:
        """The counter at the beginning of these quarters; those that history lacks are absent."""
        readings: list[QuarterReading] = []
        for batch in batches(quarters):
            readings += self._quarter_readings(meter_id, obis, quarter_reading.c.quarter.in_(batch))
        return {reading.quarter: reading for reading in readings}

    def quarter_readings_between(self, meter_id: str, obis: Obis, first: int, end: int) -> list[QuarterReading]:
        quarter = quarter_reading.c.quarter
        return self._quarter_readings(meter_id, obis, and_(quarter >= first, quarter < end))

    def reading_columns(self, meter_id: str, obis: Obis, first: int, end: int) -> Iterator[ReadingColumns]:
        """The readings from a quarter until before another as columns of numbers, each of one epoch and one scaler.

        The database makes two texts of them: rows would take five times as long. Where epoch or scaler change, each
        half is asked for again, down to a day.
        """
        spans = [(first, end)]
        while spans:
            first, end = spans.pop()
            row = self.query(columns_as_text(self._row_ids.of_series(meter_id, obis), first, end))[0]
            if row.scaler == row.max_scaler and row.epoch == row.max_epoch:
                if row.quarters:
                    columns = in_order(numbers(row.quarters), numbers(row.raws))
                    yield ReadingColumns(meter_id, obis, row.epoch, row.scaler, *columns)
            elif end - first > _DAY:
                middle = (first + end) // 2
                spans += [(middle, end), (first, middle)]
            else:
                yield from columns_of(self.quarter_readings_between(meter_id, obis, first, end))

    def interpolated(self, meter_id: str, obis: Obis, first: int, end: int) -> list[int]:
        """The quarters from one until before another whose reading is interpolated, in order."""
        column = quarter_reading.c
        statement = (
            select(column.quarter)
            .where(
                column.series == self._row_ids.of_series(meter_id, obis), column.quarter >= first, column.quarter < end
            )
            .where(column.quality == QUALITIES.index("interpolated"))
            .order_by(column.quarter)
        )
        return [row.quarter for row in self.query(statement)]

    def nearest_before(self, meter_id: str, obis: Obis, quarter: int) -> QuarterReading | None:
        """The last reading before a quarter."""
        if self._database.is_asked_in_windows and self._connection is None:
            with self.snapshot() as reads:
                return reads.nearest_before(meter_id, obis, quarter)
        windows = self._row_ids.windows_before(meter_id, obis, quarter)
        return self._first(meter_id, obis, windows, quarter_reading.c.quarter.desc())

    def nearest_after(self, meter_id: str, obis: Obis, quarter: int) -> QuarterReading | None:
        """The first reading after a quarter."""
        if self._database.is_asked_in_windows and self._connection is None:
            with self.snapshot() as reads:
                return reads.nearest_after(meter_id, obis, quarter)
        windows = self._row_ids.windows_from(meter_id, obis, quarter + 1)
        return self._first(meter_id, obis, windows, quarter_reading.c.quarter)

    def power_between(self, meter_id: str, first: int, end: int) -> list[PowerQuarter]:
        statement = (
            select(power)
            .where(power.c.meter == self._row_ids.of_meter(meter_id), power.c.quarter >= first, power.c.quarter < end)
            .order_by(power.c.quarter)
        )
        return [
            PowerQuarter(meter_id, row.quarter, row.min_mw, row.mean_mw, row.max_mw, row.telegrams)
            for row in self.query(statement)
        ]

    def points_between(self, meter_id: str, from_s: int, to_s: int) -> list[PointBlock]:
        """Every block that holds a telegram of the period; its other telegrams may lie around it."""
        statement = (
            select(points).where(*_overlaps(self._row_ids.of_meter(meter_id), from_s, to_s)).order_by(points.c.first_s)
        )
        return [point_block_of(meter_id, row) for row in self.query(statement)]

    def power_blocks_between(self, meter_id: str, from_s: int, to_s: int) -> list[PowerBlock]:
        """The power of the same blocks without their telegrams; blocks without power are left out."""
        columns = (points.c[name] for name in PowerBlock.__struct_fields__)
        statement = (
            select(*columns)
            .where(*_overlaps(self._row_ids.of_meter(meter_id), from_s, to_s), points.c.mean_mw.is_not(None))
            .order_by(points.c.first_s)
        )
        return list(starmap(PowerBlock, self.query(statement)))

    def last_points(self, until_s: float = inf) -> list[PointBlock]:
        """The newest block of each meter that has one, among those that begin until `until_s`."""
        end = _NEVER_S if until_s == inf else int(until_s) + 1
        blocks = []
        for info in self.meters():
            windows = self._row_ids.windows_before_s(info, end)
            newest = select(points).where(points.c.meter == self._row_ids.of_meter(info.meter_id))
            newest = newest.order_by(points.c.first_s.desc()).limit(1)
            found = (self.query(newest.where(within(points.c.first_s, window))) for window in windows)
            blocks += [point_block_of(info.meter_id, row) for row in next(filter(None, found), ())]
        return blocks

    def epochs(self, meter_id: str, obis: Obis) -> list[EpochStart]:
        """Where the counter restarted, in order."""
        statement = (
            select(epoch).where(epoch.c.series == self._row_ids.of_series(meter_id, obis)).order_by(epoch.c.epoch)
        )
        return [epoch_start_of(meter_id, obis, row) for row in self.query(statement)]

    def last_counters(self, until_s: float = inf) -> list[LastCounter]:
        """The newest value of every counter: its last quarter reading, or the start of its epoch where that is later.

        Rows after `until_s`, of a clock that ran ahead, do not count.
        """
        if self._database.is_divided and self._connection is None:
            with self.snapshot() as reads:
                return reads.last_counters(until_s)
        starts = true() if until_s == inf else epoch.c.at_s <= int(until_s)
        end = _NEVER if until_s == inf else quarter_of(until_s) + 1
        newest = newest_by_series if self._database.is_divided else newest_at_once
        counters = map(last_counter_of, newest(self.query, starts, end))
        return sorted(filter(None, counters), key=lambda counter: (counter.meter_id, counter.obis))

    def query(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        """The rows of a statement, for modules that have queries of their own. Raises StoreError."""
        with self._store_errors():
            if self._connection is not None:
                return self._connection.execute(statement).all()
            with self._database.read.connect() as connection:
                return connection.execute(statement).all()

    def _quarter_readings(
        self,
        meter_id: str,
        obis: Obis,
        condition: ColumnElement[bool],
        order: ColumnElement[int] = quarter_reading.c.quarter,
        limit: int | None = None,
    ) -> list[QuarterReading]:
        statement = (
            select(quarter_reading)
            .where(quarter_reading.c.series == self._row_ids.of_series(meter_id, obis), condition)
            .order_by(order)
            .limit(limit)
        )
        return [quarter_reading_of(meter_id, obis, row) for row in self.query(statement)]

    def _first(
        self, meter_id: str, obis: Obis, windows: Iterable[Window], order: ColumnElement[int]
    ) -> QuarterReading | None:
        """The first reading, in this order, of the first window that has one."""
        found = (
            self._quarter_readings(meter_id, obis, within(quarter_reading.c.quarter, window), order, limit=1)
            for window in windows
        )
        return next((readings[0] for readings in found if readings), None)

    def _meters_where(self, condition: ColumnElement[bool]) -> list[MeterInfo]:
        statement = (
            select(meter, _replacement.c.meter_id.label("successor"))
            .outerjoin(_replacement, meter.c.replaced_by == _replacement.c.id)
            .where(condition)
            .order_by(meter.c.first_s, meter.c.id)
        )
        return [
            MeterInfo(
                row.meter_id, row.server_id, row.simulated, row.first_s, row.last_s, row.successor, row.port or ""
            )
            for row in self.query(statement)
        ]

    @contextmanager
    def _store_errors(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise store_error(self._database.url, error) from error


def _overlaps(number: ColumnElement[int], from_s: int, to_s: int) -> tuple[ColumnElement[bool], ...]:
    """Which blocks of points reach into a period; the first condition on `first_s` makes the key useful."""
    return (
        points.c.meter == number,
        points.c.first_s >= from_s - MAX_BLOCK_S,
        points.c.first_s < to_s,
        points.c.last_s >= from_s,
    )
