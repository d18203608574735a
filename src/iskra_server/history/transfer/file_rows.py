"""What a file holds, row by row: a reading of a counter, a record of our own export, or what is wrong with the row.

A number is kept with every digit that the file has; `at_us` is Unix time in microseconds.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct

from iskra_server.history.model.records import INT64_MAX, EpochStart, Exact, QuarterReading

EnergyUnit = Literal["Wh", "kWh", "MWh"]
# power of ten from the unit to Wh
UNITS: dict[str, int] = {"wh": 0, "kwh": 3, "mwh": 6}

# characters of a cell that are shown
_SHOWN = 40
_NUMBER = re.compile(r"(-?)(\d+)(?:[.,](\d+))?(?:[eE]([+-]?\d\d?))?", re.ASCII)


class CounterReading(Struct, frozen=True, gc=False):
    """What a counter showed at a moment."""

    line: int
    at_us: int
    value: Exact


class RecordRow(Struct, frozen=True):
    """A record that can be written."""

    line: int
    record: QuarterReading | EpochStart


class BadRow(Struct, frozen=True):
    """What is wrong with a line, without a full stop."""

    line: int
    reason: str


class DatedReading(Struct, frozen=True):
    """A reading whose time, a local one, may stand for two moments: an hour is repeated where summer time ends."""

    line: int
    text: str
    moments: tuple[int, ...]
    value: Exact


def parse_energy(text: str, unit: str) -> Exact:
    """A counter's value in Wh, from a number with a decimal point or comma. Raises ValueError."""
    form = _NUMBER.fullmatch(text.strip())
    if form is None:
        raise ValueError(f"{quote_cell(text)} is not a number")
    sign, whole, fraction, power = form[1], form[2], form[3] or "", int(form[4] or 0)
    value = Exact(int(whole + fraction), UNITS[unit.lower()] + power - len(fraction))
    if sign and value.raw:
        raise ValueError(f"{quote_cell(text)} is below zero, which no counter shows")
    if value.raw > INT64_MAX:
        raise ValueError(f"{quote_cell(text)} has more digits than can be kept")
    return value


def quote_cell(text: str) -> str:
    """A cell of a file in a sentence: short, and without what a terminal would obey."""
    return repr(text.strip()[:_SHOWN])


def sort_readings(dated: Iterable[DatedReading]) -> Iterator[CounterReading | BadRow]:
    """Readings sorted by time; of two at the same local time of a repeated hour the lower came first."""
    certain: list[CounterReading] = []
    twice: dict[tuple[int, ...], list[DatedReading]] = defaultdict(list)
    for each in dated:
        if len(each.moments) == 1:
            certain.append(CounterReading(each.line, each.moments[0], each.value))
        else:
            twice[each.moments].append(each)
    for moments, pair in twice.items():
        if len(pair) == len(moments):
            pair.sort(key=lambda each: each.value.decimal)
            certain += (CounterReading(each.line, at, each.value) for each, at in zip(pair, moments, strict=True))
        else:
            for each in pair:
                yield BadRow(
                    each.line,
                    f"{quote_cell(each.text)} came twice that night, as summer time ended; write it with offset",
                )
    yield from sorted(certain, key=lambda reading: reading.at_us)
