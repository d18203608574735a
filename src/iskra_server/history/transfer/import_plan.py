"""What an import would change, found out before anything is written; and writing it.

A reading that history has already stays as it is. A new one must fit between its neighbours, those of history and of
the file: in order of time neither epoch nor counter goes back. Both are compared in one pass in order of time:

    history      100 .......... 130 ...... 140          file row   result
    file             110   120  130   125      150      110, 120   new: between 100 and 130
                                                        130        already there ("different" if it were 131)
                                                        125        bad: less than 130 before it
                                                        150        new: after 140, the last of history
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.history.model.records import QUARTER_S, EpochStart, MeterInfo, QuarterReading, quarter_of, start_s
from iskra_server.history.store.batches import batches
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.store import Store
from iskra_server.history.transfer.file_rows import BadRow, LeftOut, RecordRow
from iskra_server.meter.obis import Obis

# bad rows that are listed
SHOWN = 20
# records in one transaction: a running server hardly notices it
STEP = 5_000
# readings compared at once, so that a long history is never in memory as a whole
_BATCH = 10_000


class ImportPlan(Struct, frozen=True):
    """`records` are new, `already` are there and the same, `different` are there and stay as they are.

    `bad` are the first of `bad_count` bad rows. Of `left_out` readings no quarter reading can be made.
    """

    records: tuple[QuarterReading | EpochStart, ...]
    already: int
    different: int
    bad: tuple[BadRow, ...]
    bad_count: int
    left_out: int = 0


def plan_import(
    history: Reads, meter_id: str, rows: Iterable[RecordRow | BadRow | LeftOut], *, own_epochs: bool, now_s: float
) -> ImportPlan:
    """Compare rows with history. Raises StoreError.

    `own_epochs`: rows have epochs, else each gets the one of its time. Rows after `now_s` (Unix seconds) are bad: the
    ledger would write nothing before its last quarter.
    """
    draft = _Draft()
    readings: dict[Obis, list[RecordRow]] = defaultdict(list)
    starts: dict[Obis, list[RecordRow]] = defaultdict(list)
    for row in rows:
        if isinstance(row, BadRow):
            draft.refuse(row.line, row.reason)
        elif isinstance(row, LeftOut):
            draft.left_out += row.count
        elif start_s(row.record) > now_s:
            draft.refuse(row.line, "it lies in the future")
        else:
            (readings if isinstance(row.record, QuarterReading) else starts)[row.record.obis].append(row)
    for obis in sorted(readings.keys() | starts.keys()):
        epochs = history.epochs(meter_id, obis)
        series = _Series(history, meter_id, obis, draft)
        if own_epochs:
            epochs = series.add_starts(starts[obis], epochs)
        series.add_readings(_with_epochs(readings[obis], epochs, own_epochs=own_epochs, draft=draft))
    return draft.plan()


def carry_out(store: Store, plan: ImportPlan, meter: MeterInfo, advance: Callable[[int], None]) -> None:
    """Write the new records of a plan; it may be repeated after any step. Raises StoreError.

    `advance` is called with the number of records that each step wrote.
    """
    # an epoch before the readings that belong to it
    records = sorted(plan.records, key=lambda record: isinstance(record, QuarterReading))
    for step in batches(records, STEP):
        times = [start_s(record) for record in step]
        store.write(step, [replace(meter, first_s=min(times), last_s=max(times))])
        advance(len(step))


class _Draft:
    """A plan while it is made."""

    def __init__(self) -> None:
        self.records: list[QuarterReading | EpochStart] = []
        self.already = self.different = self.left_out = 0
        self._bad: list[BadRow] = []
        self._bad_count = 0

    def refuse(self, line: int, reason: str) -> None:
        self._bad_count += 1
        if len(self._bad) < SHOWN:
            self._bad.append(BadRow(line, reason))

    def count(self, *, is_same: bool) -> None:
        """A row that history has already."""
        self.already += is_same
        self.different += not is_same

    def plan(self) -> ImportPlan:
        bad = tuple(sorted(self._bad, key=lambda row: row.line))
        return ImportPlan(tuple(self.records), self.already, self.different, bad, self._bad_count, self.left_out)


class _Series:
    """One register of the meter: compares the rows of the file with its history."""

    def __init__(self, history: Reads, meter_id: str, obis: Obis, draft: _Draft) -> None:
        self._history = history
        self._key = (meter_id, obis)
        self._draft = draft

    def add_starts(self, rows: Sequence[RecordRow], known: Sequence[EpochStart]) -> list[EpochStart]:
        """All epochs: those of history, and those of the file that fit."""
        epochs = {start.epoch: start for start in known}
        for row in rows:
            start = row.record
            assert isinstance(start, EpochStart)
            old = epochs.get(start.epoch)
            if old is not None:
                self._draft.count(is_same=_content(old) == _content(start))
            elif reason := self._misplaced(start, epochs.values()):
                self._draft.refuse(row.line, reason)
            else:
                epochs[start.epoch] = start
                self._draft.records.append(start)
        return list(epochs.values())

    def add_readings(self, rows: Iterable[RecordRow]) -> None:
        ordered = sorted(rows, key=lambda row: _reading(row).quarter)
        last: QuarterReading | None = None
        for batch in batches(ordered, _BATCH):
            last = self._add_batch(batch, last)

    def _add_batch(self, rows: Sequence[RecordRow], last: QuarterReading | None) -> QuarterReading | None:
        """Rows in order of time; `last` is the newest reading that was taken from the file, which is returned too."""
        old = self._readings_around(_reading(rows[0]).quarter, _reading(rows[-1]).quarter)
        quarters = [reading.quarter for reading in old]
        for row in rows:
            new = _reading(row)
            # where in history the new reading belongs
            place = bisect_left(quarters, new.quarter)
            before, after = old[place - 1] if place else None, old[place] if place < len(old) else None
            if after is not None and after.quarter == new.quarter:
                self._draft.count(is_same=_rank(after) == _rank(new))
            elif last is not None and last.quarter == new.quarter:
                self._add_repeated(row, last)
            elif reason := _goes_back(new, before, after) or _goes_back(new, last, None):
                self._draft.refuse(row.line, reason)
            else:
                self._draft.records.append(new)
                last = new
        return last

    def _readings_around(self, first: int, last: int) -> list[QuarterReading]:
        """The readings of history from the one before quarter `first` to the one after quarter `last`."""
        before, after = self._history.nearest_before(*self._key, first), self._history.nearest_after(*self._key, last)
        inside = self._history.quarter_readings_between(*self._key, first, last + 1)
        return [reading for reading in (before, *inside, after) if reading is not None]

    def _add_repeated(self, row: RecordRow, last: QuarterReading) -> None:
        if _rank(_reading(row)) == _rank(last):
            self._draft.already += 1
        else:
            self._draft.refuse(row.line, "the file has another value for the same time")

    def _misplaced(self, start: EpochStart, epochs: Iterable[EpochStart]) -> str | None:
        """Why history cannot take an epoch where the file has it."""
        quarter = quarter_of(start.at_s)
        before = self._history.nearest_before(*self._key, quarter + 1)
        after = self._history.nearest_after(*self._key, quarter)
        is_crossed = any((known.epoch < start.epoch) != (known.at_s <= start.at_s) for known in epochs)
        if is_crossed or (before and before.epoch >= start.epoch) or (after and after.epoch < start.epoch):
            return f"history numbers its epochs differently: epoch {start.epoch} cannot begin there"
        return None


def _with_epochs(
    rows: Iterable[RecordRow], epochs: Sequence[EpochStart], *, own_epochs: bool, draft: _Draft
) -> Iterator[RecordRow]:
    """Each reading with the epoch of its time, or with its own where the start of that is known."""
    numbers = {0, *(start.epoch for start in epochs)}
    for row in rows:
        reading = _reading(row)
        if not own_epochs:
            epoch = max((start.epoch for start in epochs if start.at_s <= reading.quarter * QUARTER_S), default=0)
            yield RecordRow(row.line, replace(reading, epoch=epoch))
        elif reading.epoch in numbers:
            yield row
        else:
            draft.refuse(row.line, f"nothing says where epoch {reading.epoch} begins")


def _goes_back(new: QuarterReading, before: QuarterReading | None, after: QuarterReading | None) -> str | None:
    """Why a reading does not fit between its neighbours."""
    if before is not None and _rank(new) < _rank(before):
        return f"{_text(new)} is less than {_text(before)} before it"
    if after is not None and _rank(new) > _rank(after):
        return f"{_text(new)} is more than {_text(after)} after it"
    return None


def _reading(row: RecordRow) -> QuarterReading:
    assert isinstance(row.record, QuarterReading)
    return row.record


def _rank(reading: QuarterReading) -> tuple[int, Decimal]:
    """What never goes back."""
    return reading.epoch, reading.value.decimal


def _content(start: EpochStart) -> tuple[int, Decimal, Decimal | None]:
    return start.at_s, start.after.decimal, start.before.decimal if start.before else None


def _text(reading: QuarterReading) -> str:
    epoch = f" of epoch {reading.epoch}" if reading.epoch else ""
    return f"{reading.value.decimal:f} Wh{epoch}"
