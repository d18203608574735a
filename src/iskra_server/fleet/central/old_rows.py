"""What a central server does not keep for ever, deleted in portions: a statement may take 30 s."""

from sqlalchemy import ColumnElement, Table, delete, select, tuple_

from iskra_server.history.store.schema import conflict, refused
from iskra_server.history.store.store import Store

# a refused message is kept over a whole billing year
KEEP_REFUSED_DAYS = 400
# of one transaction; a refused message may have 1 MB
_PORTION = 1_000


def delete_conflicts(store: Store, before: int) -> int:
    """Delete values that differ, of quarters before one; returns how many. Raises StoreError."""
    return _delete(store, conflict, conflict.c.quarter < before)


def delete_refused(store: Store, before_s: float) -> int:
    """Delete refused messages that arrived before a moment; returns how many. Raises StoreError."""
    return _delete(store, refused, refused.c.at_s < before_s)


def _delete(store: Store, table: Table, is_old: ColumnElement[bool]) -> int:
    key = table.primary_key.columns
    portion = select(*key).where(is_old).order_by(*key).limit(_PORTION)
    deleted, count = 0, _PORTION
    while count == _PORTION:
        with store.transaction() as connection:
            count = connection.execute(delete(table).where(tuple_(*key).in_(portion))).rowcount
        deleted += count
    return deleted
