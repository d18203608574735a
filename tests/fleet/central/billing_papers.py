"""What a landlord hands out of a random house, as an oracle finds it: statements, and shares of its solar power."""

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from html.parser import HTMLParser
from io import StringIO
from itertools import groupby, pairwise
from random import Random
from zoneinfo import ZoneInfo

from msgspec import Struct

from fleet.central.billed_house import BERLIN, EXPORT, IMPORT, TENANTS, House
from fleet.central.billing_questions import GROUPS, TOKENS, Told, Within, at, wh
from fleet.central.shown_readings import Column, tenths
from iskra_server.fleet.central.label_periods import Group
from iskra_server.fleet.central.solar_allocation import by_month, read_house, share
from iskra_server.fleet.central.solar_csv import write_months, write_quarters
from iskra_server.fleet.central.statement import groups_among, statement
from iskra_server.fleet.central.statement_csv import write_csv
from iskra_server.fleet.central.statement_html import html
from iskra_server.history.store.recorded_meter import recorded_meter


class Asked(Struct, frozen=True):
    """What a statement is asked for: between the first of these edges of months and the last."""

    groups: Sequence[tuple[str, str]]
    within: Within
    edges: Sequence[int]
    tz: ZoneInfo


def check_statements(told: Told, random: Random, period: dict[str, str], tz: ZoneInfo) -> None:
    edges = told.edges(period, "month", tz)
    span = tuple(datetime.fromtimestamp(edge * 900, UTC) for edge in (edges[0], edges[-1]))
    now = datetime.now(UTC)
    tenants = groups_among(told.store, Group("building", "7"), "tenant", (span[0], span[1]), now)
    true = {
        name
        for name in TENANTS
        if any(flat.spans([("building", "7"), ("tenant", name)], edges[0], edges[-1]) for flat in told.house.all)
    }
    assert {group.value for group in tenants} == true
    asked = [[group] for group in GROUPS] + [[("building", "7"), ("tenant", name)] for name in TENANTS]
    for groups in random.sample(asked, 3):
        for within in TOKENS.values():
            named = [Group(*group) for group in groups]
            allowed = None if within is None else [Group(*group) for group in within]
            made = statement(told.store, named, (span[0], span[1]), now, tz=tz, within=allowed)
            text = StringIO()
            write_csv(made, text, "en")
            _check_statement(told.house, text.getvalue(), html(made, "en"), Asked(groups, within, edges, tz))


def _check_statement(house: House, table: str, page: str, asked: Asked) -> None:
    edges, tz = asked.edges, asked.tz
    true: list[tuple[object, ...]] = []
    sums: dict[str, list[int | None]] = defaultdict(list)
    for flat in sorted(house.all, key=lambda flat: flat.newest):
        for span in flat.spans(asked.groups, edges[0], edges[-1], asked.within):
            for obis in (IMPORT, EXPORT):
                if column := flat.columns.get(obis):
                    true += _rows((flat.newest, str(obis)), column, span, asked)
                    sums[str(obis)].append(column.energy(*span))
    for name, energies in sorted(sums.items()):
        total = sum(energy for energy in energies if energy is not None)
        true.append(("total", "", name, at(edges[0], tz), at(edges[-1], tz), "", "", "", "", wh(total), "", "", ""))
    rows = [row for row in csv.DictReader(StringIO(table)) if row["kind"] in ("month", "total", "between")]
    told = [
        (
            *(row[name] for name in ("kind", "meter", "register", "begin", "end")),
            *(row["first_time"], _number(row["first_wh"]), row["last_time"], _number(row["last_wh"])),
            _number(row["energy_wh"]),
            *(row[name] for name in ("quarters", "missing", "estimated")),
        )
        for row in rows
    ]
    assert told == true, asked
    assert _energies_of(page) == list(_energies_on_page(true)), asked


