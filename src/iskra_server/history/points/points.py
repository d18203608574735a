"""Points: the numbers of one meter's telegrams, packed into blocks column by column.

    byte 1     version
    zlib        head      counts of points, columns, layouts, runs
                columns   OBIS code, scaler, unit
                layouts   count, numbers of columns               which columns a telegram has, in its order
                runs      layout, count of telegrams              a meter seldom changes its layout
                times     series of Unix milliseconds
                values    a series for each column

A series is a column of numbers, packed (packing.py). Damage raises ValueError. docs/history-format.md describes every
byte: this format is user data for decades, and a new one gets a new version.
"""

import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, islice, repeat

from msgspec import Struct

from iskra_server.history.model.moment import moment_of
from iskra_server.history.model.power_ledger import power_mw
from iskra_server.history.model.records import PointBlock
from iskra_server.history.points.packing import Cursor, compress, decode_series, decompress, encode_series, is_storable
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register, Sample
from iskra_server.meter.units import Unit

VERSION = 1
# more than an hour of a telegram a second, wider than any telegram; limits the memory that damaged bytes can claim
MAX_POINTS = 4096
MAX_REGISTERS = 128
MAX_COLUMNS = 4096
# the meter's own time is the last number of a point: its seconds of running, or the time in Unix seconds
METER_TIMES = {"sec_index": Obis.parse("0-0:96.8.0"), "timestamp": Obis.parse("0-0:1.0.0")}

_HEAD, _COLUMN, _RUN = "<HHHH", "<6shH", "<HH"
_MS = 1000
_NO_SCALER, _NO_UNIT = -(1 << 15), (1 << 16) - 1

# code, scaler and unit of a register, and how often the same came before it in the telegram
_Column = tuple[Obis, int | None, Unit | None, int]


class Point(Struct, frozen=True, gc=False):
    """The numbers of one telegram in its order; `at_ms` is Unix time in milliseconds."""

    at_ms: int
    registers: tuple[Register, ...]


class _Block(Struct, frozen=True):
    """A parsed block, its values still packed; `counts` says how many values each column has."""

    columns: list[_Column]
    layouts: list[tuple[int, ...]]
    runs: list[tuple[int, int]]
    times: list[int]
    counts: list[int]
    values: list[bytes]


