"""The epochs of the central server: which of its own each epoch of a reader's history is, counter by counter.

    reader A, history a     0 0 0 0 | 1 1                  Every history numbers its epochs from 0. The first epoch of a
    reader B, history b                 0 0 0 | 1 1        new one goes on with that of the rows beside it where the
    central server          0 0 0 0 | 1 1 1 1 1 | 2 2      counter does; every other epoch of a reader is a new one.

So a counter never goes back within an epoch, whichever readers its rows come from. A row that would make it is not
stored: it is returned, and becomes a conflict. Epochs are numbered as they come, which is not the order of time.

Most rows need nothing of this: from `from_quarter` of its mapping on, a counter has rows of one history epoch alone.
All others are compared with their neighbours, by one collector at a time.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain, count, pairwise

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from iskra_server.fleet.central.claims import lock_meters
from iskra_server.fleet.central.counter_rows import CounterRows, StoredRow
from iskra_server.fleet.central.epoch_mappings import EpochMapping, find_mapping, read_mappings, write_mappings
from iskra_server.history.model.records import QUARTER_S, EpochStart, QuarterReading
from iskra_server.history.store.schema import ALWAYS
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import Obis


class SentRows(Struct, frozen=True):
    """Rows of one counter and one epoch of a history, in order of their quarters; `start` where it says how it began.

    `ledger` is HISTORY@READER.
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


