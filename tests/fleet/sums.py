"""Sums of one register, and the marks of roll-ups, as the tests ask for them."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import ColumnElement, Select, func, select

from iskra_server.fleet.central import group_sums, rollups
from iskra_server.fleet.central.group_sums import GroupEnergy
from iskra_server.fleet.central.label_periods import Group, Within
from iskra_server.fleet.central.rollups import BucketEnergy
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.schema import rollup_due, rollup_state
from iskra_server.meter.obis import Obis


def group_energy(
    reads: Reads, group: Group, obis: Obis, edges: Sequence[int], within: Within = None, *, until: int
) -> GroupEnergy:
    return group_sums.group_energies(reads, group, [obis], edges, within, until=until)[0]


def rolled_up_energy(reads: Reads, members: Select[Any], obis: Obis, edges: Sequence[int]) -> list[BucketEnergy | None]:
    return rollups.group_energies(reads, members, [obis], edges)[obis]


def due_count(reads: Reads) -> tuple[int, int | None]:
    """How many marks of days and months that are over wait, and the quarter in which the oldest begins."""
    is_over = rollup_due.c.end_quarter <= select(rollup_state.c.open_quarter).scalar_subquery()
    columns: list[ColumnElement[Any]] = [
        func.count().label("marks"),
        func.min(rollup_due.c.begin_quarter).label("first"),
    ]
    row = reads.query(select(*columns).where(is_over))[0]
    return row.marks, row.first


def count_statements(monkeypatch: pytest.MonkeyPatch) -> list[Select[Any]]:
    """The statements that are asked from now on, as they come."""
    asked: list[Select[Any]] = []
    ask = Reads.query

    def query(self: Reads, statement: Select[Any]) -> Sequence[Any]:
        asked.append(statement)
        return ask(self, statement)

    monkeypatch.setattr(Reads, "query", query)
    return asked