def point_of(sample: Sample) -> Point:
    """The code, number, scaler and unit of each register of a sample that carries a number."""
    numbers = (
        Register(register.obis, register.raw, register.scaler, register.unit)
        for register in sample.reading.registers
        if not isinstance(register.raw, (bytes, bool)) and _fits(register.raw, register.scaler, register.unit)
    )
    registers = [*islice(numbers, MAX_REGISTERS)]
    time = sample.reading.meter_time
    if len(registers) < MAX_REGISTERS and time and time.kind in METER_TIMES and is_storable(time.seconds):
        registers.append(Register(METER_TIMES[time.kind], time.seconds))
    return Point(moment_of(sample).at_us // 1000, tuple(registers))


def pack(points: Sequence[Point]) -> bytes:
    """The bytes of 1 to MAX_POINTS points of one meter. Raises ValueError for more, or for what no meter sends."""
    if not 0 < len(points) <= MAX_POINTS:
        raise ValueError(f"a block holds 1 to {MAX_POINTS} points, not {len(points)}")
    columns: dict[_Column, int] = {}
    values: list[list[int]] = []
    layouts_of_points = [_put_into_columns(point, columns, values) for point in points]
    layouts = {layout: number for number, layout in enumerate(dict.fromkeys(layouts_of_points))}
    if len(columns) > MAX_COLUMNS or max(map(len, layouts)) > MAX_REGISTERS:
        raise ValueError(f"a block holds {MAX_COLUMNS} columns and {MAX_REGISTERS} registers of a telegram at most")
    runs = [(layouts[layout], len(list(run))) for layout, run in groupby(layouts_of_points)]
    body = [struct.pack(_HEAD, len(points), len(columns), len(layouts), len(runs))]
    body += map(_column_bytes, columns)
    body += (struct.pack(f"<B{len(layout)}H", len(layout), *layout) for layout in layouts)
    body += (struct.pack(_RUN, *run) for run in runs)
    body += map(encode_series, ([point.at_ms for point in points], *values))
    return bytes((VERSION,)) + compress(b"".join(body))


def block_of(meter_id: str, points: Sequence[Point]) -> PointBlock:
    """Pack 1 to MAX_POINTS points, in the order of their arrival; in the mean power each telegram counts the same."""
    first_s, last_s = sorted((points[0].at_ms // _MS, points[-1].at_ms // _MS))
    data = pack(points)
    power = [power for point in points if (power := power_mw(point.registers)) is not None]
    if not power:
        return PointBlock(meter_id, first_s, last_s, len(points), data)
    mean_mw = sum(power) // len(power)
    return PointBlock(meter_id, first_s, last_s, len(points), data, min(power), mean_mw, max(power))


def unpack(data: bytes) -> list[Point]:
    """The points of a block. Raises ValueError where the bytes are damaged."""
    block = _parse(data)
    values = [iter(decode_series(*packed)) for packed in zip(block.values, block.counts, strict=True)]
    times = iter(block.times)
    points: list[Point] = []
    for layout, count in block.runs:
        registers = [
            [Register(obis, raw, scaler, unit) for raw in islice(values[number], count)]
            for number in block.layouts[layout]
            for obis, scaler, unit, _ in (block.columns[number],)
        ]
        rows = zip(*registers, strict=True) if registers else repeat((), count)
        points += map(Point, islice(times, count), rows)
    return points


def read_column(data: bytes, obis: Obis) -> list[tuple[int, int, int]]:
    """Unix milliseconds, number and scaler of one register in each telegram that has it, faster than `unpack`.

    Raises ValueError where the bytes are damaged.
    """
    block = _parse(data)
    rows: list[tuple[int, int, int]] = []
    for number, (code, scaler, _, repetition) in enumerate(block.columns):
        if code == obis and not repetition:
            values = decode_series(block.values[number], block.counts[number])
            rows += zip(_point_numbers(block, number), values, repeat(scaler or 0))
    # a meter that changes a scaler has a column for each
    return [(block.times[place], raw, scaler) for place, raw, scaler in sorted(rows)]


def _point_numbers(block: _Block, number: int) -> Iterator[int]:
    """The numbers of the points that have a value in a column."""
    begin = 0
    for layout, count in block.runs:
        if number in block.layouts[layout]:
            yield from range(begin, begin + count)
        begin += count


def _fits(raw: int, scaler: int | None, unit: int | None) -> bool:
    return is_storable(raw) and _NO_SCALER < (scaler or 0) < -_NO_SCALER and 0 <= (unit or 0) < _NO_UNIT


def _put_into_columns(point: Point, columns: dict[_Column, int], values: list[list[int]]) -> tuple[int, ...]:
    """Append a point's numbers to their columns, and return its layout."""
    layout: dict[int, None] = {}
    for register in point.registers:
        raw, repetition = register.raw, 0
        if isinstance(raw, bytes) or not _fits(raw, register.scaler, register.unit):
            raise ValueError(f"{register.obis} carries no number of 64 bits")
        while (number := columns.get((register.obis, register.scaler, register.unit, repetition))) in layout:
            repetition += 1
        if number is None:
            number = columns[register.obis, register.scaler, register.unit, repetition] = len(columns)
            values.append([])
        layout[number] = None
        values[number].append(raw)
    return tuple(layout)


def _column_bytes(column: _Column) -> bytes:
    obis, scaler, unit, _ = column
    return struct.pack(_COLUMN, obis, _NO_SCALER if scaler is None else scaler, _NO_UNIT if unit is None else unit)


def _parse(data: bytes) -> _Block:
    if data[:1] != bytes((VERSION,)):
        raise ValueError(f"the block of points is damaged or newer: its version is not {VERSION}")
    cursor = Cursor(decompress(data[1:]))
    points, *parts = cursor.numbers(_HEAD)
    if not 0 < points <= MAX_POINTS or parts[0] > MAX_COLUMNS or max(parts[1:]) > points:
        raise ValueError("the block of points is damaged: it counts more than a block holds")
    columns = _columns(cursor, parts[0])
    layouts = [_layout(cursor) for _ in range(parts[1])]
    runs = list(cursor.rows(_RUN, parts[2]))
    counts = _counts(layouts, runs, points, len(columns))
    times = list(decode_series(cursor.series(points), points))
    values = [cursor.series(count) for count in counts]
    cursor.end()
    return _Block(columns, layouts, runs, times, counts, values)


def _columns(cursor: Cursor, count: int) -> list[_Column]:
    before: Counter[tuple[Obis, int | None, Unit | None]] = Counter()
    columns: list[_Column] = []
    for obis, scaler, unit in cursor.rows(_COLUMN, count):
        key = Obis(obis), None if scaler == _NO_SCALER else scaler, None if unit == _NO_UNIT else Unit(unit)
        columns.append((*key, before[key]))
        before[key] += 1
    return columns


def _layout(cursor: Cursor) -> tuple[int, ...]:
    (count,) = cursor.numbers("<B")
    if count > MAX_REGISTERS:
        raise ValueError(f"the block of points is damaged: no telegram has {count} registers")
    return cursor.numbers(f"<{count}H")


def _counts(layouts: list[tuple[int, ...]], runs: list[tuple[int, int]], points: int, columns: int) -> list[int]:
    """How many values each column has. Raises ValueError unless runs, layouts and columns fit each other."""
    counts = [0] * columns
    try:
        for layout, count in runs:
            for number in layouts[layout]:
                counts[number] += count
    except IndexError:
        counts = [0]
    if not all(counts) or sum(count for _, count in runs) != points:
        raise ValueError("the block of points is damaged: its parts do not fit each other")
    return counts
