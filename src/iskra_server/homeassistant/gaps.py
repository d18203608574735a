"""The missing hours of Home Assistant's statistics, computed from what the meter's counter showed. No I/O.

    a row of Home Assistant   begin of an hour, `state` and `sum` at its END; every bar is the difference of two sums
    a reading of the meter    at each full hour and quarter: `shown` on the display, and `total`, which runs on where
                              the counter restarted or the meter was replaced

    hour    8    9    10   11   12       Between two rows that agree with the meter, each hour gets
    state   a    -    -    -    b        state = shown at its end, sum = sum of a + (total at its end - total at a),
    sum     s    -    -    -    s+b-a    so the row of b and all behind it stay as they are: its bar shrinks by itself.

Home Assistant writes no row while a sensor is unavailable, and may write rows that stand still for the time that it was
down itself. The hour in which the gap begins is completed, too. Times are Unix seconds; numbers are exact.

This file is the same in the server and in the integration, which cannot import the server.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Literal

HOUR_S = 3600
QUARTER_S = 900
# of Wh
ENERGY_UNITS = {"Wh": Decimal(1), "kWh": Decimal(1_000), "MWh": Decimal(1_000_000)}
# Home Assistant adds floats up: less than this is no difference
_SAME_WH = Decimal("0.001")
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class EnergyRow:
    """An hour of a counter in Home Assistant: the values at the end of the hour that begins at `start_s`."""

    start_s: int
    state: Decimal
    sum: Decimal

    @property
    def end_s(self) -> int:
        return self.start_s + HOUR_S


@dataclass(frozen=True, slots=True)
class PowerRange:
    """Power in Home Assistant's hour, or the meter's quarter, that begins at `start_s`."""

    start_s: int
    min: Decimal
    mean: Decimal
    max: Decimal


@dataclass(frozen=True, slots=True)
class CounterState:
    """What the counter showed, and what it would show if it had never restarted; both in the sensor's unit."""

    shown: Decimal
    total: Decimal

    @property
    def restarts(self) -> Decimal:
        """What restarts have taken from the display: the same for all readings between two of them."""
        return self.total - self.shown


@dataclass(frozen=True, slots=True)
class FilledGap:
    """`rows` fill the hours between two rows that are right, `before` and `after`, and complete that of `before`.

    unread      hours without a reading of the meter: their energy stays in the next hour that has one
    correction  what Home Assistant has counted too little where the meter was replaced inside, else 0. The rows count
                as the meters did; every sum from `after` on needs the correction, or its bar is wrong
    """

    before: EnergyRow
    after: EnergyRow
    rows: tuple[EnergyRow, ...]
    unread: tuple[int, ...]
    correction: Decimal


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An hour in which Home Assistant and the meter disagree; the gap that it lies in, or ends, is left alone.

    state    Home Assistant shows what the meter did not show then
    counted  since the gap began, Home Assistant has counted another amount than the meter
    """

    start_s: int
    kind: Literal["state", "counted"]
    home_assistant: Decimal
    meter: Decimal

    def sentence(self, unit: str) -> str:
        hour = datetime.fromtimestamp(self.start_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
        ours, theirs = (f"{plain(value)} {unit}" for value in (self.meter, self.home_assistant))
        if self.kind == "state":
            return f"The hour from {hour} ends with {theirs} in Home Assistant, but the meter showed {ours}."
        return f"Up to the hour from {hour}, Home Assistant has counted {theirs} in the gap, but the meter {ours}."


class Counter:
    """The readings of one counter by the Unix second of their quarter; `unit` is the sensor's."""

    def __init__(self, readings: Mapping[int, CounterState], unit: str) -> None:
        self.readings = readings
        self._same = _SAME_WH / ENERGY_UNITS[unit]

    def is_same(self, one: Decimal, other: Decimal) -> bool:
        return abs(one - other) <= self._same

    def total(self, row: EnergyRow) -> Decimal:
        """The total when the counter showed the state of this row, which is right."""
        here = self.readings[row.end_s]
        return here.restarts + row.state

    def judge(self, row: EnergyRow) -> Literal["right", "late", "wrong", "unread"]:
        """Compare a row with the readings around its end.

        right: the counter showed this state in the quarter before, or in the one after, since clocks differ a little;
        late: it showed that earlier; wrong: it showed that only later, or never; unread: there is no reading.
        """
        here = self.readings.get(row.end_s)
        if here is None:
            return "unread"
        if self.is_same(row.state, here.shown):
            return "right"
        is_behind = row.state < here.shown
        other = self.readings.get(row.end_s + (-QUARTER_S if is_behind else QUARTER_S))
        is_near = (
            other is not None
            and other.restarts == here.restarts
            and (other.shown < row.state if is_behind else row.state < other.shown)
        )
        if is_near:
            return "right"
        return "late" if is_behind else "wrong"


def plain(value: Decimal) -> str:
    """Without an exponent, and without the zeros and the noise behind the last digit that counts."""
    return f"{round(value, 6).normalize():f}"


def otherwise(correction: Decimal, unit: str) -> str:
    """What Home Assistant has counted otherwise, by the correction of its sums."""
    return f"{plain(abs(correction))} {unit} {'less' if correction > 0 else 'more'} than the meter"


def gaps(rows: Iterable[EnergyRow], counter: Counter) -> tuple[list[FilledGap], list[Disagreement]]:
    """What fills the gaps, and what forbids it; `rows` are in order of time.

    Nothing before the first row that is right is touched, and nothing behind the last one.
    """
    found: list[FilledGap] = []
    refused: list[Disagreement] = []
    before: EnergyRow | None = None
    between: list[EnergyRow] = []
    for row in rows:
        if counter.judge(row) != "right":
            between.append(row)
            continue
        answer = before and _between(before, between, row, counter)
        if isinstance(answer, Disagreement):
            refused.append(answer)
        elif answer:
            found.append(answer)
        before, between = row, []
    if before is None and (wrong := _first_wrong(None, between, counter)):
        refused.append(wrong)
    return found, refused


