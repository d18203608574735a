"""Hourly statistics in Home Assistant: read them, write them, and wait until they are there.

`recorder/import_statistics` replaces the row of the same hour as a whole, and only queues it. There is no command to
delete a row. The form of its metadata changed with 2025.11: `mean_type` and `unit_class`, required from 2026.11 on,
instead of `has_mean`; each form is refused by releases that do not know it.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice

from msgspec import Struct

from iskra_server.homeassistant.core_api import CoreApi, CoreError

# a row's values by name: state and sum, or mean, min and max; and last_reset in ms, if the sensor has that
Values = dict[str, Decimal]

_VALUES = ("state", "sum", "last_reset", "mean", "min", "max")
_BLOCK = 1_000
_NEW_FORM = (2025, 11)
_WRITTEN_WITHIN_S = 120.0
_EVERY_S = 0.5
# what floats make of a sum in Wh
_SAME = Decimal("1e-6")


class StatisticSeries(Struct, frozen=True):
    """Statistics of an entity, or of a domain of its own: `source` is recorder or the domain."""

    id: str
    source: str
    name: str | None
    unit: str
    unit_class: str
    has_mean: bool


def read(core: CoreApi, series: StatisticSeries) -> dict[int, Values]:
    """All its hours, by their beginning in Unix seconds, in order."""
    rows = core.ask(
        "recorder/statistics_during_period",
        start_time="1970-01-01T00:00:00+00:00",
        statistic_ids=[series.id],
        period="hour",
        types=list(_VALUES),
        units={series.unit_class: series.unit},
    ).get(series.id, ())
    return {
        int(row["start"]) // 1000: {name: Decimal(row[name]) for name in _VALUES if row.get(name) is not None}
        for row in rows
    }


def write(core: CoreApi, series: StatisticSeries, rows: Mapping[int, Values], advance: Callable[[int], None]) -> None:
    """Queue these rows, and wait until Home Assistant has them. Raises CoreError."""
    metadata: dict[str, object] = {
        "has_sum": not series.has_mean,
        "name": series.name,
        "source": series.source,
        "statistic_id": series.id,
        "unit_of_measurement": series.unit,
    }
    if _release(core.version) >= _NEW_FORM:
        metadata |= {"mean_type": int(series.has_mean), "unit_class": series.unit_class}
    else:
        metadata |= {"has_mean": series.has_mean}
    for block in _blocks(sorted(rows)):
        stats = [{"start": _moment(start_s), **_as_json(rows[start_s])} for start_s in block]
        core.ask("recorder/import_statistics", metadata=metadata, stats=stats)
        advance(len(block))
    _wait_until(f"has not written the hours of {series.id}", lambda: not different(read(core, series), rows))


def different(held: Mapping[int, Values], expected: Mapping[int, Values]) -> list[int]:
    """The hours that are not held as expected."""
    return [start_s for start_s, values in expected.items() if not _are_same(held.get(start_s), values)]


def adjust(core: CoreApi, series: StatisticSeries, start_s: int, amount: Decimal) -> None:
    """Add an amount to every sum from an hour on, also of what Home Assistant goes on from."""
    adjusted = read(core, series)[start_s]["sum"] + amount
    core.ask(
        "recorder/adjust_sum_statistics",
        statistic_id=series.id,
        start_time=_moment(start_s),
        adjustment=float(amount),
        adjustment_unit_of_measurement=series.unit,
    )
    _wait_until(
        f"has not adjusted the sums of {series.id}",
        lambda: sum_is(core, series, start_s, adjusted),
    )


def sum_is(core: CoreApi, series: StatisticSeries, start_s: int, expected: Decimal) -> bool:
    """Whether this is the sum at the end of an hour."""
    return not different(read(core, series), {start_s: {"sum": expected}})


def clear(core: CoreApi, series: StatisticSeries) -> None:
    """Delete a series as a whole."""
    core.ask("recorder/clear_statistics", statistic_ids=[series.id])
    _wait_until(f"has not deleted {series.id}", lambda: not read(core, series))


def _wait_until(what: str, is_done: Callable[[], bool]) -> None:
    limit_s = time.monotonic() + _WRITTEN_WITHIN_S
    while not is_done():
        if time.monotonic() > limit_s:
            raise CoreError(f"Home Assistant {what} within {_WRITTEN_WITHIN_S:.0f} s; look at its log.")
        time.sleep(_EVERY_S)


def _are_same(held: Values | None, expected: Values) -> bool:
    return held is not None and all(
        name in held and abs(held[name] - Decimal(float(value))) < _SAME for name, value in expected.items()
    )


def _as_json(values: Values) -> dict[str, float | str]:
    return {
        name: _moment(int(value) // 1000) if name == "last_reset" else float(value) for name, value in values.items()
    }


def _moment(unix_s: int) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat()


def _release(version: str) -> tuple[int, ...]:
    """Year and month of a version such as 2026.2.3 or 2026.2.0b1."""
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())


def _blocks(starts: Iterable[int]) -> Iterator[Sequence[int]]:
    remaining = iter(starts)
    while block := list(islice(remaining, _BLOCK)):
        yield block