class PlacedRows(Struct):
    """Rows with the epochs of the central server; `starts` are written already.

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
            counter = _Counter(CounterRows(store, connection, series, is_new=not mappings), mappings, placed)
            for rows in group:
                counter.place(rows)
            changed[series] = [mapping for mapping in mappings if mapping not in before]
        write_mappings(store, connection, changed)
    return placed


def correct_starts(
    connection: Connection, rows: CounterRows, meter_id: str, obis: Obis, quarters: Collection[int]
) -> None:
    """Write where epochs began, as far as no reader has said so, after these rows of a counter were changed."""
    mappings = read_mappings(connection, [rows.series]).get(rows.series, [])
    _Counter(rows, mappings, PlacedRows()).correct_starts(meter_id, obis, quarters)


class _Counter:
    """One counter, of which new rows are compared with those beside them."""

    def __init__(self, rows: CounterRows, mappings: list[EpochMapping], placed: PlacedRows) -> None:
        self._rows, self._mappings, self._placed = rows, mappings, placed

    def place(self, sent: SentRows) -> None:
        stored: dict[int, StoredRow] = {}
        if sent.readings:
            between = self._rows.between(sent.readings[0].quarter, sent.readings[-1].quarter)
            stored = {row.quarter: row for row in between}
        new = [_row(reading, 0) for reading in sent.readings if reading.quarter not in stored]
        # what is stored already goes on, to be compared with what was kept
        self._placed.readings += (reading for reading in sent.readings if reading.quarter in stored)
        mapping = self._mapping(sent, new, stored)
        if mapping is None:
            return
        accepted = self._accept(mapping.epoch, new)
        self._settle(mapping, accepted)
        if sent.start:
            self._keep_start(sent, sent.start, mapping)
        quarters = {row.quarter for row in accepted}
        self.correct_starts(sent.meter_id, sent.obis, quarters)
        readings = [reading for reading in sent.readings if reading.quarter not in stored]
        good = [reading for reading in readings if reading.quarter in quarters]
        self._placed.readings += _numbered(good, mapping.epoch)
        self._placed.backward += (
            (sent.series, sent.reader, reading) for reading in readings if reading.quarter not in quarters
        )

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
                number = self._new_number(sent.meter_id, sent.obis, sent.ledger_epoch)
            mapping = EpochMapping(sent.ledger, sent.ledger_epoch, number)
            self._mappings.append(mapping)
        elif sent.start and mapping.has_start and not self._stored_as(sent.start):
            # a copied history has gone its own way since: its epoch of this number is another one
            mapping.epoch = self._new_number(sent.meter_id, sent.obis, sent.ledger_epoch)
            mapping.has_start, mapping.from_quarter = False, ALWAYS
        return mapping

    def _new_number(self, meter_id: str, obis: Obis, wanted: int = 0) -> int:
        # where one started is known even if its mapping has got another number since
        used = {mapping.epoch for mapping in self._mappings} | set(self._rows.starts(meter_id, obis))
        # the next free one, as a wrong reader may have used the last number of the column
        return next(number for number in chain((wanted,), count()) if number not in used)

    def _known_number(self, sent: SentRows, new: Sequence[StoredRow], stored: Mapping[int, StoredRow]) -> int | None:
        """The epoch that these rows are of already; two epochs of one history are never the same."""
        own = {mapping.epoch for mapping in self._mappings if mapping.ledger == sent.ledger}
        same = list(self._stored_as(sent.start)) if sent.start else []
        # the history came before, under another name
        same += (
            stored[reading.quarter].epoch
            for reading in sent.readings
            if reading.quarter in stored and stored[reading.quarter].wh == reading.value.decimal
        )
        numbers = [number for number in same if number not in own]
        return numbers[0] if numbers else self._continued(sent, new, own)

    def _stored_as(self, start: EpochStart) -> list[int]:
        """The epochs that began with the same reading; `before` may have been corrected."""
        stored = self._rows.starts(start.meter_id, start.obis)
        return [number for number, row in stored.items() if (row.at_s, row.after) == (start.at_s, start.after)]

    def _continued(self, sent: SentRows, new: Sequence[StoredRow], own: Collection[int]) -> int | None:
        """The epoch of the row before or after, where the counter goes on between it and the new rows.

        A later epoch of a history does so only if an earlier one is known: then others saw the same restart. Or before
        the first row of another history: that reader did not yet know the counter when it restarted.
        """
        if not new:
            return None
        first, last = new[0], new[-1]
        has_earlier = any(
            mapping.ledger == sent.ledger and mapping.ledger_epoch < sent.ledger_epoch for mapping in self._mappings
        )
        for row in (self._rows.before(first.quarter), self._rows.after(last.quarter)):
            if row is None or row.epoch in own:
                continue
            is_known = has_earlier or self._had_same_number(sent, row.epoch) or self._is_first(row, last.quarter)
            if sent.ledger_epoch and not is_known:
                continue
            before, after = self._rows.before(first.quarter, row.epoch), self._rows.after(last.quarter, row.epoch)
            if (not before or before.wh <= first.wh) and (not after or last.wh <= after.wh):
                return row.epoch
        return None

    def _is_first(self, row: StoredRow, after: int) -> bool:
        """Whether this row, after a quarter, is the first one of a history and of its epoch; nobody saw that start."""
        of_epoch = [mapping for mapping in self._mappings if mapping.epoch == row.epoch]
        return (
            row.quarter > after
            and any(mapping.ledger_epoch == 0 for mapping in of_epoch)
            and not any(mapping.has_start for mapping in of_epoch)
            and self._rows.before(row.quarter, row.epoch) is None
        )

    def _had_same_number(self, sent: SentRows, number: int) -> bool:
        """Whether this reader gave the epoch the same number in another history, or before it named its history."""
        return any(
            (mapping.epoch, mapping.ledger_epoch) == (number, sent.ledger_epoch)
            and (not mapping.ledger or mapping.reader == sent.reader)
            for mapping in self._mappings
        )

    def _accept(self, number: int, new: Sequence[StoredRow]) -> list[StoredRow]:
        """Those of the new rows with which the counter does not go back, with their epoch."""
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
            if (not before or before.wh <= row.wh) and (not following or row.wh <= following.wh):
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

    def _keep_start(self, sent: SentRows, start: EpochStart, mapping: EpochMapping) -> None:
        """Write where the reader saw the epoch start, if the row before is of the epoch that it saw before."""
        row = self._rows.before(-(-start.at_s // QUARTER_S))
        earlier = find_mapping(self._mappings, sent.ledger, sent.ledger_epoch - 1)
        if row and (row.epoch == mapping.epoch or (earlier and earlier.epoch != row.epoch)):
            return
        if start.before is None and (row or mapping.has_start):
            # it does not say what its counter showed before; the row before does
            return
        start = replace(start, epoch=mapping.epoch)
        if row and earlier and start.before and start.before.decimal < row.wh:
            start = replace(start, before=row.value)
        mapping.has_start = start.before is not None
        self._write_start(start)

    def correct_starts(self, meter_id: str, obis: Obis, quarters: Collection[int]) -> None:
        """After these rows were added or changed.

        An epoch of which no reader has said how it began, began with its first row: before that nothing counts.
        """
        if not quarters:
            return
        first, last = min(quarters), max(quarters)
        rows = [self._rows.before(first), *self._rows.between(first, last), self._rows.after(last)]
        pairs = [
            (before, row)
            for before, row in pairwise(filter(None, rows))
            if before.quarter in quarters or row.quarter in quarters
        ]
        touched = {row.epoch for before, row in pairs if before.epoch != row.epoch}
        with_start = {mapping.epoch for mapping in self._mappings if mapping.has_start}
        for number in sorted(touched - with_start):
            row = self._rows.after(-1, number)
            if row and (before := self._rows.before(row.quarter)):
                at_s = row.quarter * QUARTER_S
                self._write_start(EpochStart(meter_id, obis, number, at_s, before.value, row.value))
        if len({mapping.epoch for mapping in self._mappings}) > 1:
            for before, row in pairs:
                self._correct_return(meter_id, obis, before, row)

    def _correct_return(self, meter_id: str, obis: Obis, before: StoredRow, row: StoredRow) -> None:
        """Where an epoch goes on after rows of another one, and the counter is lower than those: it restarted.

        A late backlog does that: some of its rows went on with the next reader's first one, its later ones do not, and
        no reader saw the last restart. There an epoch without rows starts, as time decides of which one a reading is.
        """
        span_s = range(before.quarter * QUARTER_S + 1, row.quarter * QUARTER_S + 1)
        inside = [number for number, start in self._rows.starts(meter_id, obis).items() if start.at_s in span_s]
        used = {mapping.epoch for mapping in self._mappings}
        empty = [number for number in inside if number not in used and self._rows.after(-1, number) is None]
        goes_back = (
            row.wh < before.wh
            and before.epoch != row.epoch
            and len(empty) == len(inside)
            # else its own start may be a bit later, by a clock that was set
            and self._rows.before(row.quarter, row.epoch) is not None
        )
        if not goes_back and not empty:
            return
        number = empty[0] if empty else self._new_number(meter_id, obis)
        # where the counter goes on from rows that came since, such a start counts for nothing
        value = before.value if goes_back else row.value
        self._write_start(EpochStart(meter_id, obis, number, row.quarter * QUARTER_S, value, row.value))

    def _write_start(self, start: EpochStart) -> None:
        if self._rows.write_start(start):
            self._placed.starts.append(start)


def _numbered(readings: Iterable[QuarterReading], number: int) -> list[QuarterReading]:
    return [reading if reading.epoch == number else replace(reading, epoch=number) for reading in readings]


def _row(reading: QuarterReading, number: int) -> StoredRow:
    return StoredRow(reading.quarter, reading.value, number)
