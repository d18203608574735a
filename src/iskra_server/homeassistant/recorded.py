"""Counters and power as the server has recorded them, from answers of its route `counters`. No I/O; numbers are exact.

This file is the same in the server and in the integration, which cannot import the server.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from .gaps import ENERGY_UNITS, QUARTER_S, CounterState, PowerRange

# of W
POWER_UNITS = {"W": Decimal(1), "kW": Decimal(1_000), "MW": Decimal(1_000_000)}
# sensors of power, by the name of their register; some show one direction
POWER_KEYS = ("power", "power_import", "power_export")
_SIGNS: dict[str, Literal[1, -1]] = {"power_import": 1, "power_export": -1}
_ZERO = Decimal(0)


def half(quarter: PowerRange, sign: Literal[1, -1]) -> PowerRange | None:
    """Power from the grid (1) or to it (-1) alone; None where the direction changed: its mean is not known."""
    if quarter.min < 0 < quarter.max:
        return None
    low, mean, high = sorted(max(value * sign, _ZERO) for value in (quarter.min, quarter.mean, quarter.max))
    return PowerRange(quarter.start_s, low, mean, high)


def readings_of(answers: Iterable[Mapping[str, Any]], key: str, unit: str) -> dict[int, CounterState]:
    """A counter in answers of the server's route `counters`, each for a part of the time; empty if there is none."""
    found: dict[int, CounterState] = {}
    for answer in answers:
        found |= _readings(answer, key, unit)
    return found


def quarters_of(answers: Iterable[Mapping[str, Any]], key: str, unit: str) -> dict[int, PowerRange]:
    """The power in answers of the same route, for a sensor of all of it, or of one direction."""
    found: dict[int, PowerRange] = {}
    for answer in answers:
        found |= _quarters(answer, key, unit)
    return found


def _readings(answer: Mapping[str, Any], key: str, unit: str) -> dict[int, CounterState]:
    column = next((column for column in answer["counters"] if _as_id(column["name"]) == key), None)
    if column is None:
        return {}
    begin_s, factor = _unix_s(answer["begin"]), ENERGY_UNITS[unit]
    shown_wh = column["shown_wh"]
    pairs = zip(shown_wh, column.get("total_wh", shown_wh), strict=True)
    return {
        begin_s + place * QUARTER_S: CounterState(Decimal(shown) / factor, Decimal(total) / factor)
        for place, (shown, total) in enumerate(pairs)
        if shown is not None
    }


def _quarters(answer: Mapping[str, Any], key: str, unit: str) -> dict[int, PowerRange]:
    begin_s, factor, power = _unix_s(answer["begin"]), POWER_UNITS[unit], answer["power"]
    found: dict[int, PowerRange] = {}
    for place, values in enumerate(zip(power["min_w"], power["mean_w"], power["max_w"], strict=True)):
        if values[0] is not None:
            quarter: PowerRange | None = PowerRange(
                begin_s + place * QUARTER_S, *(Decimal(value) / factor for value in values)
            )
            if quarter and key in _SIGNS:
                quarter = half(quarter, _SIGNS[key])
            if quarter:
                found[quarter.start_s] = quarter
    return found


def _as_id(name: str) -> str:
    """A register's name in a unique id; one outside the table is named by its OBIS code."""
    return "".join(character if character.isalnum() else "_" for character in name)


def _unix_s(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())
