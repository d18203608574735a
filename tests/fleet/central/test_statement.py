"""What a tenant's statement says: exact energy of his months, and everything that is wrong with it."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from sqlalchemy import delete, insert, update

from history.entries import METER
from iskra_server.fleet.central.label_periods import Group
from iskra_server.fleet.central.statement import MAX_GAPS, MeterStatement, Statement, statement
from iskra_server.fleet.central.statement_remarks import RemarkKind
from iskra_server.fleet.central.statement_texts import sentence
from iskra_server.history.model.periods import parse_period
from iskra_server.history.model.records import EpochStart, Exact, MeterInfo, Quality, QuarterReading, Record, start_s
from iskra_server.history.store.schema import (
    ALWAYS,
    conflict,
    label,
    live,
    meter,
    meter_reader,
    reader,
    refused,
    series,
)
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import Obis
from samples import EXPORT, IMPORT

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2027, 1, 10, tzinfo=UTC)
MEYER, NEU, HOUSE = Group("tenant", "Meyer"), Group("tenant", "Neu"), Group("building", "7")


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/central.sqlite")
    yield store
    store.close()


def quarter(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()) // 900


OCTOBER, NOVEMBER, MOVE, DECEMBER = map(quarter, ("2026-10-01", "2026-11-01", "2026-11-16", "2026-12-01"))


# the readings of tests that need no October begin here
START = NOVEMBER - 8


def named(place: int) -> MeterInfo:
    return replace(METER, meter_id=f"1 ISK 00 {place:08}")


def write(
    store: Store,
    info: MeterInfo,
    quarters: Iterable[int],
    *,
    first: int = OCTOBER,
    raw: int = 0,
    quality: Quality = "measured",
) -> None:
    """A counter that shows `raw` at `first` and counts 25 Wh a quarter; it exports 1 Wh."""
    rows: list[Record] = [
        row
        for at in quarters
        for row in (
            QuarterReading(info.meter_id, IMPORT, at, Exact(raw + 250 * (at - first), -1), quality),
            QuarterReading(info.meter_id, EXPORT, at, Exact(at - first, 0), quality),
        )
    ]
    store.write(rows, [info])
    with store.transaction() as connection:
        number = store.meter_row_ids(connection, [info.meter_id])[info.meter_id]
        connection.execute(delete(live).where(live.c.meter == number))
        connection.execute(insert(live).values(meter=number, reader="cellar", at_s=start_s(rows[-1])))


def assign(store: Store, info: MeterInfo, kind: str, value: str, *span: int) -> None:
    begin, end = (*span, ALWAYS)[:2] if span else (0, ALWAYS)
    with store.transaction() as connection:
        number = store.meter_row_ids(connection, [info.meter_id])[info.meter_id]
        row = {"meter": number, "kind": kind, "value": value, "from_quarter": begin, "to_quarter": end}
        connection.execute(insert(label), [row])


def made(store: Store, *groups: Group, period: str = "2026-11", now: datetime = NOW) -> Statement:
    return statement(store, groups, parse_period(period, now, BERLIN), now, tz=BERLIN)


def kinds(of: MeterStatement) -> list[RemarkKind]:
    """Each once, in order."""
    return list(dict.fromkeys(remark.kind for part in of.registers for remark in part.remarks)) + [
        remark.kind for remark in of.remarks
    ]


def test_each_tenant_has_his_own_months_to_the_last_watt_hour(sqlite: Store) -> None:
    flat = named(1)
    write(sqlite, flat, range(OCTOBER, DECEMBER + 1), raw=123_456)
    assign(sqlite, flat, "tenant", "Meyer", 0, MOVE)
    assign(sqlite, flat, "tenant", "Neu", MOVE)
    ((meyer,), (neu,)) = (made(sqlite, group, period="2026").meters for group in (MEYER, NEU))
    imported, exported = meyer.registers
    assert [part.obis for part in meyer.registers] == [IMPORT, EXPORT]
    assert (imported.total.begin, imported.total.end) == (quarter("2026-01-01"), MOVE)
    assert imported.total.energy_wh == 25 * (MOVE - OCTOBER)
    assert exported.total.energy_wh == MOVE - OCTOBER
    # October has an hour more
    assert [month.energy_wh for month in imported.months][-2:] == [25 * (31 * 96 + 4), 25 * 15 * 96]
    assert imported.total.first and imported.total.first.value == Exact(123_456, -1)
    assert [remark.kind for remark in imported.remarks] == ["late_begin"]
    assert neu.registers[0].total.begin == MOVE
    assert neu.registers[0].total.energy_wh == 25 * (DECEMBER - MOVE)
    assert neu.registers[0].total.last and neu.registers[0].total.last.quarter == DECEMBER


def test_a_complete_month_has_no_remark(sqlite: Store) -> None:
    flats = [named(1), named(2)]
    for flat in flats:
        write(sqlite, flat, range(START, DECEMBER + 1))
        assign(sqlite, flat, "building", "7")
    of = made(sqlite, HOUSE)
    assert [kinds(each) for each in of.meters] == [[], []]
    assert [(total.obis, total.energy_wh, total.spans, total.complete) for total in of.totals] == [
        (IMPORT, Decimal(2 * 25 * 30 * 96), 2, 2),
        (EXPORT, Decimal(2 * 30 * 96), 2, 2),
    ]


def test_a_tenant_of_a_house_has_only_what_is_in_both_groups(sqlite: Store) -> None:
    for place, house in ((1, "7"), (2, "8")):
        write(sqlite, named(place), range(START, DECEMBER + 1))
        assign(sqlite, named(place), "building", house)
        assign(sqlite, named(place), "tenant", "Meyer", NOVEMBER + 4, MOVE)
    (only,) = made(sqlite, HOUSE, MEYER).meters
    assert only.meter_id == named(1).meter_id
    assert (only.registers[0].total.begin, only.registers[0].total.end) == (NOVEMBER + 4, MOVE)


def test_gaps_and_missing_ends_are_told_with_what_is_known(sqlite: Store) -> None:
    flat, day = named(1), range(NOVEMBER + 960, NOVEMBER + 1056)
    known = {*range(START, DECEMBER + 40)} - {*range(NOVEMBER - 2, NOVEMBER + 3)} - {*day}
    write(sqlite, flat, [at for at in known if at < DECEMBER - 5])
    write(sqlite, flat, [DECEMBER + 20])
    assign(sqlite, flat, "tenant", "Meyer")
    (of,) = made(sqlite, MEYER).meters
    imported = of.registers[0]
    remarks = {remark.kind: remark for remark in imported.remarks if remark.kind != "open_gap"}
    assert kinds(of) == ["late_begin", "early_end", "open_gap", "gap"]
    gap = remarks["gap"]
    assert (gap.begin_s, gap.end_s, gap.count) == ((day[0] - 1) * 900, (day[-1] + 1) * 900, 97)
    assert gap.energies_wh == (Decimal(25 * 97),)
    # their energy may be that of another tenant, in part
    around = [
        (remark.begin_s, remark.end_s, remark.energies_wh) for remark in imported.remarks if remark.kind == "open_gap"
    ]
    assert around == [
        ((NOVEMBER - 3) * 900, (NOVEMBER + 3) * 900, ()),
        ((DECEMBER - 6) * 900, (DECEMBER + 20) * 900, ()),
    ]
    total = imported.total
    assert total.energy_wh == 25 * (DECEMBER - 6 - NOVEMBER - 3)
    assert total.missing == 3 + 6 + 97


def test_the_months_and_what_lies_between_them_are_the_total(sqlite: Store) -> None:
    write(sqlite, named(1), [at for at in range(OCTOBER, DECEMBER + 1) if abs(at - NOVEMBER) > 1])
    assign(sqlite, named(1), "tenant", "Meyer")
    (of,) = made(sqlite, MEYER, period="2026").meters
    imported = of.registers[0]
    assert imported.between == 100
    assert sum(month.energy_wh or 0 for month in imported.months) + imported.between == imported.total.energy_wh


def test_of_many_gaps_the_longest_are_listed(sqlite: Store) -> None:
    missing = {NOVEMBER + 10 * at for at in range(1, MAX_GAPS + 3)} | {DECEMBER - 10, DECEMBER - 9}
    write(sqlite, named(1), [at for at in range(START, DECEMBER + 1) if at not in missing])
    assign(sqlite, named(1), "tenant", "Meyer")
    remarks = made(sqlite, MEYER).meters[0].registers[0].remarks
    assert [remark.kind for remark in remarks] == ["gap"] * MAX_GAPS + ["more_gaps"]
    assert (remarks[-1].count, remarks[-2].count) == (3, 3)


def test_a_replaced_meter_goes_on_with_both_readings_named(sqlite: Store) -> None:
    old, new = named(1), named(2)
    write(sqlite, old, range(START, MOVE + 1), raw=5_000_000)
    write(sqlite, new, range(MOVE + 2, DECEMBER + 1), first=MOVE + 2, raw=70)
    sqlite.replace_meter(old.meter_id, new.meter_id)
    assign(sqlite, old, "tenant", "Meyer")
    (of,) = made(sqlite, MEYER).meters
    imported = of.registers[0]
    assert (of.meter_id, imported.total.energy_wh) == (new.meter_id, Decimal(25 * (30 * 96 - 2)))
    replaced = next(remark for remark in imported.remarks if remark.kind == "replaced")
    last = Decimal(5_000_000 + 250 * (MOVE - OCTOBER)).scaleb(-1)
    assert (replaced.names, replaced.energies_wh) == ((old.meter_id, new.meter_id), (last, Decimal("7.0")))


def test_a_counter_that_restarted_is_named(sqlite: Store) -> None:
    flat = named(1)
    write(sqlite, flat, range(START, MOVE))
    after = [
        QuarterReading(flat.meter_id, IMPORT, at, Exact(at - MOVE, 0), "measured", 1)
        for at in range(MOVE, DECEMBER + 1)
    ]
    sqlite.write([*after, EpochStart(flat.meter_id, IMPORT, 1, MOVE * 900 - 60, Exact(900, 3), Exact(0, 0))])
    assign(sqlite, flat, "tenant", "Meyer")
    (of,) = made(sqlite, MEYER).meters
    restarted = next(remark for remark in of.registers[0].remarks if remark.kind == "restarted")
    assert (restarted.begin_s, restarted.energies_wh) == (MOVE * 900 - 60, (Decimal(900_000), Decimal(0)))


def test_estimated_quarter_hours_have_their_share(sqlite: Store) -> None:
    write(sqlite, named(1), [at for at in range(START, DECEMBER + 1) if at != NOVEMBER + 50])
    write(sqlite, named(1), [NOVEMBER + 50], quality="interpolated")
    assign(sqlite, named(1), "tenant", "Meyer")
    remark = made(sqlite, MEYER).meters[0].registers[0].remarks[0]
    assert (remark.kind, remark.count, remark.of) == ("estimated", 2, 30 * 96)


def test_what_the_central_server_knows_of_trouble_is_told(store: Store) -> None:
    flat = named(1)
    write(store, flat, range(START, MOVE))
    assign(store, flat, "tenant", "Meyer")
    with store.transaction() as connection:
        state: dict[str, object] = {
            "name": "cellar",
            "at_s": 1,
            "ok": False,
            "sentence": "The head has fallen off.",
            "status": "[]",
        }
        connection.execute(
            insert(reader), [state | {"skew_s": 400, "waiting": 3, "refused": 1, "oldest_s": 900 * MOVE}]
        )
        number = connection.execute(series.select().where(series.c.obis == str(IMPORT))).one().id
        other = {
            "series": number,
            "quarter": NOVEMBER + 7,
            "reader": "attic",
            "raw": 12,
            "scaler": 0,
            "at_s": 1,
            "quality": 0,
        }
        kept = {"kept_raw": 77, "kept_scaler": -1, "kept_reader": "cellar"}
        of_table = [{name: value for name, value in (other | kept).items() if name in conflict.c}]
        of_table.append({**of_table[0], "quarter": NOVEMBER + 8} | dict.fromkeys(kept))
        connection.execute(insert(conflict), of_table)
        message = b'{"v":9,"meter":"%b","counters":{"1.8.0":["?"]}}' % flat.meter_id.encode()
        topic = "iskra/v1/cellar/quarters"
        rows = [
            {"at_s": 900 * MOVE + at, "topic": topic, "reason": "?", "octets": data}
            for at, data in enumerate((message + b"?" * 9_000, b"\0", message.replace(b"00000001", b"00000009")))
        ]
        connection.execute(insert(refused), rows)
        connection.execute(update(meter).where(meter.c.meter_id == flat.meter_id).values(simulated=True))
    (of,) = made(store, MEYER).meters
    found = {remark.kind: remark for remark in of.remarks}
    assert list(found) == [
        "simulated",
        "conflict",
        "not_stored",
        "refused",
        "refused_unread",
        "silent",
        "reader_problem",
        "waiting",
        "clock",
    ]
    assert found["conflict"].energies_wh == (Decimal(12), Decimal("7.7"))
    assert found["not_stored"].energies_wh == (Decimal(12), None)
    assert (found["refused"].count, found["refused_unread"].count) == (1, 1)
    assert found["reader_problem"].names == ("cellar",)
    assert (found["waiting"].count, found["waiting"].of, found["waiting"].begin_s) == (3, 1, 900 * MOVE)
    assert found["clock"].count == 400


def test_unreadable_messages_are_those_of_the_reader_that_sent_them(sqlite: Store) -> None:
    """Of a meter that was moved: the reader that had it before, whose name comes first, sent none of them."""
    write(sqlite, named(1), range(START, MOVE))
    assign(sqlite, named(1), "tenant", "Meyer")
    with sqlite.transaction() as connection:
        number = connection.execute(meter.select()).one().id
        names = ("attic", "cellar", "loft")
        connection.execute(
            insert(meter_reader), [{"meter": number, "since_s": at, "reader": name} for at, name in enumerate(names)]
        )
        rows = [
            {"at_s": 900 * MOVE + at, "topic": f"iskra/v1/{name}/quarters", "reason": "?", "octets": data}
            for at, (name, data) in enumerate(
                # the second one is no UTF-8
                (("cellar", b"\0"), ("loft", b'{"meter":"\xff"}'), ("cellar", b'{"meter":"'), ("garage", b"\0"))
            )
        ]
        connection.execute(insert(refused), rows)
    remarks = made(sqlite, MEYER).meters[0].remarks
    unread = [(each.names, each.count, each.end_s) for each in remarks if each.kind == "refused_unread"]
    assert unread == [(("cellar",), 2, 900 * MOVE + 2), (("loft",), 1, 900 * MOVE + 1)]


def test_what_is_wrong_with_a_reader_now_is_not_on_a_complete_statement(sqlite: Store) -> None:
    write(sqlite, named(1), range(START, MOVE + 1))
    assign(sqlite, named(1), "tenant", "Meyer")
    with sqlite.transaction() as connection:
        state = {"name": "cellar", "at_s": 1, "ok": False, "sentence": "The head has fallen off.", "status": "[]"}
        connection.execute(insert(reader), [state | {"waiting": 3, "refused": 1, "oldest_s": 900 * START}])
        row = {"at_s": 900 * MOVE, "topic": "iskra/v1/cellar/quarters", "reason": "?", "octets": b"\0"}
        connection.execute(insert(refused), [row])
    assert kinds(made(sqlite, MEYER, now=datetime.fromtimestamp(MOVE * 900, UTC)).meters[0]) == []
    assert {"refused_unread", "reader_problem", "waiting"} <= set(kinds(made(sqlite, MEYER).meters[0]))


def test_a_period_that_is_not_over_ends_now(sqlite: Store) -> None:
    write(sqlite, named(1), range(START, MOVE + 1))
    assign(sqlite, named(1), "tenant", "Meyer")
    of = made(sqlite, MEYER, now=datetime.fromtimestamp(MOVE * 900, UTC))
    assert [remark.kind for remark in of.remarks] == ["open"]
    assert of.end == MOVE
    assert of.meters[0].registers[0].total.is_complete


@pytest.mark.parametrize(("period", "kinds_of"), [("2026-11", ["no_meter"]), ("2030", ["future"])])
def test_a_group_without_meters_says_so(sqlite: Store, period: str, kinds_of: list[str]) -> None:
    of = made(sqlite, MEYER, period=period)
    assert ([remark.kind for remark in of.remarks], of.meters, of.totals) == (kinds_of, (), ())


def test_a_meter_of_gas_says_what_it_counts(sqlite: Store) -> None:
    gas = Obis.parse("0-1:24.2.1*255")
    sqlite.write([QuarterReading(named(1).meter_id, gas, START, Exact(1, 0), "measured")], [named(1)])
    assign(sqlite, named(1), "building", "7")
    (remark,) = (remark for remark in made(sqlite, HOUSE).meters[0].remarks if remark.kind == "other_registers")
    assert sentence(remark, BERLIN, "en").endswith("What it counts: M-Bus last reading, channel 1 (0-1:24.2.1).")
    assert sentence(remark, BERLIN, "de").endswith("Er zählt: M-Bus-Zählerstand, Kanal 1 (0-1:24.2.1).")


def test_a_meter_without_a_reading_is_in_the_statement(sqlite: Store) -> None:
    write(sqlite, named(1), range(OCTOBER, OCTOBER + 9))
    sqlite.write([], [named(2)])
    for place in (1, 2):
        assign(sqlite, named(place), "building", "7")
    silent, never = made(sqlite, HOUSE).meters
    assert kinds(silent) == ["no_reading", "silent"]
    assert kinds(never) == ["no_register"]
    assert [(total.energy_wh, total.spans, total.complete) for total in made(sqlite, HOUSE).totals] == [
        (Decimal(0), 1, 0)
    ] * 2
