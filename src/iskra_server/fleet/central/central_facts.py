"""Reads the facts of a central server from its database: a few counts, without reading quarters."""

import time
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, and_, case, func, select

from iskra_server.diagnosis.central_state import OVERDUE_S, CentralFacts
from iskra_server.fleet.central.answers import SILENT_S
from iskra_server.fleet.central.reader_problems import last_state
from iskra_server.history.store.partitions import months_left
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.schema import conflict, live, meter, reader, refused
from iskra_server.history.store.store import Store

_DAY_S = 86_400
# a meter that was taken down, or a reader that was given away, is no fault for ever
GONE_S = 30 * _DAY_S


def central_facts(store: Store, now_s: float | None = None) -> CentralFacts:
    """Raises StoreError."""
    now_s = int(time.time() if now_s is None else now_s)
    meters, readers = _meters(store, now_s), _readers(store, now_s)
    conflicts, refusals = (_with_last_day(store, table.c.at_s, now_s) for table in (conflict, refused))
    last_s = max(filter(None, (meters.last_s, readers.last_s)), default=None)
    return CentralFacts(
        at=datetime.fromtimestamp(now_s, UTC),
        meters=meters.present,
        silent_meters=meters.silent,
        gone_meters=meters.all - meters.present,
        readers=readers.present,
        silent_readers=readers.silent,
        gone_readers=readers.all - readers.present,
        failing_readers=readers.failing,
        waiting_readers=readers.overdue,
        waiting_quarters=None if readers.waiting is None else int(readers.waiting),
        refused_quarters=None if readers.refused is None else int(readers.refused),
        conflicts=conflicts[0],
        conflicts_last_day=conflicts[1],
        refused_messages=refusals[0],
        refused_last_day=refusals[1],
        last_message=None if last_s is None else datetime.fromtimestamp(last_s, UTC),
        months_left=_months_left(store, now_s),
        **_examples(store, now_s, readers, refusals[1]),
    )


def _months_left(store: Store, now_s: int) -> int | None:
    with store.transaction(write=False) as connection:
        return months_left(connection, now_s) if connection.dialect.name == "postgresql" else None


def _meters(reads: Reads, now_s: int) -> Any:
    """Of the meters that were not replaced, by when something was last received of them."""
    is_used = meter.c.replaced_by.is_(None)
    columns: list[ColumnElement[Any]] = [
        func.count().label("all"),
        _count(and_(is_used, live.c.at_s >= now_s - GONE_S)).label("present"),
        _count(and_(is_used, _is_silent(live.c.at_s, now_s))).label("silent"),
        func.max(live.c.at_s).label("last_s"),
    ]
    return reads.query(select(*columns).select_from(live.join(meter, meter.c.id == live.c.meter)))[0]


def _readers(reads: Reads, now_s: int) -> Any:
    is_present = reader.c.at_s >= now_s - GONE_S
    columns: list[ColumnElement[Any]] = [
        func.count().label("all"),
        _count(is_present).label("present"),
        _count(_is_silent(reader.c.at_s, now_s)).label("silent"),
        _count(_is_failing(now_s)).label("failing"),
        _count(_is_overdue(now_s)).label("overdue"),
        func.max(reader.c.at_s).label("last_s"),
        func.sum(reader.c.waiting).filter(is_present).label("waiting"),
        func.sum(reader.c.refused).filter(is_present).label("refused"),
    ]
    return reads.query(select(*columns))[0]


def _with_last_day(reads: Reads, at_s: Column[int], now_s: int) -> tuple[int, int]:
    """The rows of a table, and those of the last day."""
    columns: list[ColumnElement[Any]] = [func.count().label("all"), _count(at_s >= now_s - _DAY_S).label("last_day")]
    row = reads.query(select(*columns).select_from(at_s.table))[0]
    return int(row.all), int(row.last_day)


def _examples(reads: Reads, now_s: int, readers: Any, refused_last_day: int) -> dict[str, Any]:
    """The reader that is named in the sentence of a fault, and the reason of the newest refusal."""
    examples: dict[str, Any] = {}
    if readers.silent:
        silent = select(reader).where(_is_silent(reader.c.at_s, now_s)).order_by(reader.c.at_s)
        for row in reads.query(silent.limit(1)):
            examples["silent_reader"] = row.name
    if readers.failing:
        failing = select(reader).where(_is_failing(now_s)).order_by(reader.c.name)
        for row in reads.query(failing.limit(1)):
            german = str(last_state(row.sentence, row.status).de)
            examples |= {"failing_reader": row.name, "failing_sentence": row.sentence, "failing_sentence_de": german}
    if readers.overdue:
        overdue = select(reader).where(_is_overdue(now_s)).order_by(reader.c.oldest_s, reader.c.name)
        for row in reads.query(overdue.limit(1)):
            examples["waiting_reader"] = row.name
    skewed = select(reader).where(reader.c.skew_s.is_not(None), reader.c.at_s >= now_s - SILENT_S)
    for row in reads.query(skewed.order_by(func.abs(reader.c.skew_s).desc()).limit(1)):
        examples |= {"skewed_reader": row.name, "skew_s": row.skew_s}
    if refused_last_day:
        newest = select(refused).order_by(refused.c.id.desc()).limit(1)
        for row in reads.query(newest):
            examples["refused_reason"] = row.reason
    return examples


def _is_silent(at_s: ColumnElement[int], now_s: int) -> ColumnElement[bool]:
    return at_s.between(now_s - GONE_S, now_s - SILENT_S - 1)


def _is_failing(now_s: int) -> ColumnElement[bool]:
    return and_(reader.c.ok.is_(False), reader.c.at_s >= now_s - SILENT_S)


def _is_overdue(now_s: int) -> ColumnElement[bool]:
    """Of a reader with refused quarter-hours the oldest may be one of these."""
    is_waiting = and_(reader.c.waiting > 0, func.coalesce(reader.c.refused, 0) == 0)
    return and_(is_waiting, reader.c.oldest_s < now_s - OVERDUE_S, reader.c.at_s >= now_s - SILENT_S)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
