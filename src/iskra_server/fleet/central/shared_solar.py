"""Solar power of a house, shared among its households in each quarter-hour: par. 42b EnWG.

    static key f:    share_i = min(c_i, f_i x g)           g: generation of the plant, c_i: consumption of household i
    dynamic key:     share_i = min(g, C) x c_i / C         C: consumption of all
    surplus = g - sum of the shares                        residual_i = c_i - share_i, from its own supplier

All energies are whole numbers of one unit, and so are the shares: each is rounded down, and the units that are left go
to the largest remainders, one each. So the shares and the surplus are the generation exactly, and no share is more than
the consumption. Of equal remainders the first in turn gets the unit; `turn` is the number of the quarter.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import lcm

from msgspec import Struct


class StaticKey(Struct, frozen=True):
    """The part of each household in the generation: weights[i] / whole."""

    weights: tuple[int, ...]
    whole: int


def static_key(parts: Sequence[Decimal]) -> StaticKey:
    """Of parts from 0 to 1. Raises ValueError where one is negative or all together are more than 1."""
    fractions = [Fraction(part) for part in parts]
    if any(part < 0 for part in fractions):
        raise ValueError("a share is negative")
    if sum(fractions) > 1:
        raise ValueError(f"the shares add up to {float(sum(fractions)):.6g}, which is more than 1")
    whole = lcm(*(part.denominator for part in fractions))
    return StaticKey(tuple(int(part * whole) for part in fractions), whole)


def static_shares(generation: int, consumption: Sequence[int], key: StaticKey, turn: int) -> list[int]:
    """What each household gets; what one does not use is surplus, not another one's."""
    quotas = _divided(generation, key.weights, key.whole, turn)
    return list(map(min, consumption, quotas))


def dynamic_shares(generation: int, consumption: Sequence[int], turn: int) -> list[int]:
    """What each household gets, by its part in the consumption of the quarter."""
    total = sum(consumption)
    return _divided(min(generation, total), consumption, total, turn) if total else [0] * len(consumption)


def _divided(amount: int, weights: Sequence[int], whole: int, turn: int) -> list[int]:
    """amount x weight / whole, rounded by the largest remainder: together as much as all weights, rounded down."""
    parts, remainders = map(list, zip(*(divmod(amount * weight, whole) for weight in weights), strict=True))
    left, count = amount * sum(weights) // whole - sum(parts), len(parts)
    if left:
        first = sorted(range(count), key=lambda place: (-remainders[place], (place - turn) % count))
        for place in first[:left]:
            parts[place] += 1
    return parts
