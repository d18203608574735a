"""The rows of a file to import: a reading of a counter, a record of our own export, or why the row is bad.

A number keeps every digit that the file has; `at_us` is Unix time in microseconds.
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

# characters of a cell in a message
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
    """Why a line is bad, without a full stop."""

    line: int
    reason: str


class LeftOut(Struct, frozen=True):
    """Readings of which no quarter reading can be made: they are too far apart, and none came at a quarter."""

    count: int


class DatedReading(Struct, frozen=True):
    """A reading at a local time, which may be one of two moments: an hour is repeated where summer time ends."""

    line: int
    text: str
    moments: tuple[int, ...]
    value: Exact


def parse_energy(text: str, unit: str) -> Exact:
    """A counter reading in Wh, from a number with a decimal point or comma. Raises ValueError."""
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{quote_cell(text)} is not a number")
    sign, whole, fraction, power = match[1], match[2], match[3] or "", int(match[4] or 0)
    value = Exact(int(whole + fraction), UNITS[unit.lower()] + power - len(fraction))
    if sign and value.raw:
        raise ValueError(f"{quote_cell(text)} is below zero, which no counter shows")
    if value.raw > INT64_MAX:
        raise ValueError(f"{quote_cell(text)} has more digits than history can store")
    return value


def quote_cell(text: str) -> str:
    """A cell of a file for a message: short, and without control characters."""
    return repr(text.strip()[:_SHOWN])


def sort_readings(readings: Iterable[DatedReading]) -> Iterator[CounterReading | BadRow]:
    """Readings in order of time. Of two at the same local time of a repeated hour the lower one came first."""
    certain: list[CounterReading] = []
    repeated: dict[tuple[int, ...], list[DatedReading]] = defaultdict(list)
    for reading in readings:
        if len(reading.moments) == 1:
            certain.append(CounterReading(reading.line, reading.moments[0], reading.value))
        else:
            repeated[reading.moments].append(reading)
    for moments, pair in repeated.items():
        if len(pair) == len(moments):
            pair.sort(key=lambda reading: reading.value.decimal)
            for reading, at_us in zip(pair, moments, strict=True):
                certain.append(CounterReading(reading.line, at_us, reading.value))
        else:
            for reading in pair:
                reason = f"{quote_cell(reading.text)} came twice that night, as summer time ended; write it with offset"
                yield BadRow(reading.line, reason)
    yield from sorted(certain, key=lambda reading: reading.at_us)
