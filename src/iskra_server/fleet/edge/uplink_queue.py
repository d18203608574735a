"""Quarters of the ledger that the central server has not confirmed yet.

The transaction that writes a quarter also marks it in the table `outbox`; each change increments the mark. Confirming
removes a quarter only if its mark is still the one that was sent. So no change is lost, whenever either side stops.
What the central server cannot store now keeps its mark and the reason, and is sent again later; what it refuses is sent
again on request.
"""

import secrets
import time
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from sqlalchemy import (
    ColumnElement,
    Integer,
    Subquery,
    and_,
    cast,
    delete,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    union,
    update,
)

from iskra_server.fleet.protocol import default_reader_name
from iskra_server.history.model.records import QUARTER_S, MeterInfo, Record
from iskra_server.history.store.batches import batches
from iskra_server.history.store.schema import epoch, meter, outbox, power, quarter_reading, series, uplink
from iskra_server.history.store.store import Store

# quarters in one parcel: a day of one meter
PARCEL = 96
# the longest time that a quarter waits before it is sent again
MAX_RETRY_S = 900
_ROWS = 400
# conditions in one DELETE
_CONFIRMED_AT_ONCE = 100


class Parcel(Struct, frozen=True):
    """Quarters of one meter to send in one message; `marks` by quarter."""

    meter: MeterInfo
    marks: dict[int, int]
    records: tuple[Record, ...]


class ReaderIdentity(Struct, frozen=True):
    """The name of a reader at the central server, and the random id of its history."""

    reader: str
    ledger: str


