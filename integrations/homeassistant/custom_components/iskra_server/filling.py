"""The hours to write into one statistic of Home Assistant, from those that it holds and what the meter counted. No I/O.

This file is the same in the server and in the integration, which cannot import the server.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from .gaps import Counter, Disagreement, EnergyRow, PowerRange, corrected_rows, gaps, power_gaps
from .recorded import quarters_of, readings_of

# a row's values by name: state and sum, or mean, min and max; and last_reset, if the sensor has that
Values = dict[str, Decimal]
Answers = Iterable[Mapping[str, Any]]
# Unix seconds; a gap counts if it reaches into it
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Filling:
    """`new` hours by their beginning.

    refusals     where Home Assistant and the meter disagree: left as it is
    corrections  by how much the sums from an hour on are raised, where the counter restarted in the gap before
    replaced     the same for gaps that are left as they are, since nothing may be corrected
    unread       missing hours that the meter was not read in
    """

    new: dict[int, Values] = field(default_factory=dict)
    refusals: tuple[Disagreement, ...] = ()
    corrections: dict[int, Decimal] = field(default_factory=dict)
    replaced: dict[int, Decimal] = field(default_factory=dict)
    unread: int = 0


def fill_energy(
    key: str, unit: str, held: Mapping[int, Values], answers: Answers, span: Span, *, may_correct: bool
) -> Filling:
    """The missing hours of a counter."""
    readings = readings_of(answers, key, unit)
    if not readings:
        return Filling()
    rows = [row for start_s, values in held.items() if (row := energy_row(start_s, values))]
    found, refused = gaps(rows, Counter(readings, unit))
    found = [gap for gap in found if gap.before.start_s < span[1] and gap.after.end_s > span[0]]
    filled = [gap for gap in found if may_correct or not gap.correction]
    new: dict[int, Values] = {row.start_s: {"state": row.state, "sum": row.sum} for row in corrected_rows(filled)}
    for gap in filled:
        if (reset := held[gap.before.start_s].get("last_reset")) is not None:
            for row in gap.rows:
                new[row.start_s]["last_reset"] = reset
    corrections = {gap.after.start_s: gap.correction for gap in found if gap.correction}
    return Filling(
        new=new,
        refusals=tuple(refusal for refusal in refused if span[0] <= refusal.start_s < span[1]),
        corrections=corrections if may_correct else {},
        replaced={} if may_correct else corrections,
        unread=sum(len(gap.unread) for gap in filled),
    )


def fill_power(key: str, unit: str, held: Mapping[int, Values], answers: Answers, span: Span) -> Filling:
    """The missing hours of power."""
    rows = [
        PowerRange(start_s, values["min"], values["mean"], values["max"])
        for start_s, values in held.items()
        if values.keys() >= {"min", "mean", "max"}
    ]
    found = power_gaps(rows, quarters_of(answers, key, unit))
    return Filling({row.start_s: _power_values(row) for row in found if span[0] <= row.start_s < span[1]})


def energy_row(start_s: int, values: Values) -> EnergyRow | None:
    """None for an hour without a counter."""
    return EnergyRow(start_s, values["state"], values["sum"]) if values.keys() >= {"state", "sum"} else None


def _power_values(row: PowerRange) -> Values:
    return {"mean": row.mean, "min": row.min, "max": row.max}