def corrected_rows(found: Iterable[FilledGap]) -> Iterator[EnergyRow]:
    """The rows of these gaps, in order of time, once every sum behind a correction is raised by it."""
    raised = _ZERO
    for gap in found:
        for row in gap.rows:
            yield EnergyRow(row.start_s, row.state, row.sum + raised)
        raised += gap.correction


def _first_wrong(before: EnergyRow | None, rows: Iterable[EnergyRow], counter: Counter) -> Disagreement | None:
    """The first state that the counter showed neither then nor between the row before the gap and then."""
    for row in rows:
        if before is not None and counter.is_same(row.state, before.state):
            # Home Assistant was away; its last state stands, whatever hung on the wall then
            continue
        here, verdict = counter.readings.get(row.end_s), counter.judge(row)
        is_older = (
            before is not None
            and here is not None
            and here.restarts == counter.readings[before.end_s].restarts
            and row.state < before.state
        )
        if here is not None and (verdict == "wrong" or (verdict == "late" and is_older)):
            return Disagreement(row.start_s, "state", row.state, here.shown)
    return None


def _between(
    before: EnergyRow, between: Sequence[EnergyRow], after: EnergyRow, counter: Counter
) -> FilledGap | Disagreement | None:
    """None if there is nothing to write."""
    present = {row.start_s: row for row in between}
    missing = [start_s for start_s in range(before.end_s, after.start_s, HOUR_S) if start_s not in present]
    unread = tuple(start_s for start_s in missing if start_s + HOUR_S not in counter.readings)
    rows = list(_differing(before, present, after, counter))
    if rows or missing:
        rows = [*_completed(before, counter), *rows]
    if not rows:
        return None
    if wrong := _first_wrong(before, between, counter):
        return wrong
    counted, measured = after.sum - before.sum, counter.total(after) - counter.total(before)
    correction = _ZERO
    if not counter.is_same(counted, measured):
        if counter.readings[before.end_s].restarts == counter.readings[after.end_s].restarts:
            return Disagreement(after.start_s, "counted", counted, measured)
        correction = measured - counted
    written = present | {row.start_s: row for row in (*rows, after)}
    sums = [written[start_s].sum for start_s in sorted(written)]
    sums[-1] += correction
    if any(second < first and not counter.is_same(first, second) for first, second in pairwise(sums)):
        return Disagreement(after.start_s, "counted", counted, measured)
    return FilledGap(before, after, tuple(rows), unread, correction)


def _differing(
    before: EnergyRow, present: Mapping[int, EnergyRow], after: EnergyRow, counter: Counter
) -> Iterator[EnergyRow]:
    """The rows between two others as they should be, where they are not."""
    base, last = before.sum - counter.total(before), before
    for start_s in range(before.end_s, after.start_s, HOUR_S):
        here, there = counter.readings.get(start_s + HOUR_S), present.get(start_s)
        if here is not None:
            last = EnergyRow(start_s, here.shown, base + here.total)
        elif there is None:
            continue
        elif there.sum < last.sum:
            # nobody knows this hour: it stands still, rather than fall back
            last = EnergyRow(start_s, last.state, last.sum)
        else:
            last = there
        if there is None or not (counter.is_same(there.state, last.state) and counter.is_same(there.sum, last.sum)):
            yield last


def _completed(row: EnergyRow, counter: Counter) -> Iterator[EnergyRow]:
    """The row before a gap with what was counted until the end of its hour."""
    missing = counter.readings[row.end_s].shown - row.state
    if missing > 0 and not counter.is_same(missing, _ZERO):
        yield EnergyRow(row.start_s, row.state + missing, row.sum + missing)


def earlier(first: EnergyRow, counter: Counter) -> list[EnergyRow]:
    """Rows of a statistic of its own for the time before a sensor's first row, which began to count inside its hour.

    Its sum begins at 0 with the first full hour that has a reading; both sums together are what the meter counted.
    """
    ends = sorted(end_s for end_s in counter.readings if end_s % HOUR_S == 0 and end_s <= first.start_s)
    if not ends:
        return []
    base = counter.readings[ends[0]].total
    rows = [
        EnergyRow(end_s - HOUR_S, counter.readings[end_s].shown, counter.readings[end_s].total - base) for end_s in ends
    ]
    here = counter.readings[ends[-1]]
    began = first.state - first.sum
    if ends[-1] == first.start_s and here.shown <= began <= first.state:
        rows.append(EnergyRow(first.start_s, began, here.restarts + began - base))
    return rows


def power_gaps(rows: Iterable[PowerRange], quarters: Mapping[int, PowerRange]) -> list[PowerRange]:
    """The hours between the first and the last row that are missing, or stand still although power changed.

    Only hours whose four quarters were all measured. `rows` are in order of time.
    """
    present = {row.start_s: row for row in rows}
    found: list[PowerRange] = []
    for start_s in range(min(present, default=0), max(present, default=0), HOUR_S):
        parts = [quarters.get(start_s + offset_s) for offset_s in range(0, HOUR_S, QUARTER_S)]
        measured = [part for part in parts if part is not None]
        if len(measured) == len(parts):
            low, high = min(part.min for part in measured), max(part.max for part in measured)
            there = present.get(start_s)
            if there is None or (there.min == there.max and low < high):
                mean = sum((part.mean for part in measured), _ZERO) / len(measured)
                found.append(PowerRange(start_s, low, mean, high))
    return found
