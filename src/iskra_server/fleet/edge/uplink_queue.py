"""Quarters of the ledger that the central server has not confirmed yet.

The transaction that writes a quarter also marks it in the table `outbox`; each change increments the mark. Confirming
removes a quarter only if its mark is still the one that was sent. So no change is lost, whenever either side stops.
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
_ROWS = 400
# conditions in one DELETE
_CONFIRMED_AT_ONCE = 100


class Parcel(Struct, frozen=True):
    """Quarters of one meter to send in one message; `marks` by quarter."""

    meter: MeterInfo
    marks: dict[int, int]
    records: tuple[Record, ...]


class UplinkQueue:
    """The queue in an open history; call it from any thread. Every method raises StoreError."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def enable(self, reader: str) -> None:
        """Mark quarters from now on; the first time under this name, everything that history has already."""
        with self._store.transaction() as connection:
            if connection.execute(select(uplink.c.reader).where(uplink.c.reader == reader)).first():
                return
            connection.execute(delete(uplink))
            connection.execute(delete(outbox))
            connection.execute(insert(uplink).values(reader=reader, since_s=int(time.time())))
            _mark_all(connection)

    def count(self) -> int:
        """Unconfirmed quarters of all meters, those in flight included."""
        with self._store.transaction(write=False) as connection:
            return int(connection.execute(select(func.count()).select_from(outbox)).scalar_one())

    def next_parcels(self, limit: int, in_flight: Mapping[str, Iterable[int]]) -> list[Parcel]:
        """Parcels to send next, the meters with the oldest quarters first; `in_flight` has quarters by meter."""
        with self._store.transaction(write=False) as connection:
            sent = {name: set(quarters) for name, quarters in in_flight.items()}
            queued = select(outbox.c.quarter, meter.c.id, meter.c.meter_id).join(meter, meter.c.id == outbox.c.meter)
            rows = _ROWS + sum(map(len, sent.values()))
            oldest = connection.execute(queued.order_by(outbox.c.quarter, outbox.c.meter).limit(rows)).all()
            names = {row.id: row.meter_id for row in oldest if row.quarter not in sent.get(row.meter_id, ())}
            marks = {}
            for number, name in list(names.items())[:limit]:
                statement = (
                    select(outbox.c.quarter, outbox.c.mark)
                    .where(outbox.c.meter == number)
                    .order_by(outbox.c.quarter)
                    .limit(PARCEL + len(sent.get(name, ())))
                )
                unsent = [row for row in connection.execute(statement).all() if row.quarter not in sent.get(name, ())]
                marks[name] = {row.quarter: row.mark for row in unsent[:PARCEL]}
        infos = {info.meter_id: info for info in self._store.meters()} if marks else {}
        return [self._parcel(infos[name], quarters) for name, quarters in marks.items()]

    def confirm(self, parcels: Iterable[Parcel]) -> None:
        """Remove what the central server has, unless it has changed since it was sent."""
        with self._store.transaction() as connection:
            for parcel in parcels:
                number = select(meter.c.id).where(meter.c.meter_id == parcel.meter.meter_id).scalar_subquery()
                marks = list(parcel.marks.items())
                for start in range(0, len(marks), _CONFIRMED_AT_ONCE):
                    sent = or_(
                        *(
                            and_(outbox.c.quarter == quarter, outbox.c.mark == mark)
                            for quarter, mark in marks[start : start + _CONFIRMED_AT_ONCE]
                        )
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