def check_shares(told: Told, random: Random, period: dict[str, str]) -> None:
    edges, tz = told.edges(period, "month", BERLIN), BERLIN
    begin, end = edges[0], edges[-1]
    plant = told.house.plant
    recorded = recorded_meter(told.store, [plant.newest])
    assert recorded
    span = datetime.fromtimestamp(begin * 900, UTC), datetime.fromtimestamp(end * 900, UTC)
    measured = read_house(told.store, Group("building", "7"), (recorded, EXPORT), span, datetime.now(UTC))
    key = {"Meyer": Decimal("0.37"), "Neu": Decimal("0.21"), "Kim": Decimal("0.42")}
    for parts in random.sample([None, key], 1):
        quarters, months = StringIO(), StringIO()
        rows = by_month(write_quarters(share(measured, parts), measured.scaler, quarters, tz), tz)
        write_months(rows, measured.scaler, months)
        _check_shares(told.house, quarters.getvalue(), months.getvalue(), edges, parts)


def _check_shares(
    house: House, quarters: str, months: str, edges: Sequence[int], parts: dict[str, Decimal] | None
) -> None:
    begin, end, tz = edges[0], edges[-1], BERLIN
    told: dict[str, dict[str, dict[str, str]]] = defaultdict(dict)
    for row in csv.DictReader(StringIO(quarters)):
        told[row["begin"]][row["participant"]] = row
    sums: dict[tuple[str, str], list[Decimal | int]] = defaultdict(lambda: [Decimal(0)] * 5 + [0, 0])
    assert list(told) == [at(quarter, tz) for quarter in range(begin, end)]
    for quarter in range(begin, end):
        rows = dict(told[at(quarter, tz)])
        whole = rows.pop("")
        month = f"{datetime.fromtimestamp(quarter * 900, tz):%Y-%m}"
        generated = _own_energy(house.plant.columns.get(EXPORT), quarter)
        used = _consumption(house, quarter)
        assert {name: _number(row["consumption_wh"]) for name, row in rows.items()} == {
            name: "" if one is None else wh(one) for name, one in used.items()
        }, at(quarter, tz)
        assert _number(whole["generation_wh"]) == ("" if generated is None else wh(generated)), at(quarter, tz)
        is_known = generated is not None and None not in used.values()
        for name in ("", *rows):
            sums[month, name][5 if is_known else 6] += 1
        if not is_known or generated is None:
            assert not any(row["share_wh"] for row in (whole, *rows.values()))
            assert whole["lacking"]
            continue
        known = {name: energy or 0 for name, energy in used.items()}
        shares = {name: Decimal(row["share_wh"]) for name, row in rows.items()}
        surplus = Decimal(whole["surplus_wh"])
        assert sum(shares.values()) + surplus == wh(generated)
        assert Decimal(whole["share_wh"]) == sum(shares.values())
        for name, row in rows.items():
            exact = _exact_share(generated, known, name, parts)
            assert abs(Fraction(shares[name]) * 10 - exact) < Fraction(1, 100), (name, at(quarter, tz))
            assert 0 <= shares[name] <= Decimal(row["consumption_wh"])
            assert Decimal(row["residual_wh"]) == Decimal(row["consumption_wh"]) - shares[name]
            of_month = sums[month, name]
            of_month[1] += Decimal(row["consumption_wh"])
            of_month[2] += shares[name]
        of_house = sums[month, ""]
        of_house[0] += wh(generated) or 0
        of_house[1] += wh(sum(known.values())) or 0
        of_house[2] += sum(shares.values())
        of_house[4] += surplus
    for row in csv.DictReader(StringIO(months)):
        true = sums.pop((row["month"], row["participant"]))
        names = ("consumption_wh", "share_wh", "quarters", "not_divided")
        assert [Decimal(row[name]) for name in names] == [true[1], true[2], true[5], true[6]]
        assert Decimal(row["residual_wh"]) == true[1] - true[2]
        if not row["participant"]:
            assert (Decimal(row["generation_wh"]), Decimal(row["surplus_wh"])) == (true[0], true[4])
    assert not sums