class UplinkQueue:
    """The queue in an open history; call it from any thread. Every method raises StoreError."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def enable(self, reader: str = "", user: str | None = None) -> ReaderIdentity:
        """Mark quarters from now on; the first time under a name, everything that history has already.

        Without a name: that of before, else one from the user at the broker or the machine.
        """
        with self._store.transaction() as connection:
            before = connection.execute(select(uplink)).first()
            name = reader or (before.reader if before else default_reader_name(user))
            # the same under every name: it stands for the epochs of this history
            ledger = (before.ledger if before else None) or secrets.token_hex(16)
            if before is None or before.reader != name:
                connection.execute(delete(uplink))
                connection.execute(delete(outbox))
                connection.execute(insert(uplink).values(reader=name, since_s=int(time.time()), ledger=ledger))
                ledger_quarters = _ledger_quarters()
                rows = select(*ledger_quarters.c, literal(1))
                connection.execute(insert(outbox).from_select(["meter", "quarter", "mark"], rows))
            elif before.ledger is None:
                connection.execute(update(uplink).values(ledger=ledger))
        return ReaderIdentity(name, ledger)

    def count(self) -> int:
        """Unconfirmed quarters of all meters, those in flight and those that were refused included."""
        with self._store.transaction(write=False) as connection:
            return int(connection.execute(select(func.count()).select_from(outbox)).scalar_one())

    def next_parcels(
        self, limit: int, in_flight: Mapping[str, Iterable[int]], at_most: Mapping[str, int] | None = None
    ) -> list[Parcel]:
        """Parcels to send next, the meters with the oldest quarters first; `in_flight` has quarters by meter.

        `at_most` limits the quarters in one parcel of a meter.
        """
        is_due = _is_due(int(time.time()))
        with self._store.transaction(write=False) as connection:
            sent = {name: set(quarters) for name, quarters in in_flight.items()}
            queued = select(outbox.c.quarter, meter.c.id, meter.c.meter_id).join(meter, meter.c.id == outbox.c.meter)
            queued = queued.where(is_due).order_by(outbox.c.quarter, outbox.c.meter)
            oldest = connection.execute(queued.limit(_ROWS + sum(map(len, sent.values())))).all()
            names = {row.id: row.meter_id for row in oldest if row.quarter not in sent.get(row.meter_id, ())}
            marks = {}
            for number, name in list(names.items())[:limit]:
                statement = (
                    select(outbox.c.quarter, outbox.c.mark)
                    .where(outbox.c.meter == number, is_due)
                    .order_by(outbox.c.quarter)
                    .limit(PARCEL + len(sent.get(name, ())))
                )
                unsent = [row for row in connection.execute(statement).all() if row.quarter not in sent.get(name, ())]
                most = (at_most or {}).get(name, PARCEL)
                marks[name] = {row.quarter: row.mark for row in unsent[:most]}
        infos = {info.meter_id: info for info in self._store.meters()} if marks else {}
        return [self._parcel(infos[name], quarters) for name, quarters in marks.items()]

    def confirm(self, parcels: Sequence[Parcel], resumed: Iterable[str] = ()) -> None:
        """Remove what the central server has, unless it has changed since it was sent.

        Of `resumed` meters everything that waits is due now.
        """
        with self._store.transaction() as connection:
            for parcel in parcels:
                for is_sent in _sent(parcel):
                    connection.execute(delete(outbox).where(is_sent))
            for name in resumed:
                waits = outbox.c.meter == _number_of(name), outbox.c.reason.is_not(None), ~outbox.c.refused
                connection.execute(update(outbox).where(*waits).values(reason=None, retry_s=None))
            if parcels:
                connection.execute(update(uplink).values(confirmed_s=int(time.time())))

    def postpone(self, parcel: Parcel, reason: str, retry_s: int) -> None:
        """Send nothing of this meter from the first of these quarters on before a moment (Unix seconds)."""
        with self._store.transaction() as connection:
            later = outbox.c.meter == _number_of(parcel.meter.meter_id), outbox.c.quarter >= min(parcel.marks)
            connection.execute(update(outbox).where(*later, ~outbox.c.refused).values(reason=reason, retry_s=retry_s))

    def set_refused(self, parcel: Parcel, reason: str) -> None:
        """Send these quarters only on request, unless they have changed since."""
        with self._store.transaction() as connection:
            for is_sent in _sent(parcel):
                connection.execute(update(outbox).where(is_sent).values(reason=reason, refused=True, retry_s=None))

    def resend(self, from_quarter: int, meter_id: str | None = None) -> int:
        """Mark everything from a quarter on, of one meter or of all, also what was refused; returns how many.

        A running server sends it within half a minute.
        """
        ledger = _ledger_quarters()
        rows = select(*ledger.c, literal(1)).where(ledger.c.quarter >= from_quarter)
        if meter_id is not None:
            rows = rows.where(ledger.c.meter == _number_of(meter_id))
        statement = self._store.insert(outbox).from_select(["meter", "quarter", "mark"], rows)
        again = {"mark": outbox.c.mark + 1, "reason": None, "refused": False, "retry_s": None}
        with self._store.transaction() as connection:
            count = connection.execute(select(func.count()).select_from(rows.subquery())).scalar_one()
            connection.execute(statement.on_conflict_do_update(index_elements=["meter", "quarter"], set_=again))
        return int(count)

    def _parcel(self, info: MeterInfo, marks: dict[int, int]) -> Parcel:
        name, quarters = info.meter_id, sorted(marks)
        records: list[Record] = []
        for obis in self._store.series(name):
            records += self._store.quarter_readings(name, obis, quarters).values()
            records += (start for start in self._store.epochs(name, obis) if start.at_s // QUARTER_S in marks)
        between = self._store.power_between(name, quarters[0], quarters[-1] + 1)
        records += (power for power in between if power.quarter in marks)
        return Parcel(info, marks, tuple(records))


def _is_due(now_s: int) -> ColumnElement[bool]:
    """A retry that is further away than any is from before a step of the clock."""
    retry_s = outbox.c.retry_s
    return and_(
        outbox.c.refused.is_(false()), or_(retry_s.is_(None), retry_s <= now_s, retry_s > now_s + MAX_RETRY_S + 60)
    )


def _number_of(meter_id: str) -> ColumnElement[int]:
    return select(meter.c.id).where(meter.c.meter_id == meter_id).scalar_subquery()


def _sent(parcel: Parcel) -> Iterable[ColumnElement[bool]]:
    """The rows of a parcel that have not changed since, as a few conditions."""
    for rows in batches(list(parcel.marks.items()), _CONFIRMED_AT_ONCE):
        unchanged = or_(*(and_(outbox.c.quarter == quarter, outbox.c.mark == mark) for quarter, mark in rows))
        yield and_(outbox.c.meter == _number_of(parcel.meter.meter_id), unchanged)


def _ledger_quarters() -> Subquery:
    """Every quarter of every meter that history holds something of."""
    return union(
        select(series.c.meter, quarter_reading.c.quarter).join_from(
            quarter_reading, series, series.c.id == quarter_reading.c.series
        ),
        select(power.c.meter, power.c.quarter),
        select(series.c.meter, cast(epoch.c.at_s // QUARTER_S, Integer)).join_from(epoch, series),
    ).subquery()
