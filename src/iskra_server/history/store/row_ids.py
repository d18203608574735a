"""The row ids that a question about one meter names, and the periods in which its rows are sought.

In SQLite, and where a database has few months, they are part of the question. Where it has many, or lies on several
nodes, they are looked up before: a number shows which node has the rows, and when the meter was heard which months.
"""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import ColumnElement, literal, select

from iskra_server.history.model.records import QUARTER_S, MeterInfo, quarter_of
from iskra_server.history.store.database import Database
from iskra_server.history.store.newest_rows import Query
from iskra_server.history.store.schema import meter, series
from iskra_server.history.store.search_windows import Window, windows_before, windows_from
from iskra_server.meter.obis import Obis

# in quarters
_DAY = 96


class _Known(NamedTuple):
    """The row id of a meter or of a series, and when the meter was first and last seen (Unix seconds)."""

    number: int
    first_s: int
    last_s: int


# no row has this number
_UNKNOWN = _Known(-1, 0, 0)


class RowIds:
    def __init__(self, query: Query, database: Database, *, remembers: bool) -> None:
        """`remembers` what was found: in a snapshot it cannot change, while a restored dump may have other numbers."""
        self._query = query
        self._database = database
        self._remembers = remembers
        self._known: dict[tuple[str, Obis | None], _Known] = {}

    def of_meter(self, meter_id: str) -> ColumnElement[int]:
        if self._database.is_asked_in_windows:
            return literal(self._look_up(meter_id).number)
        return select(meter.c.id).where(meter.c.meter_id == meter_id).scalar_subquery()

    def of_series(self, meter_id: str, obis: Obis) -> ColumnElement[int]:
        if self._database.is_asked_in_windows:
            return literal(self._look_up(meter_id, obis).number)
        owner = self.of_meter(meter_id)
        return select(series.c.id).where(series.c.meter == owner, series.c.obis == str(obis)).scalar_subquery()

    def windows_before(self, meter_id: str, obis: Obis, quarter: int) -> Iterable[Window]:
        """Where to look for the last reading before a quarter."""
        if self._database.is_asked_in_windows:
            return windows_before(quarter, quarter_of(self._look_up(meter_id, obis).last_s), _DAY)
        return [(None, quarter)]

    def windows_before_s(self, info: MeterInfo, moment_s: int) -> Iterable[Window]:
        """Where to look for the last telegram before a moment."""
        return (
            windows_before(moment_s, info.last_s, _DAY * QUARTER_S)
            if self._database.is_asked_in_windows
            else [(None, moment_s)]
        )

    def windows_from(self, meter_id: str, obis: Obis, quarter: int) -> Iterable[Window]:
        """Where to look for the first reading from a quarter on."""
        if self._database.is_asked_in_windows:
            return windows_from(quarter, quarter_of(self._look_up(meter_id, obis).first_s), _DAY)
        return [(quarter, None)]

    def _look_up(self, meter_id: str, obis: Obis | None = None) -> _Known:
        """What is known of a meter, or of a series."""
        if known := self._known.get((meter_id, obis)):
            return known
        statement = select((series if obis else meter).c.id, meter.c.first_s, meter.c.last_s)
        if obis:
            statement = statement.join_from(series, meter).where(series.c.obis == str(obis))
        rows = self._query(statement.where(meter.c.meter_id == meter_id))
        known = _Known(rows[0].id, rows[0].first_s, rows[0].last_s) if rows else _UNKNOWN
        if self._remembers:
            self._known[meter_id, obis] = known
        return known
