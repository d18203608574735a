"""Rows of the table epoch_origin: which epoch of the central server each epoch of a reader's history is."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Row, select

from iskra_server.history.model.records import Exact, quarter_from
from iskra_server.history.store.batches import batches
from iskra_server.history.store.bulk import insert_all, one_of
from iskra_server.history.store.schema import ALWAYS, epoch_origin
from iskra_server.history.store.store import Store


class SeenStart(Struct, frozen=True):
    """An epoch started, as its reader saw it: the counter showed `before` last, if that is known, and `after` first."""

    at_s: int
    before: Exact | None
    after: Exact

    @property
    def key(self) -> tuple[int, Exact]:
        """The same for one start that comes again, also under another name of its reader."""
        return self.at_s, self.after

    @property
    def first_quarter(self) -> int:
        """The first row after it is of this quarter, or of a later one."""
        return quarter_from(self.at_s)


class EpochMapping(Struct):
    """A row of epoch_origin without its series; `ledger` is HISTORY@READER."""

    ledger: str
    ledger_epoch: int
    epoch: int
    start: SeenStart | None = None
    from_quarter: int = ALWAYS

    @property
    def reader(self) -> str:
        return self.ledger.partition("@")[2]

    @property
    def history(self) -> str:
        """The same under every name of its reader and for each copy; readers of the first protocol name none."""
        ledger = self.ledger.removeprefix(f"{self.epoch}-")
        return ledger.partition("@")[0] or ledger


def find_mapping(mappings: Iterable[EpochMapping], ledger: str, number: int) -> EpochMapping | None:
    return next((each for each in mappings if (each.ledger, each.ledger_epoch) == (ledger, number)), None)


def of_copies(mappings: Iterable[EpochMapping], mapping: EpochMapping, number: int) -> list[EpochMapping]:
    """The epochs of a number in this history, under every name of its reader and of each of its copies."""
    return [each for each in mappings if (each.history, each.ledger_epoch) == (mapping.history, number)]


def read_mappings(connection: Connection, series: Collection[int]) -> dict[int, list[EpochMapping]]:
    """By series; those without any are absent."""
    numbers, found = sorted(series), dict[int, list[EpochMapping]]()
    for batch in batches(numbers):
        chosen = one_of(connection, epoch_origin.c.series, batch)
        for row in connection.execute(select(epoch_origin).where(chosen)):
            mapping = EpochMapping(row.ledger, row.ledger_epoch, row.epoch, _start(row), row.from_quarter)
            found.setdefault(row.series, []).append(mapping)
    return found


def write_mappings(store: Store, connection: Connection, changed: Mapping[int, Sequence[EpochMapping]]) -> None:
    """Insert or change rows, by series."""
    rows: list[dict[str, Any]] = [
        {"series": series, **_values(mapping)} for series, mappings in changed.items() for mapping in mappings
    ]
    if not rows:
        return
    statement = store.insert(epoch_origin)
    key = list(epoch_origin.primary_key.columns.keys())
    values = {column.name: column for column in statement.excluded if column.name not in key}
    insert_all(connection, statement.on_conflict_do_update(index_elements=key, set_=values), rows)


def _start(row: Row[Any]) -> SeenStart | None:
    if row.at_s is None:
        return None
    before = None if row.before_raw is None else Exact(row.before_raw, row.before_scaler)
    return SeenStart(row.at_s, before, Exact(row.after_raw, row.after_scaler))


def _values(mapping: EpochMapping) -> dict[str, Any]:
    start = mapping.start
    before, after = (start.before, start.after) if start else (None, None)
    return {
        "ledger": mapping.ledger,
        "ledger_epoch": mapping.ledger_epoch,
        "epoch": mapping.epoch,
        "at_s": start.at_s if start else None,
        "before_raw": before.raw if before else None,
        "before_scaler": before.scaler if before else None,
        "after_raw": after.raw if after else None,
        "after_scaler": after.scaler if after else None,
        "from_quarter": mapping.from_quarter,
    }
