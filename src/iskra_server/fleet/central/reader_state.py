"""The state of each reader, and the one program that has its name.

A session leases a name until it says goodbye (or the broker does for it, by its will), or until nothing was heard of it
for ten minutes. Another session with this name, as of a copied SD card, waits meanwhile, and both are told why. A
reader that is told answers within a minute: one that does not, as its goodbye was lost with the broker or while no
collector ran, loses its name sooner.

Readers of the first protocol send no session; they neither have a name nor wait for one.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Row, and_, bindparam, case, func, null, select, update

from iskra_server.base.json_values import utc
from iskra_server.diagnosis.advice import advise
from iskra_server.fleet.protocol import Receipt
from iskra_server.history.model.records import CLOCK_TOLERANCE_S
from iskra_server.history.store.bulk import insert_all, one_of
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.schema import meter_reader, reader
from iskra_server.history.store.store import Store

# a reader sends its status every five minutes
SILENT_AFTER_S = 600
# a reader that is told of another one sends its status within a minute (edge/uplink.py); two of them may be lost
_ANSWERS_WITHIN_S = 150
# when it was heard is stored so often, besides with each status
_HEARD_EVERY_S = 450
_RIVAL_EVERY_S = 60
# two right clocks never differ by so much
SKEW_LIMIT_S = CLOCK_TOLERANCE_S
# of a page: bytes of status, of which one reader may have 1 MB, and readers per query
_PAGE_BYTES, _READERS = 2**22, 20
_NO_STATUS = str(advise("reader_unheard").en)
# stands before a session that said goodbye
_ENDED = "-"


class StoredStatus(Struct, frozen=True):
    """Of a reader, received at `at_s`: `sentence` is its first fault, `status` lists all sources as JSON.

    `skew_s` is its clock less ours; None where the status does not say.
    """

    name: str
    at_s: int
    ok: bool
    sentence: str
    status: str
    version: str | None = None
    skew_s: int | None = None
    waiting: int | None = None
    refused: int | None = None
    oldest_s: int | None = None


class ReaderState(StoredStatus, frozen=True, kw_only=True):
    """A status that has just arrived; `is_offline`: the reader said goodbye, or the broker did."""

    is_offline: bool = False


class ReaderMessage(Struct, frozen=True):
    """A reader sent something at `at_s`, in this session; `position` is that of the message in the batch."""

    position: int
    reader: str
    session: bytes
    at_s: int
    state: ReaderState | None = None


class Notice(Struct, frozen=True):
    """For a session of a reader that has not asked: another one has its name."""

    reader: str
    session: bytes
    receipt: Receipt


class NameLease(Struct, frozen=True):
    """The session that has a name and when it was last heard; in the table: session, session_s, rival_s.

    `rival_s`: when another one was told to wait, the first time since this one was heard; both were told. `ended` said
    goodbye, and nobody has taken the name since.
    """

    session: bytes | None = None
    heard_s: int = 0
    rival_s: int = 0
    ended: bytes | None = None

    @property
    def was_told(self) -> bool:
        """Its session was told of another one, and has not been heard since."""
        return self.rival_s > self.heard_s

    def is_expired(self, now_s: int) -> bool:
        return now_s - self.heard_s > SILENT_AFTER_S or (self.was_told and now_s - self.rival_s > _ANSWERS_WITHIN_S)


class LeasedNames(Struct):
    """What came of the messages of a batch: who has each name, who waits (by position), and who is to be told."""

    leases: dict[str, NameLease] = {}
    waiting: dict[int, Receipt] = {}
    notices: dict[tuple[str, bytes], Notice] = {}


def lease_names(leases: Mapping[str, NameLease], messages: Iterable[ReaderMessage]) -> LeasedNames:
    """Who has the names after these messages, in the order in which they came."""
    names = LeasedNames(dict(leases))
    for message in messages:
        lease = names.leases.setdefault(message.reader, NameLease())
        if not message.session:
            continue
        is_offline = message.state is not None and message.state.is_offline
        if message.state is None and lease.session is None and message.at_s <= lease.heard_s:
            # quarters that another collector received just before the goodbye: that session does not come back
            continue
        if lease.session in (None, message.session) or lease.is_expired(message.at_s):
            # quarters may come late, after the goodbye of their session
            has_ended = is_offline or (message.state is None and message.session == lease.ended)
            session, ended = (None, message.session) if has_ended else (message.session, None)
            # one that takes over from a silent one has no rival
            rival_s = lease.rival_s if lease.session in (None, message.session) else 0
            names.leases[message.reader] = NameLease(session, max(lease.heard_s, message.at_s), rival_s, ended)
        elif not is_offline:
            rival_s = lease.rival_s if lease.was_told else message.at_s
            names.leases[message.reader] = NameLease(lease.session, lease.heard_s, max(lease.rival_s, rival_s))
            receipt = _wait(message.reader, lease.heard_s)
            names.waiting[message.position] = receipt
            for session in (lease.session, message.session):
                names.notices[message.reader, session] = Notice(message.reader, session, receipt)
    return names


def _wait(name: str, heard_s: int) -> Receipt:
    heard = f"another reader named {name} was heard at {utc(heard_s)}"
    return Receipt("waits", f"{heard}: give each reader its own uplink.reader")


def write_readers(store: Store, connection: Connection, messages: Sequence[ReaderMessage]) -> LeasedNames:
    """Write the states of readers, and who has their names."""
    before = _read_leases(connection, {message.reader for message in messages})
    names = lease_names(before, messages)
    if any(_is_worth_writing(before.get(name, NameLease()), lease) for name, lease in names.leases.items()):
        # another collector may be giving the same name to another session; and it would deadlock with this one, as
        # what follows changes the rows in two passes
        _lock(store, connection, names.leases)
        before = _read_leases(connection, names.leases)
        names = lease_names(before, messages)
    states = {message.reader: message.state for message in messages if message.state and _is_of_lease(names, message)}
    _upsert_states(store, connection, states, names.leases)
    changed = [
        {"of": name, **_lease_columns(lease)}
        for name, lease in sorted(names.leases.items())
        if name not in states and name in before and _is_worth_writing(before[name], lease)
    ]
    if changed:
        columns: dict[str, Any] = {name: bindparam(name) for name in changed[0] if name != "of"}
        connection.execute(update(reader).where(reader.c.name == bindparam("of")).values(columns), changed)
    return names


def _is_of_lease(names: LeasedNames, message: ReaderMessage) -> bool:
    """A goodbye of a session that has lost the name says nothing of the one that has it."""
    lease = names.leases[message.reader]
    if message.state and message.state.is_offline and lease.session is not None:
        return False
    return message.position not in names.waiting


def _read_leases(connection: Connection, names: Iterable[str]) -> dict[str, NameLease]:
    columns = (reader.c.name, reader.c.session, reader.c.session_s, reader.c.rival_s)
    rows = connection.execute(select(*columns).where(one_of(connection, reader.c.name, sorted(names))))
    return {
        row.name: NameLease(
            None if not row.session or row.session[0] == _ENDED else bytes.fromhex(row.session),
            row.session_s or 0,
            row.rival_s or 0,
            bytes.fromhex(row.session[1:]) if row.session and row.session[0] == _ENDED else None,
        )
        for row in rows
    }


def _lock(store: Store, connection: Connection, names: Iterable[str]) -> None:
    """Create the rows of these readers, or lock them."""
    statement = store.insert(reader)
    same = statement.on_conflict_do_update(index_elements=["name"], set_={"name": reader.c.name})
    new = {"at_s": 0, "ok": False, "sentence": _NO_STATUS, "status": "[]"}
    insert_all(connection, same, [{"name": name, **new} for name in sorted(names)])


def _upsert_states(
    store: Store, connection: Connection, states: Mapping[str, ReaderState], leases: Mapping[str, NameLease]
) -> None:
    """Sorted by name: two collectors that lock rows in different orders would deadlock."""
    rows = [
        {name: getattr(state, name) for name in StoredStatus.__struct_fields__} | _lease_columns(leases[state.name])
        for _, state in sorted(states.items())
    ]
    if not rows:
        return
    statement = store.insert(reader)
    new = statement.excluded
    # what a goodbye does not say stays. A status that waited at the broker seems to come from a clock that is behind:
    # only the second one in a row says so
    was_right = and_(new.skew_s < -SKEW_LIMIT_S, reader.c.skew_s >= -SKEW_LIMIT_S)
    kept = {
        "version": func.coalesce(new.version, reader.c.version),
        "skew_s": case((was_right, null()), else_=func.coalesce(new.skew_s, reader.c.skew_s)),
    }
    changed = {name: new[name] for name in rows[0] if name != "name"} | kept
    newer = statement.on_conflict_do_update(index_elements=["name"], set_=changed, where=new.at_s >= reader.c.at_s)
    insert_all(connection, newer, rows)


def _lease_columns(lease: NameLease) -> dict[str, Any]:
    session = lease.session.hex() if lease.session else _ENDED + lease.ended.hex() if lease.ended else None
    return {"session": session, "session_s": lease.heard_s or None, "rival_s": lease.rival_s or None}


def _is_worth_writing(before: NameLease, after: NameLease) -> bool:
    return (
        (before.session, before.ended) != (after.session, after.ended)
        or after.heard_s - before.heard_s >= _HEARD_EVERY_S
        or (before.was_told and not after.was_told)
        or after.rival_s - before.rival_s >= _RIVAL_EVERY_S
    )


class ReaderRow(StoredStatus, frozen=True, kw_only=True):
    """What the central server knows of a reader; `meters` counts those that it has."""

    rival_s: int | None = None
    meters: int = 0


def list_readers(reads: Reads, *, limit: int, after: str = "") -> tuple[list[ReaderRow], str | None]:
    """A page of readers by name, about _PAGE_BYTES at most; and the name of the last, if more follow."""
    page: list[ReaderRow] = []
    length = 0
    while length < _PAGE_BYTES:
        step = min(limit - len(page), _READERS) + 1
        rows = reads.query(select(reader).where(reader.c.name > after).order_by(reader.c.name).limit(step))
        counts = _meters_of(reads, [row.name for row in rows])
        page += [_reader_row(row, counts.get(row.name, 0)) for row in rows[: step - 1]]
        if len(rows) < step:
            return page, None
        after = page[-1].name
        if len(page) == limit:
            break
        length = sum(len(row.status) for row in page)
    return page, after


def _reader_row(row: Row[Any], meters: int) -> ReaderRow:
    names = [name for name in ReaderRow.__struct_fields__ if name != "meters"]
    return ReaderRow(**{name: getattr(row, name) for name in names}, meters=meters)


def _meters_of(reads: Reads, names: Sequence[str]) -> dict[str, int]:
    """How many meters each of these readers has now."""
    later = meter_reader.alias()
    has_later = select(later.c.meter).where(
        later.c.meter == meter_reader.c.meter, later.c.since_s > meter_reader.c.since_s
    )
    statement = (
        select(meter_reader.c.reader, func.count().label("meters"))
        .where(meter_reader.c.reader.in_(names), ~has_later.exists())
        .group_by(meter_reader.c.reader)
    )
    return {row.reader: row.meters for row in reads.query(statement)}
