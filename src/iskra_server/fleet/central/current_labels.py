"""Which labels meters have at a moment: who is in a group now. label_periods.py says it of a time.

Meters that were replaced have none: their successors have their labels, where they have none of that kind.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, and_, select

from iskra_server.fleet.central.label_periods import Group, Within, of_groups, replaced_meters
from iskra_server.history.store.schema import label, meter


def labels_at(quarter: int, condition: ColumnElement[bool], of: Collection[int] | None = None) -> Select[Any]:
    """Meter, kind and value of the labels that hold in a quarter and fulfil a condition; `of`: of these meters."""
    own, inherited = own_labels_at(quarter, condition), inherited_labels_at(quarter, condition)
    if of is not None:
        own, inherited = (part.where(part.selected_columns.meter.in_(of)) for part in (own, inherited))
    return select(own.union_all(inherited).subquery())


def own_labels_at(quarter: int, condition: ColumnElement[bool]) -> Select[Any]:
    """Those of `labels_at` that a meter has itself."""
    columns = label.c.meter, label.c.kind, label.c.value
    return select(*columns).where(_holds(quarter), condition, label.c.meter.not_in(replaced_meters()))


def inherited_labels_at(quarter: int, condition: ColumnElement[bool]) -> Select[Any]:
    """Those of `labels_at` that a meter has from one that it replaced, directly or not: few."""
    passed = (
        select(meter.c.replaced_by.label("meter"), label.c.kind, label.c.value)
        .join_from(label, meter)
        .where(_holds(quarter), condition, meter.c.replaced_by.is_not(None), label.c.meter.in_(replaced_meters()))
        .cte(recursive=True)
    )
    onwards = (
        select(meter.c.replaced_by, passed.c.kind, passed.c.value)
        .join(passed, meter.c.id == passed.c.meter)
        .where(meter.c.replaced_by.is_not(None), ~_has_own(passed))
    )
    passed = passed.union(onwards)
    return select(passed).where(passed.c.meter.not_in(replaced_meters()), ~_has_own(passed)).distinct()


def _holds(quarter: int) -> ColumnElement[bool]:
    return and_(label.c.from_quarter <= quarter, label.c.to_quarter > quarter)


def _has_own(passed: CTE) -> ColumnElement[bool]:
    """Whether the meter that a label was passed on to has one of that kind, at whatever time."""
    return select(label.c.meter).where(label.c.meter == passed.c.meter, label.c.kind == passed.c.kind).exists()


def members_at(quarter: int, group: Group, within: Within = None) -> Select[Any]:
    """The meters that are in a group in a quarter."""
    members = select(labels_at(quarter, of_groups(group)).subquery().c.meter)
    return members if within is None else members.intersect(visible_at(quarter, within)).subquery().select()


def visible_at(quarter: int, within: Sequence[Group]) -> Select[Any]:
    """The meters of any of these groups in a quarter."""
    return select(labels_at(quarter, of_groups(*within)).subquery().c.meter)
