"""What several counters counted in the same quarters: only those count that each of them has.

first     12 | 15 | gap 24  | 9         A quarter counts if each counter measured it. So does a gap that begins and
second     3 |  4 | gap 11  |           ends at the same quarters in each: its sums are known.
counted   12   15   24                  What one of them lacks is in no sum: here the last quarter.
           3    4   11
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from itertools import compress, pairwise

from msgspec import Struct

from iskra_server.history.model.quarter_energy import EnergyColumn
from iskra_server.meter.reading import scaled

# both ends of a gap
_Gap = tuple[int, int]


class CommonEnergy(Struct, frozen=True):
    """Wh of each counter, in their order, in the `quarters` (how many) that all of them have.

    `covered` is how many quarters each counter has of its own, common gaps included.
    """

    energies: tuple[Decimal, ...]
    quarters: int
    covered: tuple[int, ...]


def common_energies(
    columns: Sequence[EnergyColumn | None], edges: Sequence[int]
) -> tuple[list[CommonEnergy], CommonEnergy]:
    """Of each period between two edges, and of all of them together: gaps over an edge are in the sum alone.

    `columns` begin with the first edge and end before the last one; None for a counter without a reading. A gap that
    begins before the first edge counts as well.
    """
    first, length = edges[0], edges[-1] - edges[0]
    known = [bytes(column.measured()) if column else bytes(length) for column in columns]
    common = _all_of(known)
    gaps = [{(gap.begin, gap.end): gap.raw for gap in column.gaps} if column else {} for column in columns]
    shared = set.intersection(*(set(gaps_of_one) for gaps_of_one in gaps))
    inside: dict[int, list[_Gap]] = defaultdict(list)
    for gap in shared:
        place = bisect_right(edges, gap[0]) - 1
        if place >= 0 and gap[1] <= edges[place + 1]:
            inside[place].append(gap)

    def energy(begin: int, end: int, counted: Sequence[_Gap]) -> CommonEnergy:
        place = slice(begin - first, end - first)
        of_gaps = sum(gap[1] - gap[0] for gap in counted)
        return CommonEnergy(
            tuple(
                _energy(column, place, common, [own[gap] for gap in counted]) if column else Decimal(0)
                for column, own in zip(columns, gaps, strict=True)
            ),
            common[place].count(1) + of_gaps,
            tuple(measured[place].count(1) + of_gaps for measured in known),
        )

    periods = [energy(*span, inside[place]) for place, span in enumerate(pairwise(edges))]
    return periods, energy(edges[0], edges[-1], sorted(shared))


def add(one: CommonEnergy, other: CommonEnergy) -> CommonEnergy:
    """Of two periods together."""
    return CommonEnergy(
        tuple(left + right for left, right in zip(one.energies, other.energies, strict=True)),
        one.quarters + other.quarters,
        tuple(left + right for left, right in zip(one.covered, other.covered, strict=True)),
    )


def _all_of(known: Sequence[bytes]) -> bytes:
    """1 where each has 1; as integers, because a loop over the quarters of a year takes a hundred times as long."""
    length, common = len(known[0]), int.from_bytes(known[0])
    for measured in known[1:]:
        common &= int.from_bytes(measured)
    return common.to_bytes(length)


def _energy(column: EnergyColumn, place: slice, common: bytes, of_gaps: Sequence[int]) -> Decimal:
    return scaled(sum(compress(column.raws[place], common[place])) + sum(of_gaps), column.scaler)
