"""What `homeassistant backfill` changes: planned from Home Assistant's hours and the meter's, written, and undone.

The undo file is written first. An hour that was missing cannot be deleted again: undone, it stands still, which shows
the same bars as no hour at all.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from iskra_server.homeassistant import hourly_statistics
from iskra_server.homeassistant.core_api import CoreApi, CoreError
from iskra_server.homeassistant.gaps import (
    Counter,
    CounterState,
    Disagreement,
    EnergyRow,
    PowerRange,
    earlier,
    gaps,
    power_gaps,
    quarters_of,
    readings_of,
)
from iskra_server.homeassistant.hourly_statistics import StatisticSeries, Values
from iskra_server.homeassistant.our_sensors import OurSensor

# what the server's route `counters` answers for a part of the time
Answers = Sequence[Mapping[str, Any]]

DOMAIN = "iskra_server"
_FORMAT = 1


class Period(Struct, frozen=True):
    """In Unix seconds; a gap counts if it reaches into it."""

    begin_s: int
    end_s: int


class BackfillPlan(Struct, frozen=True):
    """The hours to write into one series: `new` by their beginning, `held` what it has now.

    corrections  by how much the sums from an hour on are raised, where a meter was replaced
    unread       missing hours that the meter was not read in
    """

    series: StatisticSeries
    held: dict[int, Values]
    new: dict[int, Values]
    refusals: list[Disagreement] = []
    corrections: dict[int, Decimal] = {}
    unread: int = 0


class _Undo(Struct, frozen=True):
    series: StatisticSeries
    rows: dict[int, Values]
    corrections: dict[int, Decimal]
    # the series did not exist before
    is_new: bool


class UndoFile(Struct, frozen=True):
    format: int
    home_assistant: str
    undo: list[_Undo]


def series_of(sensor: OurSensor) -> StatisticSeries:
    return StatisticSeries(
        sensor.id, "recorder", sensor.name, sensor.unit, sensor.unit_class, has_mean=sensor.kind == "power"
    )


def external_series(sensor: OurSensor, meter: str) -> StatisticSeries:
    """For the time before the sensor: an id of our own domain, so that Home Assistant never goes on from it."""
    short = "".join(meter.lower().split())
    return StatisticSeries(
        f"{DOMAIN}:{short}_{sensor.key}",
        DOMAIN,
        f"{meter} {sensor.key}",
        sensor.unit,
        sensor.unit_class,
        has_mean=False,
    )


def plan_energy(sensor: OurSensor, held: dict[int, Values], answers: Answers, period: Period) -> BackfillPlan:
    """Fill a counter's missing hours."""
    counter = _counter(sensor, answers)
    rows = [row for start_s, values in held.items() if (row := _energy_row(start_s, values))]
    found, refused = gaps(rows, counter) if counter else ([], [])
    found = [gap for gap in found if gap.before.start_s < period.end_s and gap.after.end_s > period.begin_s]
    new: dict[int, Values] = {}
    for gap in found:
        resets = {name: value for name, value in held[gap.before.start_s].items() if name == "last_reset"}
        new |= {row.start_s: {"state": row.state, "sum": row.sum, **resets} for row in gap.rows}
    return BackfillPlan(
        series_of(sensor),
        held,
        new,
        [each for each in refused if period.begin_s <= each.start_s < period.end_s],
        {gap.after.start_s: gap.correction for gap in found if gap.correction},
        sum(len(gap.unread) for gap in found),
    )


def plan_power(sensor: OurSensor, held: dict[int, Values], answers: Answers, period: Period) -> BackfillPlan:
    quarters: dict[int, PowerRange] = {}
    for answer in answers:
        quarters |= quarters_of(answer, sensor.key, sensor.unit)
    rows = [
        PowerRange(start_s, values["min"], values["mean"], values["max"])
        for start_s, values in held.items()
        if values.keys() >= {"min", "mean", "max"}
    ]
    new: dict[int, Values] = {
        row.start_s: {"mean": row.mean, "min": row.min, "max": row.max}
        for row in power_gaps(rows, quarters)
        if period.begin_s <= row.start_s < period.end_s
    }
    return BackfillPlan(series_of(sensor), held, new)


