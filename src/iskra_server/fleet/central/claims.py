"""The one reader of each meter: the first that sends quarters of it, until `fleet move` gives it to another.

    meter_reader     since 0: house-7     since 1795910400: house-8     A row for each change; the last one counts.

A former reader may have been away when it lost the meter: its quarters from before that are stored like those of the
new one. Everything else that another reader sends of a meter waits at that reader.
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

from msgspec import Struct
from sqlalchemy import Connection, insert, select, text

from iskra_server.history.model.records import QUARTER_S, quarter_from
from iskra_server.history.store import StoreError
from iskra_server.history.store.batches import batches
from iskra_server.history.store.bulk import insert_all, one_of
from iskra_server.history.store.schema import ALWAYS, meter_reader, reader
from iskra_server.history.store.store import Store

# the number of a lock: no meter changes its reader while a collector writes
_MOVE_LOCK = 0x49534B5242
# names in an error
_SHOWN = 5


class Claim(Struct, frozen=True):
    """`reader` has the meter since `since_s` (Unix seconds); 0: from its first quarter on."""

    since_s: int
    reader: str


# of one meter, the oldest first; the last one counts
Claims = Sequence[Claim]


def may_store(claims: Claims, name: str, quarter: int) -> bool:
    """Whether what this reader says of a quarter is stored: it has the meter, or had it then."""
    if claims[-1].reader == name:
        return True
    ends = (after.since_s for claim, after in pairwise(claims) if claim.reader == name)
    return quarter * QUARTER_S < max(ends, default=0)


def reader_at(claims: Claims, quarter: int) -> str:
    """The reader that had the meter in a quarter."""
    return next(claim.reader for claim in reversed(claims) if claim.since_s <= quarter * QUARTER_S)


def times_of(claims: Claims, name: str) -> list[range]:
    """The quarters in which this reader had the meter."""
    since = [quarter_from(claim.since_s) for claim in claims]
    return [
        range(*time) for claim, time in zip(claims, pairwise([*since, ALWAYS]), strict=True) if claim.reader == name
    ]


def block_moves(connection: Connection, *, exclusive: bool = False) -> None:
    """Until this transaction ends no meter changes its reader; any number of collectors do this at once.

    `exclusive` waits for them. In SQLite one transaction writes at a time.
    """
    if connection.dialect.name == "postgresql":
        shared = "" if exclusive else "_shared"
        connection.execute(text(f"SELECT pg_advisory_xact_lock{shared}({_MOVE_LOCK})"))


def claims_of(connection: Connection, meters: Collection[int]) -> dict[int, list[Claim]]:
    """The readers of meters by row id; those that nobody has claimed are absent."""
    claims = dict[int, list[Claim]]()
    for batch in batches(sorted(meters)):
        statement = select(meter_reader).where(one_of(connection, meter_reader.c.meter, batch))
        for row in connection.execute(statement.order_by(meter_reader.c.since_s)):
            claims.setdefault(row.meter, []).append(Claim(row.since_s, row.reader))
    return claims


def claim(store: Store, connection: Connection, wanted: Mapping[int, str]) -> dict[int, list[Claim]]:
    """Give meters that nobody has claimed to these readers; who has them now.

    Where two collectors do so at once, the second one waits for the first here, and then finds its claim.
    """
    rows = [{"meter": number, "since_s": 0, "reader": name} for number, name in sorted(wanted.items())]
    insert_all(connection, store.insert(meter_reader).on_conflict_do_nothing(), rows)
    return claims_of(connection, wanted)


def lock_meters(store: Store, connection: Connection, meters: Collection[int]) -> None:
    """Until this transaction ends no other one does this for the same meters, which must be claimed."""
    statement = store.insert(meter_reader)
    same = statement.on_conflict_do_update(index_elements=["meter", "since_s"], set_={"reader": meter_reader.c.reader})
    # in one order: two that wait for each other would never end
    insert_all(connection, same, [{"meter": number, "since_s": 0, "reader": ""} for number in sorted(meters)])


def move_meter(store: Store, meter_id: str, to: str, now_s: int) -> str:
    """Give a meter to another reader, from now on; the reader that had it. Raises StoreError."""
    with store.transaction() as connection:
        block_moves(connection, exclusive=True)
        if to not in (names := _reader_names(connection)):
            shown = ", ".join(names[:_SHOWN]) + (" ..." if len(names) > _SHOWN else "")
            raise StoreError(f"No reader {to} has sent anything yet. Connect it first; known are {shown or 'none'}.")
        number = store.meter_row_ids(connection, [meter_id]).get(meter_id)
        claims = claims_of(connection, [number]).get(number) if number is not None else None
        if number is None or not claims:
            raise StoreError(f"No reader has sent quarter-hours of {meter_id} yet. The first one that does gets it.")
        former = claims[-1]
        if former.reader != to:
            since_s = max(now_s, former.since_s + 1)
            connection.execute(insert(meter_reader).values(meter=number, since_s=since_s, reader=to))
        return former.reader


def _reader_names(connection: Connection) -> list[str]:
    """Of readers that have sent a status or have a meter."""
    names = select(reader.c.name).union(select(meter_reader.c.reader))
    return sorted(connection.scalars(names))
