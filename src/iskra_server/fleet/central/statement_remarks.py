"""What a statement says besides its numbers, in no language yet; and what the central server knows of a meter.

Values of which two differ, messages that were refused, a reader that is silent, reports a problem or has a wrong clock,
rows that were set aside: each is a remark of the statement on that meter.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import func, select

from iskra_server.fleet.central.answers import SILENT_S
from iskra_server.fleet.central.conflicts import Conflict, list_conflicts
from iskra_server.fleet.central.label_periods import MeterPeriod
from iskra_server.history.model.records import CLOCK_TOLERANCE_S, QUARTER_S
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.schema import (
    live,
    meter,
    meter_reader,
    reader,
    refused,
    set_aside,
)

RemarkKind = Literal[
    "open",
    "future",
    "no_meter",
    "no_register",
    "other_registers",
    "no_reading",
    "late_begin",
    "early_end",
    "open_gap",
    "gap",
    "more_gaps",
    "estimated",
    "replaced",
    "restarted",
    "conflict",
    "not_stored",
    "more_conflicts",
    "refused",
    "refused_unread",
    "silent",
    "reader_problem",
    "waiting",
    "clock",
    "set_aside",
    "simulated",
]
# conflicts of one meter that are listed one by one; conflicts and refused messages that are read
MAX_CONFLICTS, MAX_READ = 10, 5_000
# a message that was refused may have 1 MB; readers name the meter in its first bytes
_READ_BYTES = 1_000
_METER = re.compile(rb'"meter": ?("(?:[^"\\]|\\.)+")')


class Remark(Struct, frozen=True):
    """A sentence of a statement: its kind and what it names. Times in Unix seconds."""

    kind: RemarkKind
    begin_s: int | None = None
    end_s: int | None = None
    energies_wh: tuple[Decimal | None, ...] = ()
    count: int = 0
    of: int = 0
    names: tuple[str, ...] = ()


def central_remarks(reads: Reads, point: MeterPeriod, now_s: int, *, is_complete: bool) -> Iterator[Remark]:
    """Of one meter and the time in which it counts.

    `is_complete`: every quarter-hour of it is known, so nothing of it was refused or can still come.
    """
    begin_s, end_s = point.spans[0][0] * QUARTER_S, point.spans[-1][1] * QUARTER_S
    infos = reads.query(
        select(meter.c.id, meter.c.meter_id, meter.c.simulated).where(meter.c.meter_id.in_(point.chain))
    )
    numbers = [row.id for row in infos]
    if any(row.simulated for row in infos):
        yield Remark("simulated")
    yield from _conflicts(reads, point)
    count = reads.query(
        select(func.count())
        .select_from(set_aside)
        .where(set_aside.c.meter.in_(numbers), set_aside.c.moment_s >= begin_s, set_aside.c.moment_s < end_s)
    )[0][0]
    if count:
        yield Remark("set_aside", count=count)
    newest = next((row.id for row in infos if row.meter_id == point.meter_id), None)
    if not is_complete:
        yield from _refusals(reads, point, begin_s, _readers(reads, numbers))
    yield from _reader(reads, newest, min(end_s, now_s), is_complete=is_complete)


def _conflicts(reads: Reads, point: MeterPeriod) -> Iterator[Remark]:
    """Values that differ from the stored ones, with both; at both ends of the time too."""
    found: list[Conflict] = []
    for begin, end in point.spans:
        found += list_conflicts(reads, limit=MAX_READ, meters=point.chain, first=begin, end=end + 1)[0]
    for each in found[:MAX_CONFLICTS]:
        yield Remark(
            "not_stored" if each.kept is None else "conflict",
            begin_s=each.quarter * QUARTER_S,
            energies_wh=(each.value, each.kept),
            names=(each.reader, each.kept_reader or "", str(each.obis)),
        )
    if len(found) > MAX_CONFLICTS:
        yield Remark("more_conflicts", count=len(found) - MAX_CONFLICTS)


def _readers(reads: Reads, numbers: list[int]) -> list[str]:
    """Who sends, or sent, these meters."""
    names = {
        row.reader
        for table in (meter_reader, live)
        for row in reads.query(select(table.c.reader).where(table.c.meter.in_(numbers)))
    }
    return sorted(names)


def _refusals(reads: Reads, point: MeterPeriod, begin_s: int, readers: list[str]) -> Iterator[Remark]:
    """Messages about this meter that could not be stored, and messages of its readers that nobody can read."""
    first = func.substr(refused.c["octets"], 1, _READ_BYTES).label("first")
    statement = (
        select(refused.c.at_s, refused.c.topic, first)
        .where(refused.c.at_s >= begin_s, refused.c.topic.endswith("/quarters"))
        .order_by(refused.c.id.desc())
        .limit(MAX_READ)
    )
    own: list[int] = []
    unread: dict[str, list[int]] = {name: [] for name in readers}
    for row in reads.query(statement):
        name, sender = _refused_meter(bytes(row.first)), row.topic.split("/")[-2]
        if name in point.chain:
            own.append(row.at_s)
        elif name is None and sender in unread:
            unread[sender].append(row.at_s)
    if own:
        yield Remark("refused", count=len(own), end_s=max(own))
    for sender, times in unread.items():
        if times:
            yield Remark("refused_unread", count=len(times), end_s=max(times), names=(sender,))


def _refused_meter(first: bytes) -> str | None:
    """The meter that a refused message is about, from its first bytes; None where nobody can tell."""
    try:
        return msgspec.json.decode(named[1], type=str) if (named := _METER.search(first)) else None
    except ValueError:
        return None


def _reader(reads: Reads, number: int | None, until_s: int, *, is_complete: bool) -> Iterator[Remark]:
    """The state of the reader that sends this meter now."""
    if number is None:
        return
    for row in reads.query(select(live.c.at_s, live.c.reader).where(live.c.meter == number)):
        if not is_complete and row.at_s < until_s - SILENT_S:
            yield Remark("silent", begin_s=row.at_s, names=(row.reader,))
        # two questions, as one table lies on many nodes of a database and the other one on none of them
        for state in reads.query(select(reader).where(reader.c.name == row.reader)):
            yield from _reported(state, until_s, is_complete=is_complete)


def _reported(state: Any, until_s: int, *, is_complete: bool) -> Iterator[Remark]:
    """What a reader says of itself; the sentence of a problem may name the meters of others."""
    names = (state.name,)
    if not state.ok and not is_complete:
        yield Remark("reader_problem", names=names)
    is_old = state.oldest_s is None or state.oldest_s < until_s
    if (state.waiting or state.refused) and is_old and not is_complete:
        yield Remark("waiting", begin_s=state.oldest_s, count=state.waiting or 0, of=state.refused or 0, names=names)
    if state.skew_s is not None and abs(state.skew_s) > CLOCK_TOLERANCE_S:
        yield Remark("clock", count=state.skew_s, names=names)
