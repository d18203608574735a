"""Where the epochs of one counter start, so that between two rows no energy is below zero and no restart counts twice.

    row 100     start 112 -> 0     row 6       From row to row the counter runs through the starts that readers saw:
     |-----------------x------------|          12 Wh before this one and 6 Wh after it. Where a row is below the one
                                               before and nobody saw a start, it restarted there: that step counts 0.

What readers saw stays in the table epoch_origin. The table epoch has what counts, computed anew from that and from the
rows whenever some of either come, so their order does not matter: the starts that were seen, between the rows around
them, and corrections, each at the later row of a step. A correction has the epoch of its row if nobody saw that one
start, else an epoch without rows.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cached_property
from itertools import chain, count, pairwise

from msgspec.structs import astuple, replace

from iskra_server.fleet.central.counter_rows import CounterRows, StoredRow
from iskra_server.fleet.central.epoch_mappings import EpochMapping, SeenStart, of_copies
from iskra_server.history.model.records import HOURLY_WITHIN_S, QUARTER_S, EpochStart, Exact, quarter_from
from iskra_server.history.store.schema import ALWAYS
from iskra_server.meter.obis import Obis

_HOUR_S = int(HOURLY_WITHIN_S)


class EpochStarts:
    """`written` are the starts that were changed, as they were and as they are: the days of both have changed."""

    def __init__(self, rows: CounterRows, mappings: Sequence[EpochMapping], meter_id: str, obis: Obis) -> None:
        self._rows, self._mappings = rows, mappings
        self._meter_id, self._obis = meter_id, obis
        self._changed_s: list[int] = []
        self._placed: dict[int, tuple[SeenStart, EpochMapping] | None] = {}
        self.written: list[EpochStart] = []

    @cached_property
    def _starts(self) -> dict[int, EpochStart]:
        """By epoch: first as they are stored, then as they will be."""
        return dict(self._rows.starts(self._meter_id, self._obis))

    def free_number(self, wanted: int = 0) -> int:
        """The wanted one, else the next free one, as a wrong reader may have used the last number of the column."""
        # where one started is known even if its mapping has got another number since
        used = {mapping.epoch for mapping in self._mappings} | self._starts.keys()
        return next(number for number in chain((wanted,), count()) if number not in used)

    def seen_as(self, start: SeenStart) -> list[int]:
        """The epochs that started at the same moment with the same reading: a history may come under several names."""
        return [each.epoch for each in self._mappings if each.start and each.start.key == start.key]

    def keep(self, start: SeenStart, mapping: EpochMapping) -> None:
        """What a reader saw; it may come again, when more is known of what the counter showed before."""
        known = mapping.start
        if known is None or _nearest(start) < _nearest(known):
            mapping.start = start
            self._note_change(start, known, self._starts.get(mapping.epoch))

    def is_contradicted(self, number: int) -> bool:
        """Whether it was seen to start twice, or has rows before a reader saw it start that cannot be of it."""
        seen = [(each.start, each) for each in self._mappings if each.epoch == number and each.start]
        is_twice = len({start.key for start, _ in seen}) > 1
        return is_twice or any(self._between_its_rows(*pair) is None for pair in seen)

    def time_of(self, mapping: EpochMapping) -> range:
        """The quarters from the start that was seen until the next one that was seen of the same number."""
        begin = mapping.start.first_quarter if mapping.start else 0
        same = (each.start for each in self._mappings if each.epoch == mapping.epoch)
        later = (start.first_quarter for start in same if start and start.first_quarter > begin)
        return range(begin, min(later, default=ALWAYS))

    def replace_number(self, mapping: EpochMapping, number: int) -> None:
        """Go on in an epoch of a history with another number; its start has that one, too."""
        of_number = (each.start for each in self._mappings if each.epoch == mapping.epoch)
        self._note_change(*of_number, self._starts.get(mapping.epoch))
        mapping.epoch, mapping.from_quarter = number, ALWAYS

    def correct(self, added: Iterable[Sequence[int]]) -> None:
        """After rows of these quarters, in order, were added or changed, or starts kept."""
        added = [quarters for quarters in added if quarters]
        changed_s = [*(quarters[0] * QUARTER_S for quarters in added), *self._changed_s]
        if not changed_s or not (self._starts or self._changed_s or len({each.epoch for each in self._mappings}) > 1):
            return
        pairs: dict[int, tuple[StoredRow, StoredRow]] = {}
        for quarters in added:
            first, last, chosen = quarters[0], quarters[-1], set(quarters)
            rows = [self._rows.before(first), *self._rows.between(first, last), self._rows.after(last)]
            for before, row in pairwise(filter(None, rows)):
                if before.epoch != row.epoch and not chosen.isdisjoint((before.quarter, row.quarter)):
                    pairs[row.quarter] = before, row
        # what is earlier does not depend on it
        for at_s in {*self._changed_s, *self._begin_again(min(changed_s) - _HOUR_S)}:
            quarter = quarter_from(at_s)
            beside = self._rows.before(quarter), self._rows.after(quarter - 1)
            if beside[0] and beside[1]:
                pairs[beside[1].quarter] = beside[0], beside[1]
        for _, pair in sorted(pairs.items()):
            self._count_step(*pair)
        self._write()

    def _begin_again(self, since_s: int) -> set[int]:
        """Take all starts from a time on as readers saw them, without corrections; returns where they were and are."""
        times = {start.at_s for start in self._starts.values() if start.at_s >= since_s}
        numbers = {number for number, start in self._starts.items() if start.at_s >= since_s}
        numbers |= {each.epoch for each in self._mappings if each.start and each.start.at_s >= since_s}
        for number in numbers:
            self._starts.pop(number, None)
            if seen := self._seen(number):
                self._starts[number] = EpochStart(self._meter_id, self._obis, number, *astuple(seen[0]))
                times.add(seen[0].at_s)
        return times

    def _seen(self, number: int) -> tuple[SeenStart, EpochMapping] | None:
        """Of several readers that saw one restart, the first one says what the counter showed. None: nobody saw it."""
        if number not in self._placed:
            own = [
                (self._between_its_rows(each.start, each), each)
                for each in self._mappings
                if each.epoch == number and each.start
            ]
            self._placed[number] = min(
                ((start, each) for start, each in own if start),
                key=lambda pair: (*_nearest(pair[0]), pair[1].ledger),
                default=None,
            )
        return self._placed[number]

    def _between_its_rows(self, start: SeenStart, mapping: EpochMapping) -> SeenStart | None:
        """The clock of a reader may be set near a restart: then it is moved behind the last row of the epoch before and
        to the first one of its own. None where that row is of another reader, and this one saw the restart late.
        """
        first = self._rows.after(-1, mapping.epoch)
        if first and _time(first) < start.at_s:
            is_near = start.at_s - _time(first) <= _HOUR_S and start.after.decimal <= first.wh
            return replace(start, at_s=_time(first)) if is_near else None
        if earlier := self._earlier(mapping):
            end = (start.at_s + _HOUR_S) // QUARTER_S + 1
            last = self._last_seen(start, earlier, min(end, first.quarter) if first else end)
            if last and _time(last) >= start.at_s:
                return replace(start, at_s=_time(last) + 1)
        return start

    def _earlier(self, mapping: EpochMapping) -> EpochMapping | None:
        """The epoch before in the same history; of several copies, the one that started last before this."""
        at_s = _started_s(mapping)
        return max(
            of_copies(self._mappings, mapping, mapping.ledger_epoch - 1),
            key=lambda each: (_started_s(each) <= at_s, _started_s(each)),
            default=None,
        )

    def _last_seen(self, start: SeenStart, earlier: EpochMapping, end: int) -> StoredRow | None:
        """The last row before a quarter that its reader may have seen; others may have gone on in that epoch."""
        row = self._rows.before(end, earlier.epoch)
        if row is None or start.before is None or row.wh <= start.before.decimal:
            return row
        return self._rows.at_most(start.before.decimal, end, earlier.epoch)

    def _count_step(self, before: StoredRow, row: StoredRow) -> None:
        """Let the starts between two neighbours count what they shall."""
        inside = [start for start in self._starts.values() if _time(before) < start.at_s <= _time(row)]
        shown = before.value
        for start in sorted(inside, key=self._place):
            shown = self._shown_before(start, shown)
            self._starts[start.epoch] = replace(start, before=shown)
            shown = start.after
        is_first = self._seen(row.epoch) is None and self._rows.before(row.quarter, row.epoch) is None
        # the reader of a later epoch knows that it restarted, but has not said yet what it showed
        restarted = is_first and not inside and all(self._history_epochs(row.epoch))
        if restarted or row.wh < shown.decimal:
            number = row.epoch if is_first else self.free_number()
            self._starts[number] = EpochStart(self._meter_id, self._obis, number, _time(row), shown, row.value)

    def _shown_before(self, start: EpochStart, known: Exact) -> Exact:
        """What the counter showed last before a start, where `known` is what it showed at the row or start before."""
        seen = self._seen(start.epoch)
        if seen is None or seen[0].before is None:
            return known
        if not self._is_seen_late(start, *seen):
            return max(seen[0].before, known, key=_decimal)
        # it may have gone on to what this reader saw first
        return max(start.after, known, key=_decimal)

    def _is_seen_late(self, start: EpochStart, seen: SeenStart, mapping: EpochMapping) -> bool:
        """Whether the counter has restarted since its reader last saw it, and before this start."""
        earlier = self._earlier(mapping)
        if earlier is None:
            # not known yet
            return False
        last, known = self._last_seen(seen, earlier, quarter_from(start.at_s)), self._starts.get(earlier.epoch)
        since_s = max(_time(last) if last else 0, known.at_s if known else 0)
        return any(
            since_s < other.at_s
            and self._place(other) < self._place(start)
            and self._is_restart(other)
            and not self._is_of_history(other, mapping)
            for other in self._starts.values()
        )

    def _is_of_history(self, start: EpochStart, mapping: EpochMapping) -> bool:
        """No reader sees one restart twice; a clock that was set may change the order of two."""
        seen = self._seen(start.epoch)
        return seen is not None and seen[1].ledger == mapping.ledger

    def _is_restart(self, start: EpochStart) -> bool:
        """Steps are counted in order of time, so those before count already what they shall."""
        fall = _fall(start.before, start.after)
        return fall > 0 or (fall < 0 and self._seen(start.epoch) is not None)

    def _place(self, start: EpochStart) -> tuple[int, int, str]:
        """In the order of time."""
        seen = self._seen(start.epoch)
        return (start.at_s, seen[1].ledger_epoch, seen[1].ledger) if seen else (start.at_s, 0, "")

    def _history_epochs(self, number: int) -> list[int]:
        return [mapping.ledger_epoch for mapping in self._mappings if mapping.epoch == number]

    def _note_change(self, *starts: SeenStart | EpochStart | None) -> None:
        self._changed_s += (start.at_s for start in starts if start)

    def _write(self) -> None:
        stored = dict(self._rows.starts(self._meter_id, self._obis))
        for number in stored.keys() | self._starts.keys():
            before, now = stored.get(number), self._starts.get(number)
            if before != now:
                self._rows.write_start(number, now)
                self.written += (start for start in (before, now) if start)


def _started_s(mapping: EpochMapping) -> int:
    return mapping.start.at_s if mapping.start else 0


def _time(row: StoredRow) -> int:
    return row.quarter * QUARTER_S


def _nearest(start: SeenStart) -> tuple[int, Decimal]:
    """For comparison: the earlier one; of two moved to one row that whose reader was nearer to the restart."""
    return start.at_s, -_fall(start.before, start.after)


def _fall(before: Exact | None, after: Exact) -> Decimal:
    return before.decimal - after.decimal if before else Decimal(0)


def _decimal(value: Exact) -> Decimal:
    return value.decimal
