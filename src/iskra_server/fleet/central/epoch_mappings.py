"""Rows of the table epoch_origin: which epoch of the central server each epoch of a reader's history is."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, select

from iskra_server.history.store.batches import batches
from iskra_server.history.store.bulk import insert_all, one_of
from iskra_server.history.store.schema import ALWAYS, epoch_origin
from iskra_server.history.store.store import Store


class EpochMapping(Struct):
    """A row of epoch_origin without its series; `ledger` is HISTORY@READER."""

    ledger: str
    ledger_epoch: int
    epoch: int
    has_start: bool = False
    from_quarter: int = ALWAYS

    @property
    def reader(self) -> str:
        return self.ledger.partition("@")[2]


def find_mapping(mappings: Iterable[EpochMapping], ledger: str, number: int) -> EpochMapping | None:
    return next((each for each in mappings if (each.ledger, each.ledger_epoch) == (ledger, number)), None)


def read_mappings(connection: Connection, series: Collection[int]) -> dict[int, list[EpochMapping]]:
    """By series; those without any are absent."""
    numbers, found = sorted(series), dict[int, list[EpochMapping]]()
    for batch in batches(numbers):
        chosen = one_of(connection, epoch_origin.c.series, batch)
        for row in connection.execute(select(epoch_origin).where(chosen)):
            mapping = EpochMapping(row.ledger, row.ledger_epoch, row.epoch, row.has_start, row.from_quarter)
            found.setdefault(row.series, []).append(mapping)
    return found


def write_mappings(store: Store, connection: Connection, changed: Mapping[int, Sequence[EpochMapping]]) -> None:
    """Insert or change rows, by series."""
    rows: list[dict[str, Any]] = [
        {"series": series, **asdict(mapping)} for series, mappings in changed.items() for mapping in mappings
    ]
    if not rows:
        return
    statement = store.insert(epoch_origin)
    values = {name: statement.excluded[name] for name in ("epoch", "has_start", "from_quarter")}
    key = list(epoch_origin.primary_key.columns.keys())
    insert_all(connection, statement.on_conflict_do_update(index_elements=key, set_=values), rows)