def _consumption(house: House, quarter: int) -> dict[str, int | None]:
    used: dict[str, int | None] = {}
    for flat in house.flats:
        name = flat.group("tenant", quarter)
        if name is None or flat.group("building", quarter) != "7":
            continue
        own, known = _own_energy(flat.columns.get(IMPORT), quarter), used.get(name, 0)
        used[name] = None if own is None or known is None else known + own
    return used


def _rows(name: tuple[str, str], column: Column, span: tuple[int, int], asked: Asked) -> Iterator[tuple[object, ...]]:
    """The rows of one register: its months, what lies in none of them, and all of it."""
    tz, inside = asked.tz, 0
    for part in pairwise([span[0], *(edge for edge in asked.edges if span[0] < edge < span[1]), span[1]]):
        inside += column.energy(*part) or 0
        yield "month", *name, *_told(column, part, tz)
    between = (column.energy(*span) or 0) - inside
    if between:
        yield "between", *name, at(span[0], tz), at(span[1], tz), *[""] * 4, wh(between), *[""] * 3
    yield "total", *name, *_told(column, span, tz)


def _exact_share(generated: int, used: dict[str, int], name: str, parts: dict[str, Decimal] | None) -> Fraction:
    if parts:
        return min(Fraction(used[name]), Fraction(parts[name]) * generated)
    total = sum(used.values())
    return Fraction(min(generated, total) * used[name], total) if total else Fraction(0)


def _own_energy(column: Column | None, quarter: int) -> int | None:
    """Of a quarter-hour: both readings, and nothing between them that nobody measured."""
    if column is None or quarter not in column.readings or quarter + 1 not in column.readings:
        return None
    after = column.readings[quarter + 1]
    return after.gain if after.is_whole else None


def _told(column: Column, span: tuple[int, int], tz: ZoneInfo) -> tuple[object, ...]:
    begin, end = span
    places = column.outermost(begin, end)
    quarters: list[int | None] = [None, None] if places is None else [column.order[place] for place in places]
    if quarters[0] is not None and quarters[0] == quarters[1]:
        quarters = [None, quarters[1]] if quarters[1] == end else [quarters[0], None]
    readings = [
        cell
        for quarter in quarters
        for cell in (("", "") if quarter is None else (at(quarter, tz), wh(tenths(column.readings[quarter].value))))
    ]
    energy = column.energy(begin, end)
    measured, estimated = column.count(begin, end)
    counts = map(str, (end - begin, end - begin - measured, estimated))
    return at(begin, tz), at(end, tz), *readings, "" if energy is None else wh(energy), *counts


def _energies_on_page(rows: Sequence[tuple[object, ...]]) -> Iterator[object]:
    """Months in a row of which nothing is known are one row of the page; the totals of all meters stand elsewhere."""
    of_meters = (row for row in rows if row[0] != "total" or row[1])
    for is_unknown, run in groupby(of_meters, key=lambda row: row[0] == "month" and not any(row[5:9])):
        yield from [""] if is_unknown else (row[9] for row in run)


def _number(text: str) -> Decimal | str:
    return Decimal(text) if text else ""


class _Rows(HTMLParser):
    """The cells of the tables below the summary, without their small print."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.is_meter = self.is_cell = self.is_small = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.is_meter = self.is_meter or tag == "section"
        self.is_cell, self.is_small = (tag == "td") or (self.is_cell and tag == "small"), tag == "small"
        if self.is_meter and tag == "tr":
            self.rows.append([])
        if self.is_meter and tag == "td":
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self.is_cell = self.is_cell and tag != "td"
        self.is_small = self.is_small and tag != "small"
        self.is_meter = self.is_meter and tag != "section"

    def handle_data(self, data: str) -> None:
        if self.is_meter and self.is_cell and not self.is_small:
            self.rows[-1][-1] += data


def _energies_of(page: str) -> list[Decimal | str]:
    parser = _Rows()
    parser.feed(page)
    energies = [row[3] if len(row) == 6 else row[1] for row in parser.rows if row]
    return [
        "" if text == "–" else Decimal(text.removesuffix("\u00a0kWh").replace("\u202f", "").replace("−", "-")) * 1000
        for text in energies
    ]
