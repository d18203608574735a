"""What an import would change: a plan, made before anything is written.

A boundary that history has stays as it is. A new one must fit between its neighbours, those of history and of the
file: in order of time neither epoch nor counter goes back.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.history.model.records import QUARTER_S, EpochStart, MeterInfo, QuarterReading, quarter_of
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.store import Store
from iskra_server.history.transfer.file_rows import BadRow, RecordRow
from iskra_server.meter.obis import Obis

SHOWN = 20
STEP = 5_000
# boundaries compared at once, so that a long history is never in memory as a whole
_AT_ONCE = 10_000
_Rank = tuple[int, Decimal]


class ImportPlan(Struct, frozen=True):
    """`records` are new; `already` are there and the same, `different` are there and stay as they are.

    `bad` are the first lines that are wrong, of `bad_count`.
    """

    records: tuple[QuarterReading | EpochStart, ...]
    already: int
    different: int
    bad: tuple[BadRow, ...]
    bad_count: int


def plan_import(
    history: Reads, meter_id: str, rows: Iterable[RecordRow | BadRow], *, own_epochs: bool, now_s: float
) -> ImportPlan:
    """Compare rows with history. Raises StoreError.

    `own_epochs`: rows carry their epochs, else each gets the one of its time. Nothing after `now_s` (Unix seconds) is
    taken: the ledger writes no boundary before its last one.
    """
    draft = _Draft()
    quarter_readings: dict[Obis, list[RecordRow]] = defaultdict(list)
    starts: dict[Obis, list[RecordRow]] = defaultdict(list)
    for row in rows:
        if isinstance(row, BadRow):
            draft.refuse(row.line, row.reason)
        elif _at_s(row.record) > now_s:
            draft.refuse(row.line, "it lies in the future")
        else:
            (quarter_readings if isinstance(row.record, QuarterReading) else starts)[row.record.obis].append(row)
    for obis in sorted(quarter_readings.keys() | starts.keys()):
        known = history.epochs(meter_id, obis)
        series = _Series(history, meter_id, obis, draft)
        if own_epochs:
            known = series.take_starts(starts[obis], known)
        series.take(_with_epochs(quarter_readings[obis], known, given=own_epochs, draft=draft))
    return draft.plan()


def carry_out(store: Store, plan: ImportPlan, meter: MeterInfo, advance: Callable[[int], None]) -> None:
    """Write the new records of a plan; `advance` hears how many each step wrote. Raises StoreError."""
    # an epoch before the boundaries that it explains
    records = sorted(plan.records, key=lambda record: isinstance(record, QuarterReading))
    for first in range(0, len(records), STEP):
        some = records[first : first + STEP]
        store.write(some, [_seen(meter, some)])
        advance(len(some))


def _seen(meter: MeterInfo, records: Sequence[QuarterReading | EpochStart]) -> MeterInfo:
    """The meter as it was seen by these records."""
    times = [record.at_s if isinstance(record, EpochStart) else record.quarter * QUARTER_S for record in records]
    return MeterInfo(meter.meter_id, meter.server_id, meter.simulated, min(times), max(times))


class _Draft:
    """A plan while it is made."""

    def __init__(self) -> None:
        self.records: list[QuarterReading | EpochStart] = []
        self.already = self.different = 0
        self._bad: list[BadRow] = []
        self._bad_count = 0

    def refuse(self, line: int, reason: str) -> None:
        self._bad_count += 1
        if len(self._bad) < SHOWN:
            self._bad.append(BadRow(line, reason))

    def plan(self) -> ImportPlan:
        bad = tuple(sorted(self._bad, key=lambda each: each.line))
        return ImportPlan(tuple(self.records), self.already, self.different, bad, self._bad_count)


class _Series:
    """One register of the meter."""

    def __init__(self, history: Reads, meter_id: str, obis: Obis, draft: _Draft) -> None:
        self._history = history
        self._meter_id = meter_id
        self._obis = obis
        self._draft = draft

    def take_starts(self, rows: Sequence[RecordRow], known: Sequence[EpochStart]) -> list[EpochStart]:
        """All epochs, those of history and those of the file that fit."""
        epochs = {start.epoch: start for start in known}
        for row in rows:
            start = row.record
            assert isinstance(start, EpochStart)
            there = epochs.get(start.epoch)
            if there is not None:
                self._count(_same_start(there, start))
            elif reason := self._misplaced(start, epochs.values()):
                self._draft.refuse(row.line, reason)
            else:
                epochs[start.epoch] = start
                self._draft.records.append(start)
        return list(epochs.values())

    def take(self, rows: Iterable[RecordRow]) -> None:
        in_time = sorted(rows, key=lambda row: _quarter_reading(row).quarter)
        # what the file itself had last, where history has nothing later
        last: QuarterReading | None = None
        for first in range(0, len(in_time), _AT_ONCE):
            last = self._take_some(in_time[first : first + _AT_ONCE], last)

    def _take_some(self, rows: Sequence[RecordRow], last: QuarterReading | None) -> QuarterReading | None:
        there = self._around(_quarter_reading(rows[0]).quarter, _quarter_reading(rows[-1]).quarter)
        quarters = [known.quarter for known in there]
        for row in rows:
            new = _quarter_reading(row)
            place = bisect_left(quarters, new.quarter)
            before, after = there[place - 1] if place else None, there[place] if place < len(there) else None
            if after is not None and after.quarter == new.quarter:
                self._count(_rank(after) == _rank(new))
            elif last is not None and last.quarter == new.quarter:
                self._repeated(row, last)
            elif reason := _unfit(new, before, after) or _unfit(new, last, None):
                self._draft.refuse(row.line, reason)
            else:
                self._draft.records.append(new)
                last = new
        return last

    def _around(self, first: int, end: int) -> list[QuarterReading]:
        """The boundaries of history from the one before a stretch to the one after it."""
        where = (self._meter_id, self._obis)
        before, after = self._history.nearest_before(*where, first), self._history.nearest_after(*where, end)
        inside = self._history.quarter_readings_between(*where, first, end + 1)
        return [each for each in (before, *inside, after) if each is not None]

    def _repeated(self, row: RecordRow, last: QuarterReading) -> None:
        if _rank(_quarter_reading(row)) == _rank(last):
            self._draft.already += 1
        else:
            self._draft.refuse(row.line, "the file has another value for the same time")

    def _misplaced(self, start: EpochStart, others: Iterable[EpochStart]) -> str | None:
        """Why history cannot take an epoch where the file has it."""
        quarter = quarter_of(start.at_s)
        before = self._history.nearest_before(self._meter_id, self._obis, quarter + 1)
        after = self._history.nearest_after(self._meter_id, self._obis, quarter)
        is_crossed = any((other.epoch < start.epoch) != (other.at_s <= start.at_s) for other in others)
        if is_crossed or (before and before.epoch >= start.epoch) or (after and after.epoch < start.epoch):
            return f"history counts its epochs otherwise: epoch {start.epoch} cannot begin there"
        return None

    def _count(self, is_same: bool) -> None:
        self._draft.already += is_same
        self._draft.different += not is_same


def _with_epochs(
    rows: Iterable[RecordRow], epochs: Sequence[EpochStart], *, given: bool, draft: _Draft
) -> Iterator[RecordRow]:
    """Each boundary with the epoch of its time, or with its own where the beginning of that is known."""
    numbers = {0, *(start.epoch for start in epochs)}
    for row in rows:
        new = _quarter_reading(row)
        if not given:
            epoch = max((start.epoch for start in epochs if start.at_s <= new.quarter * QUARTER_S), default=0)
            yield RecordRow(row.line, replace(new, epoch=epoch))
        elif new.epoch in numbers:
            yield row
        else:
            draft.refuse(row.line, f"nothing says where epoch {new.epoch} begins")


def _at_s(record: QuarterReading | EpochStart) -> int:
    return record.at_s if isinstance(record, EpochStart) else record.quarter * QUARTER_S


def _unfit(new: QuarterReading, before: QuarterReading | None, after: QuarterReading | None) -> str | None:
    rank = _rank(new)
    if before is not None and rank < _rank(before):
        return f"{_shown(new)} is less than {_shown(before)} before it"
    if after is not None and rank > _rank(after):
        return f"{_shown(new)} is more than {_shown(after)} after it"
    return None


def _quarter_reading(row: RecordRow) -> QuarterReading:
    assert isinstance(row.record, QuarterReading)
    return row.record


def _rank(quarter_reading: QuarterReading) -> _Rank:
    """What never goes back."""
    return quarter_reading.epoch, quarter_reading.value.decimal


def _shown(quarter_reading: QuarterReading) -> str:
    epoch = f" of epoch {quarter_reading.epoch}" if quarter_reading.epoch else ""
    return f"{quarter_reading.value.decimal:f} Wh{epoch}"


def _same_start(one: EpochStart, other: EpochStart) -> bool:
    return (one.at_s, one.after.decimal, one.before and one.before.decimal) == (
        other.at_s,
        other.after.decimal,
        other.before and other.before.decimal,
    )
