"""The epochs of the central server: which of its own each epoch of a reader's history is, counter by counter.

    reader A, history a     0 0 0 0 | 1 1                  Every history numbers its epochs from 0. The first epoch of a
    reader B, history b                 0 0 0 | 1 1        new one goes on with that of the row before it where the
    central server          0 0 0 0 | 1 1 1 1 1 | 2 2      counter does; every other epoch of a reader is a new one.

So a counter never goes back within an epoch, whichever readers its rows come from. A row that would make it is not
stored: it is returned, and becomes a conflict. Epochs are numbered as they come, which is not the order of time: where
they start, and so what counts between two rows, is said by epoch_starts.py.

Most rows need nothing of this: from `from_quarter` of its mapping on, a counter has rows of one history epoch alone.
All others are compared with their neighbours, by one collector at a time.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from iskra_server.fleet.central.claims import lock_meters
from iskra_server.fleet.central.counter_rows import CounterRows, StoredRow
from iskra_server.fleet.central.epoch_mappings import (
    EpochMapping,
    SeenStart,
    find_mapping,
    of_copies,
    read_mappings,
    write_mappings,
)
from iskra_server.fleet.central.epoch_starts import EpochStarts
from iskra_server.history.model.records import EpochStart, QuarterReading
from iskra_server.history.store.schema import ALWAYS
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import Obis

_ALL = range(ALWAYS)


class SentRows(Struct, frozen=True):
    """Rows of one counter and one epoch of a history, in order of their quarters; `start` where it says how it began.

    `ledger` is HISTORY@READER. `times` are the quarters in which the reader had the meter.
    """

    meter: int
    series: int
    meter_id: str
    obis: Obis
    reader: str
    ledger: str
    ledger_epoch: int
    readings: Sequence[QuarterReading]
    start: EpochStart | None = None
    times: Sequence[range] = ()

    @property
    def seen(self) -> SeenStart | None:
        return SeenStart(self.start.at_s, self.start.before, self.start.after) if self.start else None


class PlacedRows(Struct):
    """Rows with the epochs of the central server; `starts` are those that were written, or removed.

    `backward` cannot be stored: the counter would go back. With the series and who sent it.
    """

    readings: list[QuarterReading] = []
    starts: list[EpochStart] = []
    backward: list[tuple[int, str, QuarterReading]] = []


def place(store: Store, connection: Connection, sent: Sequence[SentRows]) -> PlacedRows:
    """Give all these rows their epochs; new epochs, and where they start, are written."""
    placed = PlacedRows()
    known = read_mappings(connection, {rows.series for rows in sent})
    by_series: dict[int, list[SentRows]] = defaultdict(list)
    for rows in sent:
        by_series[rows.series].append(rows)
    rest: dict[int, list[SentRows]] = {}
    for series, group in by_series.items():
        numbered: list[QuarterReading] = []
        for rows in group:
            mapping = find_mapping(known.get(series, ()), rows.ledger, rows.ledger_epoch)
            if mapping is None or rows.start or rows.readings[0].quarter < mapping.from_quarter:
                # all of the counter: some are compared with those before them
                rest[series] = group
                break
            numbered += _numbered(rows.readings, mapping.epoch)
        else:
            placed.readings += numbered
    if rest:
        lock_meters(store, connection, {rows.meter for group in rest.values() for rows in group})
        # another collector may have written some of them meanwhile
        known = read_mappings(connection, rest)
        changed: dict[int, list[EpochMapping]] = {}
        for series, group in sorted(rest.items()):
            mappings = known.get(series, [])
            before = [replace(mapping) for mapping in mappings]
            # what has no mapping has no rows
            counter_rows = CounterRows(store, connection, series, is_new=not mappings)
            starts = EpochStarts(counter_rows, mappings, group[0].meter_id, group[0].obis)
            counter = _Counter(counter_rows, mappings, starts, placed)
            starts.correct([counter.place(rows) for rows in group])
            placed.starts += starts.written
            changed[series] = [mapping for mapping in mappings if mapping not in before]
        write_mappings(store, connection, changed)
    return placed


def correct_starts(
    store: Store, connection: Connection, rows: CounterRows, meter_id: str, obis: Obis, *, quarters: Collection[int]
) -> list[EpochStart]:
    """Write where epochs began after these rows of a counter were changed; returns what was written, or removed."""
    mappings = read_mappings(connection, [rows.series]).get(rows.series, [])
    starts = EpochStarts(rows, mappings, meter_id, obis)
    starts.correct([sorted(quarters)])
    # the next rows are compared with these, which may be above them
    write_mappings(store, connection, {rows.series: [replace(mapping, from_quarter=ALWAYS) for mapping in mappings]})
    return starts.written


class _Counter:
    """One counter, of which new rows are compared with those beside them."""

    def __init__(
        self, rows: CounterRows, mappings: list[EpochMapping], starts: EpochStarts, placed: PlacedRows
    ) -> None:
        self._rows, self._mappings, self._starts, self._placed = rows, mappings, starts, placed

    def place(self, sent: SentRows) -> list[int]:
        """Returns the quarters of the rows that are new."""
        stored: dict[int, StoredRow] = {}
        if sent.readings:
            between = self._rows.between(sent.readings[0].quarter, sent.readings[-1].quarter)
            stored = {row.quarter: row for row in between}
        unknown = [reading for reading in sent.readings if reading.quarter not in stored]
        new = [StoredRow(reading.quarter, reading.value, 0) for reading in unknown]
        # what is stored already goes on, to be compared with what was kept
        self._placed.readings += (reading for reading in sent.readings if reading.quarter in stored)
        mapping = self._mapping(sent, new, stored)
        if mapping is None:
            return []
        accepted = self._accept(mapping.epoch, new)
        # another history went on with this epoch when not all of its rows were known
        if len(accepted) < len(new) and self._is_shared(mapping, sent.reader):
            # both are of this reader, and have the same times
            self._separate(sent, mapping, self._joined(mapping.epoch, new))
            accepted = self._accept(mapping.epoch, new)
        elif len(accepted) < len(new) and self._is_shared(mapping):
            of_own_time = self._accept(mapping.epoch, new, sent.times)
            if len(of_own_time) > len(accepted):
                self._separate(sent, mapping)
                accepted = [replace(row, epoch=mapping.epoch) for row in of_own_time]
        self._settle(mapping, accepted)
        if sent.seen:
            for other in self._mappings:
                # rows of an older epoch may come from a time after the start, by a clock that was set
                other.from_quarter = other.from_quarter if other is mapping else ALWAYS
            self._starts.keep(sent.seen, mapping)
        quarters = [row.quarter for row in accepted]
        good = [reading for reading in unknown if reading.quarter in quarters]
        self._placed.readings += _numbered(good, mapping.epoch)
        self._placed.backward += (
            (sent.series, sent.reader, reading) for reading in unknown if reading.quarter not in quarters
        )
        if sent.times and self._is_shared(mapping) and self._starts.is_contradicted(mapping.epoch):
            # another history seemed to go on with this epoch, but had rows before it began
            is_of_reader = self._is_shared(mapping, sent.reader)
            self._separate(sent, mapping, self._starts.time_of(mapping) if is_of_reader else _ALL)
        return quarters

    def _mapping(
        self, sent: SentRows, new: Sequence[StoredRow], stored: Mapping[int, StoredRow]
    ) -> EpochMapping | None:
        """That of the rows; None where they have none and need none, as all of them are stored already."""
        mapping = find_mapping(self._mappings, sent.ledger, sent.ledger_epoch)
        if mapping is None:
            number = self._known_number(sent, new, stored)
            if number is None and not new and not sent.start:
                return None
            if number is None:
                number = self._starts.free_number(sent.ledger_epoch)
            mapping = EpochMapping(sent.ledger, sent.ledger_epoch, number)
            self._mappings.append(mapping)
        elif sent.seen and mapping.start and mapping.epoch not in self._starts.seen_as(sent.seen):
            # a copied history has gone its own way since: its epoch of this number is another one
            for other in of_copies(self._mappings, mapping, mapping.ledger_epoch):
                if other.reader == mapping.reader and other.start and other.start.key == sent.seen.key:
                    # the other copy sends it again
                    return other
            self._mappings.append(replace(mapping, ledger=f"{mapping.epoch}-{mapping.ledger}"))
            self._separate(sent, mapping, range(sent.seen.first_quarter, ALWAYS))
            mapping.start = None
        return mapping

    def _known_number(self, sent: SentRows, new: Sequence[StoredRow], stored: Mapping[int, StoredRow]) -> int | None:
        """The epoch that these rows are of already; two epochs of one history are never the same."""
        own = {mapping.epoch for mapping in self._mappings if mapping.ledger == sent.ledger}
        same = self._starts.seen_as(sent.seen) if sent.seen else []
        # the history came before, under another name
        same += (
            stored[reading.quarter].epoch
            for reading in sent.readings
            if reading.quarter in stored and stored[reading.quarter].wh == reading.value.decimal
        )
        numbers = [number for number in same if number not in own]
        return numbers[0] if numbers else self._continued(sent, new, own)

    def _continued(self, sent: SentRows, new: Sequence[StoredRow], own: Collection[int]) -> int | None:
        """The epoch of the row before, where the counter goes on from it to the new rows.

        A later epoch of a history does so only if this reader gave that one the same number before.
        """
        row = self._rows.before(new[0].quarter) if new else None
        if row is None or row.epoch in own or (sent.ledger_epoch and not self._had_same_number(sent, row.epoch)):
            return None
        after = self._rows.after(new[-1].quarter, row.epoch)
        goes_on = row.wh <= new[0].wh and (not after or new[-1].wh <= after.wh)
        return row.epoch if goes_on else None

    def _had_same_number(self, sent: SentRows, number: int) -> bool:
        """Whether this reader gave the epoch the same number in another history, or before it named its history."""
        return any(
            (mapping.epoch, mapping.ledger_epoch) == (number, sent.ledger_epoch)
            and (not mapping.ledger or mapping.reader == sent.reader)
            for mapping in self._mappings
        )

    def _joined(self, number: int, new: Sequence[StoredRow]) -> range:
        """The quarters of the rows of an epoch that the counter can have shown together with these."""
        before, after = self._rows.before(new[0].quarter, number), self._rows.after(new[-1].quarter, number)
        return range(
            new[0].quarter if before and before.wh > new[0].wh else 0,
            new[-1].quarter + 1 if after and after.wh < new[-1].wh else ALWAYS,
        )

    def _separate(self, sent: SentRows, mapping: EpochMapping, own: range = _ALL) -> None:
        """Give an epoch of a history another number, with its rows that this reader has sent of `own` quarters."""
        old = mapping.epoch
        times = [range(max(time.start, own.start), min(time.stop, own.stop)) for time in sent.times]
        self._starts.replace_number(mapping, self._starts.free_number(sent.ledger_epoch))
        self._rows.renumber(old, mapping.epoch, times)
        for place, reading in enumerate(self._placed.readings):
            is_of_counter = (reading.meter_id, reading.obis, reading.epoch) == (sent.meter_id, sent.obis, old)
            if is_of_counter and any(reading.quarter in time for time in times):
                self._placed.readings[place] = replace(reading, epoch=mapping.epoch)

    def _is_shared(self, mapping: EpochMapping, reader: str | None = None) -> bool:
        """With another history, of a reader or of any."""
        others = (other for other in self._mappings if other.ledger != mapping.ledger)
        return any(other.epoch == mapping.epoch and reader in (None, other.reader) for other in others)

    def _accept(self, number: int, new: Sequence[StoredRow], times: Sequence[range] = ()) -> list[StoredRow]:
        """Those of the new rows with which the counter does not go back, with their epoch.

        A row in one of the `times` is compared with the rows in that time alone.
        """
        if not new:
            return []
        first, last = new[0].quarter, new[-1].quarter
        between = [row for row in self._rows.between(first, last) if row.epoch == number]
        before, after = self._rows.before(first, number), self._rows.after(last, number)
        accepted: list[StoredRow] = []
        for row in new:
            while between and between[0].quarter < row.quarter:
                before = between.pop(0)
            following = between[0] if between else after
            time = next((time for time in times if row.quarter in time), _ALL)
            rises = not before or before.quarter not in time or before.wh <= row.wh
            if rises and (not following or following.quarter not in time or row.wh <= following.wh):
                before = replace(row, epoch=number)
                accepted.append(before)
        return accepted

    def _settle(self, mapping: EpochMapping, accepted: Sequence[StoredRow]) -> None:
        """Note from which quarter on the counter has rows of one history epoch alone."""
        if not accepted:
            return
        last = self._rows.before(ALWAYS)
        self._rows.add(accepted)
        newest = accepted[-1].quarter
        others = [other for other in self._mappings if other is not mapping]
        if last is None or newest > last.quarter:
            for other in others:
                other.from_quarter = ALWAYS
            if mapping.from_quarter == ALWAYS:
                alone = (row.quarter for row in accepted if last is None or row.quarter > last.quarter)
                mapping.from_quarter = 0 if last is None else next(alone)
        else:
            for other in others:
                if other.from_quarter <= newest:
                    other.from_quarter = last.quarter


def _numbered(readings: Iterable[QuarterReading], number: int) -> list[QuarterReading]:
    return [reading if reading.epoch == number else replace(reading, epoch=number) for reading in readings]
