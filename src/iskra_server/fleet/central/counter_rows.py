"""The rows of one counter at the central server, and those that its transaction is about to add to them."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, delete, false, or_, select, update

from iskra_server.history.model.records import EpochStart, Exact
from iskra_server.history.store.mapping import epoch_row, epoch_start_of
from iskra_server.history.store.schema import epoch, quarter_reading
from iskra_server.history.store.search_windows import Window, within
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import Obis


class StoredRow(Struct, frozen=True):
    """What the counter showed at the beginning of a quarter."""

    quarter: int
    value: Exact
    epoch: int

    @property
    def wh(self) -> Decimal:
        return self.value.decimal


class CounterRows:
    """`is_new`: the database has no row of it, so it is not asked."""

    def __init__(self, store: Store, connection: Connection, series: int, *, is_new: bool) -> None:
        self.series = series
        self._store, self._connection, self._is_new = store, connection, is_new
        self._added: list[StoredRow] = []
        self._starts: dict[int, EpochStart] = {}
        self._are_starts_read = is_new

    def add(self, rows: Iterable[StoredRow]) -> None:
        for row in rows:
            insort(self._added, row, key=_quarter)

    def renumber(self, old: int, new: int, times: Sequence[range]) -> None:
        """Give the rows of an epoch in these times another number."""
        self._added = [
            replace(row, epoch=new) if row.epoch == old and any(row.quarter in time for time in times) else row
            for row in self._added
        ]
        columns = quarter_reading.c
        is_inside = or_(false(), *(within(columns.quarter, (time.start, time.stop)) for time in times))
        statement = update(quarter_reading).where(columns.series == self.series, columns.epoch == old, is_inside)
        self._connection.execute(statement.values(epoch=new))

    def between(self, first: int, last: int) -> list[StoredRow]:
        """From one quarter to another, both included, in order."""
        added = self._added[
            bisect_left(self._added, first, key=_quarter) : bisect_left(self._added, last + 1, key=_quarter)
        ]
        return sorted([*added, *self._stored((first, last + 1))], key=_quarter)

    def before(self, quarter: int, number: int | None = None) -> StoredRow | None:
        """The last row before a quarter, of an epoch or of any."""
        added = [row for row in self._added if row.quarter < quarter and number in (None, row.epoch)]
        stored = self._stored((None, quarter), number, only="last")
        return max([*added[-1:], *stored], key=_quarter, default=None)

    def after(self, quarter: int, number: int | None = None) -> StoredRow | None:
        """The first row after a quarter, of an epoch or of any."""
        added = [row for row in self._added if row.quarter > quarter and number in (None, row.epoch)]
        stored = self._stored((quarter + 1, None), number, only="first")
        return min([*added[:1], *stored], key=_quarter, default=None)

    def at_most(self, wh: Decimal, quarter: int, number: int) -> StoredRow | None:
        """The last row of an epoch before a quarter whose value is not above that one; within it values never fall."""

        def shown(end: int) -> Decimal:
            row = self.before(end, number)
            return row.wh if row else wh

        return self.before(bisect_right(range(quarter + 1), wh, key=shown) - 1, number)

    def starts(self, meter_id: str, obis: Obis) -> dict[int, EpochStart]:
        """Where its epochs began, as far as that is known."""
        if not self._are_starts_read:
            self._are_starts_read = True
            rows = self._connection.execute(select(epoch).where(epoch.c.series == self.series))
            self._starts = {row.epoch: epoch_start_of(meter_id, obis, row) for row in rows}
        return self._starts

    def write_start(self, number: int, start: EpochStart | None) -> None:
        """Write where an epoch began, or correct it; None: it is none."""
        if start is None:
            del self._starts[number]
            self._connection.execute(delete(epoch).where(epoch.c.series == self.series, epoch.c.epoch == number))
            return
        self._starts[number] = start
        row = epoch_row(self.series, start)
        values = {name: value for name, value in row.items() if name not in ("series", "epoch")}
        statement = self._store.insert(epoch).values(row)
        self._connection.execute(statement.on_conflict_do_update(index_elements=["series", "epoch"], set_=values))

    def _stored(
        self, quarters: Window, number: int | None = None, only: Literal["first", "last"] | None = None
    ) -> Sequence[StoredRow]:
        """Those of some quarters, in order, or the first or last one alone."""
        # before a statement is made: that would take most of the time of a new meter
        if self._is_new:
            return ()
        columns = quarter_reading.c
        statement = select(columns.quarter, columns.raw, columns.scaler, columns.epoch)
        statement = statement.where(columns.series == self.series, within(columns.quarter, quarters))
        statement = statement.order_by(columns.quarter.desc() if only == "last" else columns.quarter)
        if only:
            statement = statement.limit(1)
        if number is not None:
            statement = statement.where(columns.epoch == number)
        rows = self._connection.execute(statement)
        return [StoredRow(row.quarter, Exact(row.raw, row.scaler), row.epoch) for row in rows]


def _quarter(row: StoredRow) -> int:
    return row.quarter
