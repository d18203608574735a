"""The loads of a household on one day: power, phase, start and end.

Times are seconds of the day in central European standard time, powers milliwatt. Loads end at
midnight.
"""

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

DAY_S = 86_400
MINUTE = 60
HOUR = 3600
L1, L2, L3 = 0, 1, 2
MONDAY_1970 = 3
SATURDAY = 5


class Load(NamedTuple):
    """A constant power on one phase from `start` to before `end`; negative for a generator."""

    start: int
    end: int
    phase: int
    power_mw: int


def loads(day: int, chance: Random) -> list[Load]:
    """All loads of `day` (days since 1970)."""
    weekend = (day + MONDAY_1970) % 7 >= SATURDAY
    wake = (8 if weekend else 6) * HOUR + _about(chance, 40 * MINUTE)
    return [
        load
        for part in (
            _standby(chance),
            _fridge(chance),
            _breakfast(chance, wake),
            _cooking(chance, 12 * HOUR, likely=0.75 if weekend else 0.2),
            _cooking(chance, 18 * HOUR, likely=0.85),
            _washing(chance, likely=0.65 if weekend else 0.3),
            _dishwasher(chance),
            _evening(day, chance),
        )
        for load in part
        if load.start < load.end <= DAY_S
    ]


def _about(chance: Random, spread_s: int) -> int:
    return int(chance.random() * spread_s)


def _standby(chance: Random) -> Iterator[Load]:
    for phase, watt in ((L1, 48), (L2, 27), (L3, 21)):
        yield Load(0, DAY_S, phase, watt * 1000 + _about(chance, 9000))


def _fridge(chance: Random) -> Iterator[Load]:
    start = _about(chance, 40 * MINUTE)
    while start < DAY_S:
        end = start + 14 * MINUTE + _about(chance, 3 * MINUTE)
        yield Load(start, min(end, DAY_S), L2, 84_000)
        start = end + 28 * MINUTE + _about(chance, 6 * MINUTE)


def _breakfast(chance: Random, wake: int) -> Iterator[Load]:
    yield Load(wake, wake + 3 * MINUTE + _about(chance, MINUTE), L3, 2_050_000)
    toast = wake + 6 * MINUTE
    yield Load(toast, toast + 150, L3, 870_000)
    yield Load(wake, wake + 45 * MINUTE, L1, 62_000)


def _cooking(chance: Random, around: int, likely: float) -> Iterator[Load]:
    """Two hotplates with thermostats, and sometimes the oven."""
    if chance.random() > likely:
        return
    begin = around + _about(chance, HOUR)
    for phase, power_mw, minutes in ((L1, 1_800_000, 28), (L3, 1_200_000, 18)):
        start = begin + _about(chance, 5 * MINUTE)
        yield Load(start, start + 5 * MINUTE, phase, power_mw)
        for again in range(start + 7 * MINUTE, start + minutes * MINUTE, 130):
            yield Load(again, again + 40, phase, power_mw)
    if chance.random() < 0.25:
        yield Load(begin, begin + 11 * MINUTE, L2, 2_300_000)
        for again in range(begin + 15 * MINUTE, begin + 50 * MINUTE, 5 * MINUTE):
            yield Load(again, again + 90, L2, 2_300_000)


def _washing(chance: Random, likely: float) -> Iterator[Load]:
    if chance.random() > likely:
        return
    start = 9 * HOUR + _about(chance, 8 * HOUR)
    heated = start + 4 * MINUTE + 13 * MINUTE
    yield Load(start + 4 * MINUTE, heated, L2, 1_950_000)
    yield Load(start, heated + 55 * MINUTE, L2, 110_000)
    yield Load(heated + 55 * MINUTE, heated + 63 * MINUTE, L2, 420_000)


def _dishwasher(chance: Random) -> Iterator[Load]:
    if chance.random() > 0.6:
        return
    start = 19 * HOUR + 30 * MINUTE + _about(chance, HOUR)
    yield Load(start, start + 85 * MINUTE, L3, 55_000)
    for heating, minutes in ((start + 8 * MINUTE, 12), (start + 58 * MINUTE, 10)):
        yield Load(heating, heating + minutes * MINUTE, L3, 1_900_000)


def _evening(day: int, chance: Random) -> Iterator[Load]:
    """Lights from dusk, which comes between half past four and half past eight, and a television."""
    from_solstice = abs(day % 365 - 172)
    dusk = 20 * HOUR + 30 * MINUTE - from_solstice * 75
    bedtime = 22 * HOUR + _about(chance, 80 * MINUTE)
    yield Load(dusk + _about(chance, 20 * MINUTE), bedtime, L1, 95_000)
    yield Load(19 * HOUR + _about(chance, HOUR), bedtime - _about(chance, 30 * MINUTE), L2, 105_000)
