"""What a reader still has to send: quarters of the ledger that the centre has not confirmed.

A quarter is marked in the transaction that writes it, whoever writes it; the mark grows with each change, and what is
confirmed is the mark that was sent. So nothing is forgotten, whichever side stops at whatever moment.
"""

import time
from collections.abc import Iterable, Mapping

from msgspec import Struct
from sqlalchemy import Connection, Integer, and_, cast, delete, func, insert, literal, or_, select, union

from iskra_server.history.model.records import QUARTER_S, MeterInfo, Record
from iskra_server.history.store.schema import epoch, meter, outbox, power, quarter_reading, series, uplink
from iskra_server.history.store.store import Store

# quarters in one parcel: a day of one meter
PARCEL = 96
_AT_ONCE = 400


class Parcel(Struct, frozen=True):
    """Quarters of one meter on their way, with the marks that they had."""

    meter: MeterInfo
    marks: dict[int, int]
    records: tuple[Record, ...]


class Outbox:
    """The outbox of an open history; for any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, reader: str) -> None:
        """From now on quarters are marked; everything that is there already is, the first time. Raises StoreError."""
        with self._store.transaction() as connection:
            if connection.execute(select(uplink.c.reader).where(uplink.c.reader == reader)).first():
                return
            connection.execute(delete(uplink))
            connection.execute(delete(outbox))
            connection.execute(insert(uplink).values(reader=reader, since_s=int(time.time())))
            _mark_all(connection)

    def end(self) -> None:
        """Nothing is marked any more. Raises StoreError."""
        with self._store.transaction() as connection:
            connection.execute(delete(uplink))
            connection.execute(delete(outbox))

    def waiting(self) -> int:
        """Quarters of meters that wait, those on their way included. Raises StoreError."""
        with self._store.transaction(write=False) as connection:
            return int(connection.execute(select(func.count()).select_from(outbox)).scalar_one())

    def parcels(self, most: int, on_the_way: Mapping[str, Iterable[int]]) -> list[Parcel]:
        """What is to be sent next, the meters that have waited longest first. Raises StoreError."""
        with self._store.transaction(write=False) as connection:
            away = {name: set(quarters) for name, quarters in on_the_way.items()}
            known = select(outbox.c.quarter, meter.c.id, meter.c.meter_id).join(meter, meter.c.id == outbox.c.meter)
            limit = _AT_ONCE + sum(map(len, away.values()))
            oldest = connection.execute(known.order_by(outbox.c.quarter, outbox.c.meter).limit(limit)).all()
            names = {row.id: row.meter_id for row in oldest if row.quarter not in away.get(row.meter_id, ())}
            marks = {}
            for number, name in list(names.items())[:most]:
                waiting = (
                    select(outbox.c.quarter, outbox.c.mark)
                    .where(outbox.c.meter == number)
                    .order_by(outbox.c.quarter)
                    .limit(PARCEL + len(away.get(name, ())))
                )
                rows = [row for row in connection.execute(waiting).all() if row.quarter not in away.get(name, ())]
                marks[name] = {row.quarter: row.mark for row in rows[:PARCEL]}
        infos = {info.meter_id: info for info in self._store.meters()} if marks else {}
        return [self._parcel(infos[name], found) for name, found in marks.items()]

    def confirm(self, parcels: Iterable[Parcel]) -> None:
        """Forget what the centre has, unless it has changed since. Raises StoreError."""
        with self._store.transaction() as connection:
            for parcel in parcels:
                number = select(meter.c.id).where(meter.c.meter_id == parcel.meter.meter_id).scalar_subquery()
                for quarters in _slices(list(parcel.marks.items())):
                    sent = or_(
                        *(and_(outbox.c.quarter == quarter, outbox.c.mark == mark) for quarter, mark in quarters)
                    )
                    connection.execute(delete(outbox).where(outbox.c.meter == number, sent))

    def _parcel(self, info: MeterInfo, marks: dict[int, int]) -> Parcel:
        name, quarters = info.meter_id, sorted(marks)
        records: list[Record] = []
        for obis in self._store.series(name):
            records += self._store.quarter_readings(name, obis, quarters).values()
            records += (start for start in self._store.epochs(name, obis) if start.at_s // QUARTER_S in marks)
        between = self._store.power_between(name, quarters[0], quarters[-1] + 1)
        records += (power for power in between if power.quarter in marks)
        return Parcel(info, marks, tuple(records))


def _slices(items: list[tuple[int, int]], size: int = 100) -> Iterable[list[tuple[int, int]]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _mark_all(connection: Connection) -> None:
    ledger = union(
        select(series.c.meter, quarter_reading.c.quarter).join_from(
            quarter_reading, series, series.c.id == quarter_reading.c.series
        ),
        select(power.c.meter, power.c.quarter),
        select(series.c.meter, cast(epoch.c.at_s // QUARTER_S, Integer)).join_from(epoch, series),
    ).subquery()
    rows = select(*ledger.c, literal(1))
    connection.execute(insert(outbox).from_select(["meter", "quarter", "mark"], rows))