def plan_earlier(
    sensor: OurSensor, meter: str, sensor_held: Mapping[int, Values], held: dict[int, Values], answers: Answers
) -> BackfillPlan:
    """The years before a sensor's first hour, as a series of their own; `held` is what that has now."""
    counter = _counter(sensor, answers)
    first = next((row for start_s, values in sensor_held.items() if (row := _energy_row(start_s, values))), None)
    rows = earlier(first, counter) if counter and first else []
    expected: dict[int, Values] = {row.start_s: {"state": row.state, "sum": row.sum} for row in rows}
    changed = hourly_statistics.different(held, expected)
    return BackfillPlan(external_series(sensor, meter), held, {start_s: expected[start_s] for start_s in changed})


def bars(values: Mapping[int, Values], new: Mapping[int, Values]) -> dict[int, Decimal]:
    """The energy of each hour with a sum, as the dashboard shows it: the difference to the hour with a sum before."""
    merged, before = {**values, **new}, Decimal(0)
    found: dict[int, Decimal] = {}
    for start_s in sorted(merged):
        total = merged[start_s].get("sum", before)
        found[start_s], before = total - before, total
    return found


def write_undo(path: Path, core: CoreApi, plans: Iterable[BackfillPlan]) -> None:
    """Write what brings the old hours back, for its owner alone. Raises FileExistsError, OSError."""
    content = UndoFile(_FORMAT, core.version, [_undo_of(plan) for plan in plans])
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(content)))
        file.flush()
        os.fsync(file.fileno())


def read_undo(path: Path) -> UndoFile:
    """Raises ValueError, OSError."""
    try:
        content = msgspec.json.decode(path.read_bytes(), type=UndoFile)
    except msgspec.MsgspecError:
        raise ValueError(f"{path} is not an undo file of this command") from None
    if content.format != _FORMAT:
        raise ValueError(f"{path} is of another version of this command")
    return content


def carry_out(core: CoreApi, plan: BackfillPlan, advance: Callable[[int], None]) -> None:
    """Write a plan and read it back: what is not part of it has not changed. Raises CoreError."""
    # first: a run that ended between the two is completed by the next one
    for start_s, amount in plan.corrections.items():
        hourly_statistics.adjust(core, plan.series, start_s, amount)
    hourly_statistics.write(core, plan.series, plan.new, advance)
    rest = {start_s: values for start_s, values in plan.held.items() if start_s not in plan.new}
    for begin_s, amount in plan.corrections.items():
        rest |= {start_s: _raised(values, amount) for start_s, values in rest.items() if start_s >= begin_s}
    if changed := hourly_statistics.different(hourly_statistics.read(core, plan.series), rest):
        raise CoreError(
            f"{len(changed)} hours of {plan.series.id} that were not written have changed meanwhile; look at them, or "
            "bring the old ones back with --undo."
        )


def undo(core: CoreApi, content: UndoFile, advance: Callable[[int], None]) -> None:
    """Bring the old hours back. Raises CoreError."""
    for each in content.undo:
        if each.is_new:
            hourly_statistics.clear(core, each.series)
            advance(len(each.rows))
            continue
        hourly_statistics.write(core, each.series, each.rows, advance)
        for start_s, amount in each.corrections.items():
            hourly_statistics.adjust(core, each.series, start_s, -amount)


def _raised(values: Values, amount: Decimal) -> Values:
    return values | {"sum": values["sum"] + amount} if "sum" in values else values


def _undo_of(plan: BackfillPlan) -> _Undo:
    """An hour that was missing stands still; one of power, which would show a wrong mean, is empty."""
    rows: dict[int, Values] = {}
    last: Values = {}
    for start_s in sorted(plan.held.keys() | plan.new):
        last = plan.held.get(start_s, last)
        if start_s in plan.new:
            rows[start_s] = {} if plan.series.has_mean and start_s not in plan.held else last
    return _Undo(plan.series, rows, plan.corrections, not plan.held)


def _counter(sensor: OurSensor, answers: Answers) -> Counter | None:
    """None if the meter has no such counter."""
    readings: dict[int, CounterState] = {}
    for answer in answers:
        readings |= readings_of(answer, sensor.key, sensor.unit) or {}
    return Counter(readings, sensor.unit) if readings else None


def _energy_row(start_s: int, values: Values) -> EnergyRow | None:
    return EnergyRow(start_s, values["state"], values["sum"]) if values.keys() >= {"state", "sum"} else None
