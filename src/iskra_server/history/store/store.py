"""History in a database: closed records are inserted once and never change.

Every row has its key from the record alone, and an existing row stays: writing a batch again, after a commit that may
or may not have arrived, changes nothing. A batch is one transaction.
"""

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Table, delete, select, update

from iskra_server.base.address import Address
from iskra_server.history.model.records import (
    CLOCK_TOLERANCE_S,
    INT64_MAX,
    QUARTER_S,
    ClockStep,
    EpochStart,
    Exact,
    MeterInfo,
    PointBlock,
    PowerQuarter,
    QuarterReading,
    Record,
    start_s,
)
from iskra_server.history.store import StoreError, rollup_marks
from iskra_server.history.store.impossible_rows import is_step_recorded, record_step, set_rows_aside
from iskra_server.history.store.mapping import (
    RowValues,
    epoch_row,
    points_row,
    power_row,
    quarter_reading_row,
)
from iskra_server.history.store.meter_rows import check_simulated, find_meters, insert_meters, update_meters
from iskra_server.history.store.opening import open_database
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.schema import (
    PARTITIONED,
    DatabaseProfile,
    epoch,
    meter,
    outbox,
    points,
    power,
    quarter_reading,
    uplink,
)
from iskra_server.meter.obis import Obis
from iskra_server.meter.virtual_meter import VirtualMeters, no_virtual_meters

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite


class Store(Reads):
    """An open history, for any number of reading threads; writing threads take turns."""

    def __init__(
        self, address: str | Address, profile: DatabaseProfile = "plain", virtual: VirtualMeters = no_virtual_meters
    ) -> None:
        """Open `sqlite:///PATH` or `postgresql://...`, create (in a profile) and migrate. Raises StoreError."""
        super().__init__(open_database(address, profile), virtual=virtual)
        self._turn = Lock()
        # grows when there is more for the central server
        self.outbox_revision = 0
        self._has_marked = False
        self._meter_ids: dict[str, int] = {}
        self._series_ids: dict[tuple[str, Obis], int] = {}

    def close(self) -> None:
        self._database.close()

    def file_change(self) -> str:
        """SQLite: what happened to the file since it was opened, as a clause; "" where it is as it was."""
        return self._database.file_change()

    def rescue(self) -> None:
        """SQLite: save what a displaced file held, so that it can be opened again. Raises StoreError."""
        self._database.rescue()

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[Connection]:
        """A transaction, for modules that have statements of their own. Raises StoreError."""
        with self._store_errors():
            if write:
                with self._turn, self._begin() as connection:
                    yield connection
            else:
                with self._database.read.connect() as connection:
                    yield connection

    def write(self, records: Iterable[Record], meters: Iterable[MeterInfo] = ()) -> None:
        """Insert records in one transaction, which may be repeated. Raises StoreError.

        `meters` must name each meter that is new.
        """
        records, meters = list(records), list(meters)
        with self.writing(records) as connection:
            self.upsert_meters(connection, meters)
            self.insert_records(connection, records)

    @contextmanager
    def writing(self, records: Sequence[Record], months_since: date = date.min) -> Iterator[Connection]:
        """A transaction for `upsert_meters`, `insert_records` and statements of other modules. Raises StoreError.

        PostgreSQL: creates missing partitions for these records, of months from `months_since` on; older rows go to
        the rest partition.
        """
        with self._turn, self._store_errors():
            self._has_marked = False
            try:
                self._database.make_room(records, months_since)
                with self._begin() as connection:
                    yield connection
            except BaseException:
                # ids of rows that were rolled back
                self._meter_ids.clear()
                self._series_ids.clear()
                raise
            self.outbox_revision += self._has_marked

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        with self._database.write.begin() as connection:
            self._database.hold_schema(connection)
            yield connection

    def replace_meter(self, old: str, new: str | None) -> None:
        """From now on `new` continues the history of `old`; None: no meter does. Raises StoreError."""
        names = [old] if new is None else [old, new]
        if old == new:
            raise StoreError(f"{new} cannot replace itself. Name the old meter, then the new one.")
        with self.transaction() as connection:
            numbers = self.meter_row_ids(connection, names)
            if unknown := [name for name in names if name not in numbers]:
                raise StoreError(f"History knows no meter {unknown[0]}.")
            successor = None if new is None else numbers[new]
            if successor is not None and _is_replaced_by(connection, successor, numbers[old]):
                raise StoreError(f"{new} cannot replace {old}: it was itself replaced by it.")
            # both the chain that it leaves and the one that it joins
            rollup_marks.mark_replacement(connection, self.insert, numbers[old])
            connection.execute(update(meter).where(meter.c.id == numbers[old]).values(replaced_by=successor))
            rollup_marks.mark_replacement(connection, self.insert, numbers[old])

    def make_partitions(self, ahead: int | None = None, since_s: float | None = None) -> int:
        """PostgreSQL: create missing partitions from `since_s` or now until `ahead` months ahead; returns how many.

        Raises StoreError.
        """
        with self._turn, self._store_errors():
            return self._database.make_partitions(ahead, since_s)

    def drop_partitions_before(self, moment_s: float, tables: Iterable[str] = tuple(PARTITIONED)) -> int:
        """PostgreSQL: drop the partitions of whole months that end before a moment, for good; returns how many.

        Raises StoreError.
        """
        with self._turn, self._store_errors():
            return self._database.drop_partitions_before(moment_s, tables)

    def delete_points(self, meter_id: str, before_s: int, at_most: int) -> int:
        """Delete a meter's oldest blocks of points that end before a moment; returns how many. Raises StoreError."""
        row_id = select(meter.c.id).where(meter.c.meter_id == meter_id).scalar_subquery()
        oldest = (
            select(points.c.first_s)
            .where(points.c.meter == row_id, points.c.first_s < before_s, points.c.last_s < before_s)
            .order_by(points.c.first_s)
            .limit(at_most)
        )
        with self.transaction() as connection:
            return connection.execute(
                delete(points).where(points.c.meter == row_id, points.c.first_s.in_(oldest))
            ).rowcount

    def meter_row_ids(self, connection: Connection, names: Iterable[str]) -> dict[str, int]:
        """The row ids of those meters that history knows."""
        names = list(names)
        new = [name for name in names if name not in self._meter_ids]
        self._meter_ids |= {row.meter_id: row.id for row in find_meters(connection, new)}
        return {name: self._meter_ids[name] for name in names if name in self._meter_ids}

    def reads(self, connection: Connection) -> Reads:
        """The queries of history in a transaction that is open."""
        return Reads(self._database, connection, self.virtual)

    def insert(self, table: Table) -> "sqlite.Insert | postgresql.Insert":
        """An INSERT that can be given ON CONFLICT."""
        return self._database.insert(table)

    def upsert_meters(self, connection: Connection, meters: Sequence[MeterInfo], seen_every_s: int = 1) -> None:
        """Insert what is new; of the rest, widen when it was first and last seen, and note its port. Raises StoreError.

        `last_s` grows in steps of `seen_every_s` or more. A meter that has not changed costs no write.
        """
        rows = list(find_meters(connection, [info.meter_id for info in meters]))
        known = {row.meter_id: row.id for row in rows}
        self._meter_ids |= known
        if new := [info for info in meters if info.meter_id not in known]:
            check_simulated(connection, self._database.url, new)
            insert_meters(connection, self.insert, new)
        update_meters(connection, rows, meters, seen_every_s)

    def series_row_ids(self, connection: Connection, keys: Collection[tuple[str, Obis]]) -> dict[tuple[str, Obis], int]:
        """The row ids of these registers of known meters; those that are new are created."""
        if new := sorted(set(keys) - self._series_ids.keys()):
            self._series_ids |= self._database.series_ids(connection, new, self._meter_ids)
        return {key: self._series_ids[key] for key in keys}

    def insert_records(
        self, connection: Connection, records: Sequence[Record], corrected: Sequence[EpochStart] = ()
    ) -> int:
        """Insert records; a step of the clock sets aside what was recorded ahead of it. Returns the new readings.

        `corrected` are starts that were written or removed otherwise: the roll-ups of their days have changed, too.
        At the end, rows that are later than now are set aside once: what was right before a step may lie behind it.
        """
        stepped_s = count = 0
        part: Sequence[Record] = ()
        for part, step in _split_at_steps(records):
            if step is None:
                count += self._insert(connection, part, corrected)
            elif is_step_recorded(connection, step):
                # the batch comes again: what lay ahead of the step was set aside the first time
                ahead_s = step.to_s + CLOCK_TOLERANCE_S
                count += self._insert(connection, [record for record in part if start_s(record) <= ahead_s])
            else:
                count += self._insert(connection, part)
                record_step(connection, step)
                stepped_s = step.to_s
        if stepped_s:
            # telegrams wait apart from the ledger, and come after it; records that waited may be written by a clock
            # that is behind the one that recorded them
            ends = (start_s(record) + QUARTER_S for record in part if not isinstance(record, PointBlock))
            set_rows_aside(connection, max(int(time.time()), stepped_s, *ends))
        return count

    def _insert(self, connection: Connection, records: Sequence[Record], corrected: Sequence[EpochStart] = ()) -> int:
        self._load_ids(connection, records)
        # by name, so that two programs lock the tables in one order
        tables = sorted(self._rows(records).items(), key=lambda item: item[0].name)
        new = {table: self._database.insert_rows(connection, table, rows) for table, rows in tables}
        rollup_marks.mark_records(connection, self.insert, [*records, *corrected], self._meter_ids)
        self._has_marked |= self._mark_for_uplink(connection, records)
        return new.get(quarter_reading, 0)

    def _load_ids(self, connection: Connection, records: Sequence[Record]) -> None:
        """Look up the row ids of all meters and series that are new here; series are created."""
        keys = {
            (record.meter_id, record.obis) for record in records if isinstance(record, (QuarterReading, EpochStart))
        }
        names = {record.meter_id for record in records if not isinstance(record, ClockStep)}
        if missing := names - self.meter_row_ids(connection, names).keys():
            raise LookupError(f"the meter {min(missing)} was not named to write()")
        self.series_row_ids(connection, keys)

    def _rows(self, records: Iterable[Record]) -> dict[Table, list[RowValues]]:
        rows: dict[Table, list[RowValues]] = defaultdict(list)
        meter_ids, series_ids = self._meter_ids, self._series_ids
        for record in records:
            match record:
                case QuarterReading():
                    row = quarter_reading_row(series_ids[record.meter_id, record.obis], record)
                    rows[quarter_reading].append(row)
                case EpochStart():
                    rows[epoch].append(epoch_row(series_ids[record.meter_id, record.obis], record))
                case PowerQuarter():
                    rows[power].append(power_row(meter_ids[record.meter_id], record))
                case PointBlock():
                    rows[points].append(points_row(meter_ids[record.meter_id], record))
        return rows

    def _mark_for_uplink(self, connection: Connection, records: Sequence[Record]) -> bool:
        """Put the quarters of records into the outbox, where there is an uplink."""
        if not records or connection.execute(select(uplink.c.reader)).first() is None:
            return False
        quarters = {
            (self._meter_ids[record.meter_id], start_s(record) // QUARTER_S)
            for record in records
            if not isinstance(record, (PointBlock, ClockStep))
        }
        if not quarters:
            return False
        insert = self.insert(outbox)
        insert = insert.on_conflict_do_update(index_elements=["meter", "quarter"], set_={"mark": outbox.c.mark + 1})
        rows = [{"meter": row_id, "quarter": quarter, "mark": 1} for row_id, quarter in sorted(quarters)]
        connection.execute(insert, rows)
        return True


def _split_at_steps(records: Sequence[Record]) -> Iterator[tuple[Sequence[Record], ClockStep | None]]:
    """The records before each step of the clock with that step, and those after the last one with None."""
    part: list[Record] = []
    for record in records:
        if isinstance(record, ClockStep):
            yield part, record
            part = []
        else:
            part.append(record)
    yield part, None


def fits_columns(record: Record) -> bool:
    """Whether a record's numbers fit into columns of 8 bytes; a meter can send larger nonsense."""
    values = [getattr(record, name) for name in record.__struct_fields__]
    numbers = [value.raw if isinstance(value, Exact) else value for value in values]
    return all(abs(number) <= INT64_MAX for number in numbers if isinstance(number, int))


def _is_replaced_by(connection: Connection, old: int, new: int) -> bool:
    """Whether the meter of the row `new` is among the successors of that of the row `old`."""
    successors = dict(rollup_marks.replacements(lambda statement: connection.execute(statement).all(), [old]))
    number: int | None = old
    while number is not None and number != new:
        number = successors.get(number)
    return number is not None
