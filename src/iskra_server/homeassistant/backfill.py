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
from iskra_server.homeassistant.filling import Filling, energy_row, fill_energy, fill_power
from iskra_server.homeassistant.gaps import Counter, Disagreement, earlier
from iskra_server.homeassistant.hourly_statistics import StatisticSeries, Values
from iskra_server.homeassistant.our_sensors import OurSensor
from iskra_server.homeassistant.recorded import readings_of

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

    The rest is that of filling.py.
    """

    series: StatisticSeries
    held: dict[int, Values]
    new: dict[int, Values]
    refusals: list[Disagreement] = []
    corrections: dict[int, Decimal] = {}
    replaced: dict[int, Decimal] = {}
    unread: int = 0


class _Undo(Struct, frozen=True):
    """`sums`: without the correction that begins with an hour, its sum before the rows were written, and after."""

    series: StatisticSeries
    rows: dict[int, Values]
    corrections: dict[int, Decimal]
    sums: dict[int, tuple[Decimal, Decimal]]
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


def plan_energy(
    sensor: OurSensor, held: dict[int, Values], answers: Answers, period: Period, *, may_correct: bool = True
) -> BackfillPlan:
    """Fill a counter's missing hours."""
    span = period.begin_s, period.end_s
    filling = fill_energy(sensor.key, sensor.unit, held, answers, span, may_correct=may_correct)
    return _plan(sensor, held, filling)


def plan_power(sensor: OurSensor, held: dict[int, Values], answers: Answers, period: Period) -> BackfillPlan:
    span = period.begin_s, period.end_s
    return _plan(sensor, held, fill_power(sensor.key, sensor.unit, held, answers, span))


def plan_earlier(
    sensor: OurSensor, meter: str, sensor_held: Mapping[int, Values], held: dict[int, Values], answers: Answers
) -> BackfillPlan:
    """The years before a sensor's first hour, as a series of their own; `held` is what that has now."""
    readings = readings_of(answers, sensor.key, sensor.unit)
    first = next((row for start_s, values in sensor_held.items() if (row := energy_row(start_s, values))), None)
    rows = earlier(first, Counter(readings, sensor.unit)) if readings and first else []
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
    """Write what brings the old hours back, for its owner alone: whole, or not at all.

    Raises FileExistsError, OSError.
    """
    content = UndoFile(_FORMAT, core.version, [_undo_of(plan) for plan in plans])
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        try:
            file.write(msgspec.json.format(msgspec.json.encode(content)))
            file.flush()
            os.fsync(file.fileno())
        except OSError as error:
            path.unlink()
            # that of a full disk names no file
            raise OSError(error.errno, error.strerror, str(path)) from None


def read_undo(path: Path) -> UndoFile:
    """Raises ValueError, OSError."""
    try:
        content = msgspec.json.decode(path.read_bytes(), type=UndoFile)
    except ValueError:
        raise ValueError(f"{path} is not an undo file of this command") from None
    if content.format != _FORMAT:
        raise ValueError(f"{path} is of another version of this command")
    return content


def carry_out(core: CoreApi, plan: BackfillPlan, advance: Callable[[int], None]) -> None:
    """Write a plan and read it back: what is not part of it has not changed. Raises CoreError."""
    if hourly_statistics.different(hourly_statistics.read(core, plan.series), plan.held):
        # such as by a second run at the same time: its corrections would be added twice
        raise CoreError(f"Hours of {plan.series.id} have changed since they were read; run the command again.")
    # first: a run that ended between the two is completed by the next one
    for start_s, amount in plan.corrections.items():
        hourly_statistics.adjust(core, plan.series, start_s, amount)
    hourly_statistics.write(core, plan.series, plan.new, advance)
    rest = {start_s: values for start_s, values in corrected(plan).items() if start_s not in plan.new}
    if changed := hourly_statistics.different(hourly_statistics.read(core, plan.series), rest):
        raise CoreError(
            f"{len(changed)} hours of {plan.series.id} that were not written have changed meanwhile; look at them, or "
            "bring the old ones back with --undo."
        )


def corrected(plan: BackfillPlan) -> dict[int, Values]:
    """The hours that are held, once every sum behind a correction is raised by it."""
    rows = plan.held
    for begin_s, amount in plan.corrections.items():
        rows = rows | {start_s: _raised(values, amount) for start_s, values in rows.items() if start_s >= begin_s}
    return rows


def undo(core: CoreApi, content: UndoFile, advance: Callable[[int], None]) -> None:
    """Bring the old hours back; undone already, also in part, only the rest. Raises CoreError."""
    for each in content.undo:
        if each.is_new:
            hourly_statistics.clear(core, each.series)
            advance(len(each.rows))
            continue
        # first: each row has the sum that it had without them
        for start_s, amount in each.corrections.items():
            _take_back(core, each, start_s, amount)
        hourly_statistics.write(core, each.series, each.rows, advance)


def _take_back(core: CoreApi, each: _Undo, start_s: int, amount: Decimal) -> None:
    """Take a correction out of the sums, unless it is not in them: a run was killed before, or it is undone."""
    if any(hourly_statistics.sum_is(core, each.series, start_s, value + amount) for value in each.sums[start_s]):
        hourly_statistics.adjust(core, each.series, start_s, -amount)
    elif not any(hourly_statistics.sum_is(core, each.series, start_s, value) for value in each.sums[start_s]):
        raise CoreError(
            f"The sums of {each.series.id} have changed since this undo file was written; undo what was written later "
            "first."
        )


def _plan(sensor: OurSensor, held: dict[int, Values], filling: Filling) -> BackfillPlan:
    return BackfillPlan(
        series_of(sensor),
        held,
        filling.new,
        list(filling.refusals),
        filling.corrections,
        filling.replaced,
        filling.unread,
    )


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
    sums: dict[int, tuple[Decimal, Decimal]] = {}
    raised = Decimal(0)
    for start_s, amount in plan.corrections.items():
        raised += amount
        before = plan.held[start_s]["sum"]
        sums[start_s] = (before, plan.new[start_s]["sum"] - raised if start_s in plan.new else before)
    return _Undo(plan.series, rows, plan.corrections, sums, not plan.held)
