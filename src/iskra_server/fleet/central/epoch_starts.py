"""Where the epochs of one counter start, so that between two rows no energy is below zero and no restart counts twice.

    row 100     start 112 -> 0     row 6       From row to row the counter runs through the starts that readers saw:
     |-----------------x------------|          12 Wh before this one and 6 Wh after it. Where a row is below the one
                                               before and nobody saw a start, it restarted there: that step counts 0.

A start that a reader saw stays in the database. Where rows and starts would count something else than the steps above,
another start at the later row corrects it: that of the row's epoch if no reader saw it, else one of an epoch without
rows. Corrections are computed anew whenever rows or starts come, so the order in which those of one reader come does
not matter. With several readers and several restarts it can: a correction replaces what a reader saw before a restart.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import chain, count, pairwise

from msgspec.structs import replace

from iskra_server.fleet.central.counter_rows import CounterRows, StoredRow
from iskra_server.fleet.central.epoch_mappings import EpochMapping, find_mapping
from iskra_server.history.model.records import HOURLY_WITHIN_S, QUARTER_S, EpochStart, Exact
from iskra_server.history.store.schema import ALWAYS
from iskra_server.meter.obis import Obis

_HOUR_S = int(HOURLY_WITHIN_S)


class EpochStarts:
    """`written` are the starts that were changed, as they were and as they are: the days of both have changed."""

    def __init__(self, rows: CounterRows, mappings: Sequence[EpochMapping], meter_id: str, obis: Obis) -> None:
        self._rows, self._mappings = rows, mappings
        self._meter_id, self._obis = meter_id, obis
        self.written: list[EpochStart] = []

    @property
    def _starts(self) -> Mapping[int, EpochStart]:
        return self._rows.starts(self._meter_id, self._obis)

    def free_number(self, wanted: int = 0) -> int:
        """The wanted one, else the next free one, as a wrong reader may have used the last number of the column."""
        # where one started is known even if its mapping has got another number since
        used = {mapping.epoch for mapping in self._mappings} | self._starts.keys()
        return next(number for number in chain((wanted,), count()) if number not in used)

    def stored_as(self, start: EpochStart, own: int | None = None) -> list[int]:
        """The epochs that a reader saw start with the same reading; `before` may have been corrected.

        `own` is the number that its history has for it: that start may have been moved by more than an hour.
        """
        same = []
        for number, stored in self._starts.items():
            if stored.after != start.after or (number != own and abs(stored.at_s - start.at_s) > _HOUR_S):
                continue
            # where one is moved, both are
            of_number = replace(start, epoch=number)
            owner = self._owner(number)
            moved = self._between_its_rows(of_number, owner) if owner else of_number
            expected = self._between_its_rows(stored, owner) if owner else stored
            if moved and expected and moved.at_s == expected.at_s:
                same.append(number)
        return same

    def keep(self, start: EpochStart, mapping: EpochMapping) -> None:
        """Of several readers that saw one restart, the first one says what the counter showed."""
        start = replace(start, epoch=mapping.epoch)
        if start.before is None:
            # what the counter showed before is in the row before
            if mapping.epoch not in self._starts:
                self._write(start)
            return
        owner = self._owner(mapping.epoch)
        moved = self._between_its_rows(start, mapping)
        if owner is mapping or moved is None:
            return
        if owner is None or _first(moved) < _first(self._starts[mapping.epoch]):
            for other in self._mappings:
                if other.epoch == mapping.epoch:
                    other.has_start = other is mapping
            self._write(moved)

    def renumber(self, mapping: EpochMapping, number: int) -> None:
        """Go on in an epoch of a history with another number, under which its start is known from now on."""
        if mapping.has_start:
            self._write(replace(self._starts[mapping.epoch], epoch=number))
        mapping.epoch, mapping.from_quarter = number, ALWAYS

    def correct(self, added: Iterable[Sequence[int]]) -> None:
        """After rows of these quarters, in order, were added or changed, or starts kept."""
        added = [quarters for quarters in added if quarters]
        changed_s = [*(quarters[0] * QUARTER_S for quarters in added), *(start.at_s for start in self.written)]
        if not changed_s or (not self._starts and len({mapping.epoch for mapping in self._mappings}) < 2):
            return
        pairs: dict[int, tuple[StoredRow, StoredRow]] = {}
        times = sorted(start.at_s for start in self._starts.values())
        for quarters in added:
            first, last, chosen = quarters[0], quarters[-1], set(quarters)
            rows = [self._rows.before(first), *self._rows.between(first, last), self._rows.after(last)]
            for before, row in pairwise(filter(None, rows)):
                has_start = bisect_right(times, _time(before)) < bisect_right(times, _time(row))
                is_added = not chosen.isdisjoint((before.quarter, row.quarter))
                if is_added and (has_start or before.epoch != row.epoch):
                    pairs[row.quarter] = before, row
        # what is earlier does not depend on it
        later = [start for start in self._starts.values() if start.at_s >= min(changed_s) - _HOUR_S]
        for start in later:
            self._move_between_its_rows(start)
        for at_s in {start.at_s for start in (*later, *self.written)}:
            quarter = -(-at_s // QUARTER_S)
            beside = self._rows.before(quarter), self._rows.after(quarter - 1)
            if beside[0] and beside[1]:
                pairs[beside[1].quarter] = beside[0], beside[1]
        for _, pair in sorted(pairs.items()):
            self._correct_step(*pair)

    def _owner(self, number: int) -> EpochMapping | None:
        """The reader's epoch whose start is the one in the database."""
        return next((mapping for mapping in self._mappings if mapping.epoch == number and mapping.has_start), None)

    def _is_seen(self, number: int) -> bool:
        """Whether a reader saw it start; an epoch of a copied card has rows, and its mapping has another number now."""
        is_mapped = any(mapping.epoch == number for mapping in self._mappings)
        return self._owner(number) is not None if is_mapped else self._rows.after(-1, number) is not None

    def _earlier(self, mapping: EpochMapping) -> EpochMapping | None:
        """The epoch before in the same history."""
        return find_mapping(self._mappings, mapping.ledger, mapping.ledger_epoch - 1)

    def _between_its_rows(self, start: EpochStart, mapping: EpochMapping) -> EpochStart | None:
        """The clock of a reader may be set near a restart: then it is moved behind the last row of the epoch before and
        to the first one of its own. None where that row is of another reader, and this one saw the restart late.
        """
        first = self._rows.after(-1, start.epoch)
        if first and _time(first) < start.at_s:
            return replace(start, at_s=_time(first)) if start.after.decimal <= first.wh else None
        if earlier := self._earlier(mapping):
            end = (start.at_s + _HOUR_S) // QUARTER_S + 1
            last = self._rows.before(min(end, first.quarter) if first else end, earlier.epoch)
            if last and _time(last) >= start.at_s:
                return replace(start, at_s=_time(last) + 1)
        return start

    def _move_between_its_rows(self, start: EpochStart) -> None:
        if owner := self._owner(start.epoch):
            if moved := self._between_its_rows(start, owner):
                self._write(moved)
                return
            owner.has_start = False
        first = self._rows.after(-1, start.epoch)
        if first and first.quarter * QUARTER_S != start.at_s and not self._is_seen(start.epoch):
            # a correction counts at the first row of its epoch
            self._write(replace(start, at_s=_time(first), before=first.value, after=first.value))

    def _correct_step(self, before: StoredRow, row: StoredRow) -> None:
        inside = sorted(
            (start for start in self._starts.values() if _time(before) < start.at_s <= _time(row)), key=_place
        )
        seen = [start for start in inside if self._is_seen(start.epoch)]
        corrections = [start for start in inside if start not in seen]
        seen = self._correct_late(before, row, seen, corrections)
        counted = row.wh - before.wh + sum((_fall(start) for start in seen), Decimal(0))
        missing = self._energy(before, row, seen) - counted
        own = row.epoch if self._is_first_unseen(row) else None
        number = next((start.epoch for start in corrections if not self._history_epochs(start.epoch)), None)
        number = number if own is None else own
        for start in corrections:
            if start.before is not None and (start.epoch != number or not missing):
                self._write(replace(start, before=row.value, after=row.value))
        if missing:
            fell_from = max(row.wh + missing, Decimal(0))
            values = (_exact(value, before.value, row.value) for value in (fell_from, fell_from - missing))
            number = self.free_number() if number is None else number
            self._write(EpochStart(self._meter_id, self._obis, number, _time(row), *values))

    def _correct_late(
        self, before: StoredRow, row: StoredRow, seen: Sequence[EpochStart], corrections: Sequence[EpochStart]
    ) -> list[EpochStart]:
        """What a counter showed before another restart says nothing of this one, if there was one at all."""
        late: list[EpochStart] = []
        for start in seen:
            # the corrections of this step are computed anew from what is seen
            if self._is_seen_late(start, (*corrections, *late)):
                late.append(start)
        others = [start for start in seen if start not in late]
        if min(_steps(before, row, others)) >= 0:
            for start in late:
                self._write(replace(start, before=start.after))
            return others
        shown, corrected = before.value, []
        for start in seen:
            corrected.append(replace(start, before=shown) if start in late else start)
            self._write(corrected[-1])
            shown = start.after
        return corrected

    def _energy(self, before: StoredRow, row: StoredRow, seen: Sequence[EpochStart]) -> Decimal:
        """Between two rows, with the starts in between that readers saw."""
        if not seen and self._is_first_unseen(row) and 0 not in self._history_epochs(row.epoch):
            # its reader knows that it restarted, but not what it showed before
            return Decimal(0)
        return sum((max(step, Decimal(0)) for step in _steps(before, row, seen)), Decimal(0))

    def _is_seen_late(self, start: EpochStart, uncounted: Sequence[EpochStart]) -> bool:
        """Whether the counter has restarted since its reader last saw it, and before this start.

        `uncounted` are those of the same step that say nothing of that.
        """
        owner = self._owner(start.epoch)
        earlier = self._earlier(owner) if owner else None
        if earlier is None:
            # not known yet
            return False
        last, known = self._rows.before(-(-start.at_s // QUARTER_S), earlier.epoch), self._starts.get(earlier.epoch)
        since_s = max(_time(last) if last else 0, known.at_s if known else 0)
        return any(
            since_s < other.at_s
            and other not in uncounted
            and _place(other) < _place(start)
            and not self._is_of_history(other, owner)
            and self._is_restart(other)
            for other in self._starts.values()
        )

    def _is_of_history(self, start: EpochStart, mapping: EpochMapping | None) -> bool:
        """No reader sees one restart twice; a clock that was set may change the order of two."""
        owner = self._owner(start.epoch)
        return bool(owner and mapping and owner.ledger == mapping.ledger)

    def _is_restart(self, start: EpochStart) -> bool:
        """Steps are corrected in order of time, so those before count already what they shall."""
        return _fall(start) > 0 or (_fall(start) < 0 and self._is_seen(start.epoch))

    def _is_first_unseen(self, row: StoredRow) -> bool:
        return not self._is_seen(row.epoch) and self._rows.before(row.quarter, row.epoch) is None

    def _history_epochs(self, number: int) -> list[int]:
        return [mapping.ledger_epoch for mapping in self._mappings if mapping.epoch == number]

    def _write(self, start: EpochStart) -> None:
        stored = self._starts.get(start.epoch)
        if self._rows.write_start(start):
            self.written += (start,) if stored is None else (stored, start)


def _time(row: StoredRow) -> int:
    return row.quarter * QUARTER_S


def _place(start: EpochStart) -> tuple[int, int]:
    return start.at_s, start.epoch


def _first(start: EpochStart) -> tuple[int, Decimal]:
    """For comparison: the earlier one; of two moved to one row that whose reader was nearer to the restart."""
    return start.at_s, -_fall(start)


def _fall(start: EpochStart) -> Decimal:
    return start.before.decimal - start.after.decimal if start.before else Decimal(0)


def _steps(before: StoredRow, row: StoredRow, starts: Iterable[EpochStart]) -> list[Decimal]:
    """The energy from the row to the first start, from that to the next, and so on to the other row."""
    steps, shown = [], before.wh
    for start in starts:
        steps.append(start.before.decimal - shown if start.before else Decimal(0))
        shown = start.after.decimal
    return [*steps, row.wh - shown]


def _exact(value: Decimal, *known: Exact) -> Exact:
    """That one of the known ones, if it has the value."""
    scaler = int(value.as_tuple().exponent)
    found = next((each for each in known if each.decimal == value), None)
    return found or Exact(int(value.scaleb(-scaler)), scaler)
