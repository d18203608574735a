"""Which household of a house gets how much of its solar power: each quarter, read and divided (par. 42b EnWG).

A participant is a tenant: the meters of the house with his label `tenant` in that quarter. Who moves in or out in the
middle of a month takes part from then, or until then. Meters without this label take no part, nor does the plant, nor
one that counts something else, as gas or what another plant generates.

A quarter is divided only where the plant and every meter of every participant have an energy of their own in it: both
readings at its edges, and no restart or replacement between them, of which nobody knows all that was used. All others
are divided among nobody, and are told; the energy of a gap belongs to no quarter.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.fleet.central.common_groups import in_none
from iskra_server.fleet.central.label_periods import Group, MeterPeriod
from iskra_server.fleet.central.shared_solar import StaticKey, dynamic_shares, static_key, static_shares
from iskra_server.fleet.central.statement import common_points, groups_among, quarters_of
from iskra_server.history.model.periods import quarter_time
from iskra_server.history.model.quarter_energy import EnergyColumn, RawGap, energy_column
from iskra_server.history.store.counter_history import CounterHistory
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.meter.obis import IMPORT, Obis

TENANT = "tenant"
# shares are whole numbers of thousandths of a Wh, or finer where a meter is
_COARSEST = -3
# A, C and D of the codes of all registers of consumption: 1-0:1.8.0, 1-0:1.8.1, 1-1:1.8.0
_CONSUMPTION = IMPORT[0], IMPORT[2], IMPORT[3]
# the energy of each quarter in units; None where it has none of its own
_Energies = Sequence[int | None]


class SolarHouse(Struct, frozen=True):
    """What was measured from quarter `begin` to `end`, in units of 10^scaler Wh.

    generation   of the plant, quarter by quarter
    consumption  of each meter
    tenants      participant -> his meters, each with the quarters in which it is his
    others       meters of the house that take no part for some time of the period or all of it
    no_consumption  meters of tenants that take no part because they do not count consumption
    """

    begin: int
    end: int
    scaler: int
    generation: _Energies
    consumption: Mapping[str, _Energies]
    tenants: Mapping[str, Sequence[MeterPeriod]]
    others: Sequence[str]
    no_consumption: Sequence[str]


class SharedQuarter(Struct, frozen=True):
    """A quarter in units; of each participant of that time his consumption, None where it is not known.

    `shares` is empty where it was not divided: `lacking` names the participants without an energy, "" is the plant.
    """

    quarter: int
    generation: int | None
    consumption: dict[str, int | None]
    shares: dict[str, int]
    lacking: tuple[str, ...]

    @property
    def surplus(self) -> int | None:
        """What nobody of the house used; None where it was not divided."""
        return None if self.lacking or self.generation is None else self.generation - sum(self.shares.values())


class MonthlyShare(Struct):
    """Of a participant in a month, or "" for the house: sums in units over the quarters that were divided.

    `undivided` is how many were not while he took part, `lacking` how many of them because of him, or of the plant for
    the house. `generation` and `surplus` are of the house alone.
    """

    month: tuple[int, int]
    participant: str
    consumption: int = 0
    share: int = 0
    divided: int = 0
    undivided: int = 0
    lacking: int = 0
    generation: int = 0
    surplus: int = 0


def read_house(
    reads: Reads,
    house: Group,
    plant: tuple[RecordedMeter, Obis],
    period: tuple[datetime, datetime],
    now: datetime,
) -> SolarHouse:
    """`plant`: its meter, and the register that counts what it generates. Raises StoreError."""
    begin, end = quarters_of(period, now)
    own, generator = set(plant[0].chain), plant[0].counter(plant[1])
    tenants = {
        group.value: [
            point for point in common_points(reads, [house, group], begin, end) if own.isdisjoint(point.chain)
        ]
        for group in groups_among(reads, house, TENANT, period, now)
    }
    no_consumption = {point.meter_id for points in tenants.values() for point in points if _counts_else(reads, point)}
    tenants = {
        name: counting
        for name, points in tenants.items()
        if (counting := [point for point in points if point.meter_id not in no_consumption])
    }
    chains = {point.meter_id: point.chain for points in tenants.values() for point in points}
    columns = {name: _column(CounterHistory(reads, chain, IMPORT), begin, end) for name, chain in chains.items()}
    produced = _column(generator, begin, end)
    scaler = min([_COARSEST, *(column.scaler for column in (produced, *columns.values()) if column)])
    length = end - begin
    return SolarHouse(
        begin=begin,
        end=end,
        scaler=scaler,
        generation=_energies(produced, scaler, length),
        consumption={name: _energies(column, scaler, length) for name, column in columns.items()},
        tenants=tenants,
        others=[
            point.meter_id
            for point in in_none(common_points(reads, [house], begin, end), tenants.values())
            if own.isdisjoint(point.chain) and point.meter_id not in no_consumption
        ],
        no_consumption=sorted(no_consumption),
    )


def _counts_else(reads: Reads, point: MeterPeriod) -> bool:
    """Whether it counts no consumption; one without a total of its tariffs, or of which nothing is stored, lacks it."""
    stored = {obis for name in point.chain for obis in reads.series(name)}
    return bool(stored) and not any((obis[0], obis[2], obis[3]) == _CONSUMPTION for obis in stored)


def share(house: SolarHouse, parts: Mapping[str, Decimal] | None) -> Iterator[SharedQuarter]:
    """Every quarter in order, by the static key `parts` (participant -> part of the plant), else by the dynamic key.

    Raises ValueError, before the first quarter is divided, where the key is not one for all participants at all times.
    """
    spans = [span for points in house.tenants.values() for point in points for span in point.spans]
    edges = sorted({house.begin, house.end, *(edge for span in spans for edge in span)})
    pieces = [(begin, end, _present(house, begin)) for begin, end in pairwise(edges)]
    keys = [_key(present, parts) for *_, present in pieces]
    for (begin, end, present), key in zip(pieces, keys, strict=True):
        for quarter in range(begin, end):
            yield _shared(house, quarter, present, key)


def by_month(quarters: Iterable[SharedQuarter], tz: ZoneInfo) -> list[MonthlyShare]:
    """By month and participant; the house, "", comes first in each month."""
    months: dict[tuple[tuple[int, int], str], MonthlyShare] = {}
    for quarter in quarters:
        day = quarter_time(quarter.quarter, tz)
        month = day.year, day.month
        rows = {
            name: months.setdefault((month, name), MonthlyShare(month, name)) for name in ("", *quarter.consumption)
        }
        for name, row in rows.items():
            row.divided += not quarter.lacking
            row.undivided += bool(quarter.lacking)
            row.lacking += name in quarter.lacking
        if quarter.surplus is None or quarter.generation is None:
            continue
        whole = rows[""]
        whole.generation += quarter.generation
        whole.surplus += quarter.surplus
        for name, used in quarter.consumption.items():
            for row in (whole, rows[name]):
                row.consumption += used or 0
                row.share += quarter.shares[name]
    return [months[place] for place in sorted(months)]


def _column(counter: CounterHistory, begin: int, end: int) -> EnergyColumn | None:
    """The energy of every quarter; where an epoch begins is a gap."""
    columns = list(counter.columns(begin, end + 1))
    column = energy_column(columns, None, (begin, end), counter.epochs)
    for before, after in pairwise(columns):
        quarter = before.quarters[-1]
        if column and before.epoch != after.epoch and after.quarters[0] == quarter + 1:
            column.gaps.append(RawGap(quarter, quarter + 1, column.raws[quarter - begin]))
    return column


def _energies(column: EnergyColumn | None, scaler: int, length: int) -> _Energies:
    """None where a quarter has no energy of its own. A counter that went back has none either."""
    if column is None:
        return [None] * length
    factor, known = 10 ** (column.scaler - scaler), column.measured()
    return [raw * factor if known[place] and raw >= 0 else None for place, raw in enumerate(column.raws)]


def _present(house: SolarHouse, quarter: int) -> dict[str, list[_Energies]]:
    """The participants in a quarter, and the energies of their meters."""
    present = {
        name: [
            house.consumption[point.meter_id]
            for point in points
            if any(begin <= quarter < end for begin, end in point.spans)
        ]
        for name, points in house.tenants.items()
    }
    return {name: energies for name, energies in present.items() if energies}


def _key(present: Mapping[str, object], parts: Mapping[str, Decimal] | None) -> StaticKey | None:
    if parts is None or not present:
        return None
    if missing := sorted(present.keys() - parts.keys()):
        raise ValueError(f"the key has no share for {', '.join(missing)}")
    return static_key([parts[name] for name in present])


def _shared(
    house: SolarHouse, quarter: int, present: Mapping[str, Sequence[_Energies]], key: StaticKey | None
) -> SharedQuarter:
    place = quarter - house.begin
    generation = house.generation[place]
    consumption = {name: _sum(energies[place] for energies in of_meters) for name, of_meters in present.items()}
    lacking = [name for name, used in consumption.items() if used is None]
    if generation is None:
        return SharedQuarter(quarter, None, consumption, {}, ("", *lacking))
    used = [energy for energy in consumption.values() if energy is not None]
    if lacking:
        return SharedQuarter(quarter, generation, consumption, {}, tuple(lacking))
    shares = static_shares(generation, used, key, quarter) if key else dynamic_shares(generation, used, quarter)
    return SharedQuarter(quarter, generation, consumption, dict(zip(consumption, shares, strict=True)), ())


def _sum(energies: Iterable[int | None]) -> int | None:
    total = 0
    for energy in energies:
        if energy is None:
            return None
        total += energy
    return total
