"""History in a database: what is closed is written once and never changes.

Every row has its key from the record alone, and a row that is there stays as it is: writing a batch again, after
a commit that may or may not have arrived, changes nothing. A batch is one transaction.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Table, case, delete, distinct, func, select, update

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
from iskra_server.history.store import StoreError, bulk, partitions
from iskra_server.history.store.database import make_partitions, open_database
from iskra_server.history.store.database_errors import display_name
from iskra_server.history.store.impossible_rows import is_step_recorded, record_step, set_rows_aside
from iskra_server.history.store.mapping import (
    RowValues,
    epoch_row,
    meter_row,
    points_row,
    power_row,
    quarter_reading_row,
)
from iskra_server.history.store.postgresql_layout import PLAIN, DatabaseProfile
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.schema import (
    PARTITIONED,
    epoch,
    meter,
    outbox,
    points,
    power,
    quarter_reading,
    series,
    uplink,
)
from iskra_server.meter.obis import Obis

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

_NAMES_AT_ONCE = 5_000


class Store(Reads):
    """An open history; for any number of reading threads, and writers that take turns."""

    def __init__(self, address: str | Address, profile: DatabaseProfile = PLAIN) -> None:
        """Open `sqlite:///PATH` or `postgresql://...`, create (in a profile) and migrate. Raises StoreError."""
        super().__init__(open_database(address, profile))
        self._turn = Lock()
        # grows when there is more for the centre
        self.outbox_revision = 0
        self._months: set[date] = set()
        self._meters: dict[str, int] = {}
        self._series: dict[tuple[str, Obis], int] = {}

    def close(self) -> None:
        self._database.close()

    def file_change(self) -> str:
        """SQLite: what happened to the file since it was opened, such as its removal; "" where all is well."""
        return self._database.anchor.file_change() if self._database.anchor else ""

    def rescue(self) -> None:
        """SQLite: where the file was displaced, save what it held, so that it can be opened anew. Raises StoreError."""
        if self._database.anchor:
            self._database.anchor.rescue()

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[Connection]:
        """A transaction of its own, for a neighbour in this room. What the database has against it is a StoreError."""
        with self._sentences():
            if write:
                with self._turn, self._database.write.begin() as connection:
                    yield connection
            else:
                with self._database.read.connect() as connection:
                    yield connection

    def write(
        self,
        records: Iterable[Record],
        meters: Iterable[MeterInfo] = (),
        also: Callable[[Connection], None] | None = None,
        months_since: date = date.min,
    ) -> None:
        """One transaction, which may be repeated; `meters` must name each meter that is new. Raises StoreError.

        `also` writes more in the same transaction. PostgreSQL: months from `months_since` on are made where they are
        missing; the rest partition holds what lies before.
        """
        records = list(records)
        marked = False
        with self._turn, self._sentences():
            try:
                self._make_room(records, months_since)
                with self._database.write.begin() as connection:
                    self._see(connection, list(meters))
                    marked = self._put_in_turn(connection, records)
                    if also:
                        also(connection)
            except Exception:
                # numbers that were given in a transaction that never was
                self._meters.clear()
                self._series.clear()
                raise
        self.outbox_revision += marked

    def _put_in_turn(self, connection: Connection, records: Sequence[Record]) -> bool:
        """Records, and what a step of the clock sets aside: once, as what is right by now may lie behind it."""
        marked, stepped_s = False, 0
        part: Sequence[Record] = ()
        for part, step in _between_steps(records):
            if step is None:
                marked |= self._put(connection, part)
            elif is_step_recorded(connection, step):
                # what lay ahead of it was set aside with it
                ahead_s = step.to_s + CLOCK_TOLERANCE_S
                marked |= self._put(connection, [record for record in part if start_s(record) <= ahead_s])
            else:
                marked |= self._put(connection, part)
                record_step(connection, step)
                stepped_s = step.to_s
        if stepped_s:
            # telegrams are pending apart from the ledger, and come after it; what waited may be written by a clock
            # that is behind what it recorded
            ledger = (record for record in part if not isinstance(record, PointBlock))
            set_rows_aside(
                connection, max(int(time.time()), stepped_s, *(start_s(each) + QUARTER_S for each in ledger))
            )
        return marked

    def _put(self, connection: Connection, records: Sequence[Record]) -> bool:
        self._know(connection, records)
        for table, rows in sorted(self._rows(connection, records).items(), key=lambda each: each[0].name):
            self._keep(connection, table, rows)
        return self._mark(connection, records)

    def replace_meter(self, old: str, new: str) -> None:
        """From now on `new` carries on the history of `old`. Raises StoreError."""
        known = {info.meter_id: info for info in self.meters()}
        for name in (old, new):
            if name not in known:
                raise StoreError(f"History knows no meter {name}; it knows {', '.join(known) or 'none yet'}.")
        if old == new or _leads_to(known, new, old):
            raise StoreError(f"{new} cannot replace {old}: it was itself replaced by it.")
        successor = select(meter.c.id).where(meter.c.meter_id == new).scalar_subquery()
        with self._turn, self._sentences(), self._database.write.begin() as connection:
            connection.execute(update(meter).where(meter.c.meter_id == old).values(replaced_by=successor))

    def make_partitions(self, ahead: int = partitions.MONTHS_AHEAD, since_s: float | None = None) -> int:
        """PostgreSQL: make the months that are missing from `since_s`, or now, on; says how many. Raises StoreError."""
        if not self._is_postgresql:
            return 0
        with self._turn, self._sentences():
            # another program may have dropped some since
            self._months.clear()
            return make_partitions(self._database, partitions.months_ahead(time.time(), ahead, since_s))

    def drop_partitions_before(self, moment_s: float, tables: Iterable[str] = tuple(PARTITIONED)) -> int:
        """PostgreSQL: drop whole months that end before a moment, at once and for good; says how many partitions."""
        if not self._is_postgresql:
            return 0
        with self._turn, self._sentences(), self._database.write.begin() as connection:
            if not partitions.is_owner(connection):
                return 0
            # what is dropped has to be made anew for a late import
            self._months.clear()
            return sum(partitions.drop_partitions(connection, table, moment_s) for table in tables)

    def delete_points(self, meter_id: str, before_s: int, at_most: int) -> int:
        """Delete a meter's oldest blocks of points that end before a moment; says how many."""
        number = select(meter.c.id).where(meter.c.meter_id == meter_id).scalar_subquery()
        oldest = (
            select(points.c.first_s)
            .where(points.c.meter == number, points.c.first_s < before_s, points.c.last_s < before_s)
            .order_by(points.c.first_s)
            .limit(at_most)
        )
        statement = delete(points).where(points.c.meter == number, points.c.first_s.in_(oldest))
        with self._turn, self._sentences(), self._database.write.begin() as connection:
            return connection.execute(statement).rowcount

    def _make_room(self, records: Sequence[Record], since: date) -> None:
        """PostgreSQL: the months that these records lie in, such as old ones that are imported."""
        if not self._is_postgresql:
            return
        moments = {
            record.quarter * QUARTER_S for record in records if isinstance(record, (QuarterReading, PowerQuarter))
        }
        moments |= {record.first_s for record in records if isinstance(record, PointBlock)}
        new = {month for moment in moments for month in partitions.months_between(moment, moment)} - self._months
        if new:
            make_partitions(self._database, sorted(month for month in new if month >= since))
            self._months |= new

    def _see(self, connection: Connection, meters: list[MeterInfo]) -> None:
        if not meters:
            return
        if self._is_postgresql:
            bulk.upsert_meters(connection, meters)
        else:
            self._see_in_sqlite(connection, meters)
        if any(info.meter_id not in self._meters for info in meters):
            self._refuse_mixture(connection, simulated=meters[0].simulated)

    def _see_in_sqlite(self, connection: Connection, meters: list[MeterInfo]) -> None:
        insert = self.insert(meter)
        given = insert.excluded
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=["meter_id"],
                set_={
                    "first_s": case((given.first_s < meter.c.first_s, given.first_s), else_=meter.c.first_s),
                    "last_s": case((given.last_s > meter.c.last_s, given.last_s), else_=meter.c.last_s),
                    "port": func.coalesce(given.port, meter.c.port),
                },
            ),
            [meter_row(info) for info in meters],
        )

    def _refuse_mixture(self, connection: Connection, *, simulated: bool) -> None:
        if connection.execute(select(func.count(distinct(meter.c.simulated)))).scalar() == 1:
            return
        held, new = ("a real meter", "a simulated one") if simulated else ("a simulated meter", "a real one")
        raise StoreError(
            f"{display_name(self._database.url)} holds readings of {held}; those of {new} are never written beside "
            "them. Set data_dir or database_url to another place."
        )

    def _rows(self, connection: Connection, records: Iterable[Record]) -> dict[Table, list[RowValues]]:
        rows: dict[Table, list[RowValues]] = defaultdict(list)
        for record in records:
            match record:
                case QuarterReading() as known:
                    number = self._series_id(connection, known.meter_id, known.obis)
                    rows[quarter_reading].append(quarter_reading_row(number, known))
                case EpochStart() as start:
                    number = self._series_id(connection, start.meter_id, start.obis)
                    rows[epoch].append(epoch_row(number, start))
                case PowerQuarter() as quarter:
                    rows[power].append(power_row(self._meter_id(connection, quarter.meter_id), quarter))
                case PointBlock() as block:
                    rows[points].append(points_row(self._meter_id(connection, block.meter_id), block))
        return rows

    def _meter_id(self, connection: Connection, meter_id: str) -> int:
        if meter_id not in self._meters:
            found = connection.execute(select(meter.c.id).where(meter.c.meter_id == meter_id)).scalar()
            if found is None:
                raise LookupError(f"the meter {meter_id} was not named to write()")
            self._meters[meter_id] = found
        return self._meters[meter_id]

    def _series_id(self, connection: Connection, meter_id: str, obis: Obis) -> int:
        key = (meter_id, obis)
        if key not in self._series:
            owner = self._meter_id(connection, meter_id)
            connection.execute(self.insert(series).on_conflict_do_nothing(), [{"meter": owner, "obis": str(obis)}])
            self._series[key] = connection.execute(
                select(series.c.id).where(series.c.meter == owner, series.c.obis == str(obis))
            ).scalar_one()
        return self._series[key]

    @property
    def _is_postgresql(self) -> bool:
        return self._database.url.drivername != "sqlite"

    def meter_row_ids(self, connection: Connection, names: Iterable[str]) -> dict[str, int]:
        """The numbers of those meters that are known."""
        names = list(names)
        self._meters |= self._numbered(connection, [name for name in names if name not in self._meters])
        return {name: self._meters[name] for name in names if name in self._meters}

    def _numbered(self, connection: Connection, names: Sequence[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for start in range(0, len(names), _NAMES_AT_ONCE):
            some = names[start : start + _NAMES_AT_ONCE]
            rows = connection.execute(select(meter.c.meter_id, meter.c.id).where(meter.c.meter_id.in_(some)))
            found |= {row.meter_id: row.id for row in rows}
        return found

    def _know(self, connection: Connection, records: Sequence[Record]) -> None:
        """PostgreSQL: the numbers of all meters and series that are new here, with few questions."""
        if not self._is_postgresql:
            return
        wanted = {
            (record.meter_id, record.obis) for record in records if isinstance(record, (QuarterReading, EpochStart))
        }
        new = wanted - self._series.keys()
        names = {record.meter_id for record in records if not isinstance(record, ClockStep)}
        self.meter_row_ids(connection, {name for name, _ in new} | names)
        if new:
            self._series |= bulk.series_ids(connection, sorted(new), self._meters)

    def _keep(self, connection: Connection, table: Table, rows: list[RowValues]) -> None:
        if self._is_postgresql and bulk.can_insert(table):
            bulk.insert_rows(connection, table, rows)
        else:
            connection.execute(self._kept(table), rows)

    def _mark(self, connection: Connection, records: Sequence[Record]) -> bool:
        """What the centre has to know of, where there is one."""
        if not records or connection.execute(select(uplink.c.reader)).first() is None:
            return False
        ledger = {
            (record.meter_id, start_s(record) // QUARTER_S)
            for record in records
            if not isinstance(record, (PointBlock, ClockStep))
        }
        if not ledger:
            return False
        statement = self.insert(outbox)
        statement = statement.on_conflict_do_update(
            index_elements=["meter", "quarter"], set_={"mark": outbox.c.mark + 1}
        )
        rows = [(self._meter_id(connection, name), quarter) for name, quarter in ledger]
        connection.execute(statement, [{"meter": m, "quarter": q, "mark": 1} for m, q in sorted(rows)])
        return True

    def _kept(self, table: Table) -> "sqlite.Insert | postgresql.Insert":
        """Rows that are there stay; but of a quarter's power, cut in two by a restart, the half with more telegrams."""
        insert = self.insert(table)
        if table is not power:
            return insert.on_conflict_do_nothing()
        given = insert.excluded
        return insert.on_conflict_do_update(
            index_elements=[column.name for column in power.primary_key],
            set_={column.name: given[column.name] for column in power.c if not column.primary_key},
            where=given.telegrams > power.c.telegrams,
        )

    def insert(self, table: Table) -> "sqlite.Insert | postgresql.Insert":
        # each takes some memory: only the one that is used is imported
        if self._database.url.drivername == "sqlite":
            from sqlalchemy.dialects.sqlite import insert  # noqa: PLC0415

            return insert(table)
        from sqlalchemy.dialects.postgresql import insert as insert_into_postgresql  # noqa: PLC0415

        return insert_into_postgresql(table)


def _between_steps(records: Sequence[Record]) -> Iterator[tuple[Sequence[Record], ClockStep | None]]:
    """The records before each step of the clock with it, and those after the last: a step is for what came before."""
    part: list[Record] = []
    for record in records:
        if isinstance(record, ClockStep):
            yield part, record
            part = []
        else:
            part.append(record)
    yield part, None


def fits_columns(record: Record) -> bool:
    """Whether a record's numbers fit into the columns of 8 bytes; a meter can send larger nonsense."""
    values = [getattr(record, name) for name in record.__struct_fields__]
    numbers = [value.raw if isinstance(value, Exact) else value for value in values]
    return all(abs(number) <= INT64_MAX for number in numbers if isinstance(number, int))


def _leads_to(known: dict[str, MeterInfo], start: str, end: str) -> bool:
    at: str | None = start
    while at is not None and at != end:
        at = known[at].replaced_by
    return at is not None
