"""Every layout of a central database on its real engine: written, redelivered, asked, resumed, thinned and forgotten.

The tests of one engine share a database, in the order in which they stand here.
"""

import csv
import io
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest
from msgspec.structs import astuple, replace
from sqlalchemy import select, text

from command import COMMAND, environment
from fleet.batches import batch_of
from fleet.central.simulated_house import BERLIN, EDGES, TENANTS, expected, house, write
from fleet.engines import Engine, empty_engine
from fleet.sums import due_count, group_energy, rolled_up_energy
from history.entries import METER, block, power, quarter_reading
from iskra_server.fleet.central import queries as fleet
from iskra_server.fleet.central.claims import move_meter
from iskra_server.fleet.central.conflicts import list_conflicts
from iskra_server.fleet.central.label_periods import Group
from iskra_server.fleet.central.reader_state import ReaderState, list_readers
from iskra_server.fleet.central.rollup_refresh import refresh
from iskra_server.fleet.central.tables import IngestBatch, LastContact, Refusal, write_batch
from iskra_server.history.model.records import (
    QUARTER_S,
    ClockStep,
    EpochStart,
    Exact,
    LastCounter,
    PowerQuarter,
    QuarterReading,
    Record,
    quarter_of,
    seen_by,
)
from iskra_server.history.recording.retention import thin
from iskra_server.history.store import StoreError, partitions
from iskra_server.history.store.checkup import find_impossible, repair
from iskra_server.history.store.postgresql_layout import COORDINATOR_ONLY, create_tables
from iskra_server.history.store.schema import PARTITIONED, DatabaseProfile, label
from iskra_server.history.store.store import Store
from samples import EXPORT, IMPORT

DAY = 96
# a whole hour some days ago, so that a day of quarters lies in the past
START = quarter_of(time.time()) // 4 * 4 - 3 * DAY
ROLES = Path(__file__).parents[2] / "deploy" / "central" / "roles.sql"
HOUSE = Group("building", "7")
METERS = [replace(METER, meter_id=f"1 ISK 00 {place:08}", first_s=START * QUARTER_S) for place in range(1, 8)]


@pytest.fixture(scope="module", params=[pytest.param("plain", marks=pytest.mark.slow), "timescale", "citus"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return empty_engine(cast(DatabaseProfile, request.param), request)


@pytest.fixture(scope="module")
def centre(engine: Engine) -> Iterator[Store]:
    """A day of seven meters, 10 Wh x its place an hour; the third replaced its first epoch at noon."""
    store = Store(engine.address, engine.profile)
    write_batch(store, day())
    fleet.set_labels(store, {info.meter_id: {"building": "7"} for info in METERS[:5]})
    yield store
    store.close()


def day() -> IngestBatch:
    records: list[Record] = []
    for place, info in enumerate(METERS, 1):
        for quarter in range(START, START + DAY + 1):
            since = quarter - START
            imported = quarter_reading(quarter, 25 * place * since, IMPORT, info)
            if place == 3 and since >= DAY // 2:
                imported = replace(imported, epoch=1)
            records += [imported, quarter_reading(quarter, since, EXPORT, info)]
            records.append(replace(power(quarter, mean_mw=place), meter_id=info.meter_id))
        records.append(EpochStart(info.meter_id, IMPORT, 0, START * QUARTER_S, None, Exact(0, -1)))
    records.append(EpochStart(METERS[2].meter_id, IMPORT, 1, (START + DAY // 2) * QUARTER_S - 1, None, Exact(0, -1)))
    seen = [replace(info, last_s=(START + DAY) * QUARTER_S) for info in METERS]
    contacts = [LastContact(info.meter_id, "cellar", info.last_s, place) for place, info in enumerate(seen)]
    return batch_of(
        records, seen, contacts, [ReaderState("cellar", 1, True, "", "[]")], [Refusal(1, "t", "r", b"")], ledger="a"
    )


def counted(store: Store) -> dict[str, int]:
    names = ("meter", "series", "boundary", "power", "epoch", "live", "reader")
    with store.transaction(write=False) as connection:
        return {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in names}


def iskra(engine: Engine, folder: Path, *arguments: str, profile: str = "") -> subprocess.CompletedProcess[str]:
    database = {"IES_DATABASE_URL": engine.address, "IES_DATABASE_PROFILE": profile or engine.profile}
    return subprocess.run(
        [COMMAND, *arguments], env=environment(folder, **database), capture_output=True, text=True, check=False
    )


def test_tables_lie_where_the_engine_wants_them(engine: Engine, centre: Store) -> None:
    if engine.profile == "timescale":
        found = engine.run("SELECT hypertable_name::text FROM timescaledb_information.hypertables ORDER BY 1")
        assert [name for (name,) in found] == sorted(PARTITIONED)
        policies = (
            "SELECT hypertable_name::text FROM timescaledb_information.jobs WHERE proc_name = 'policy_compression'"
        )
        assert sorted(name for (name,) in engine.run(policies)) == ["boundary", "power"]
        assert engine.run("SHOW timescaledb.max_tuples_decompressed_per_dml_transaction") == [("0",)]
    elif engine.profile == "citus":
        placed = (
            "SELECT table_name::text, distribution_column, shard_count FROM citus_tables WHERE table_name::text !~ '_'"
        )
        found = engine.run(f"{placed} AND citus_table_type <> 'local' ORDER BY 1")
        assert found == [
            ("boundary", "series", 8),
            ("epoch", "series", 8),
            ("label", "<none>", 1),
            ("meter", "<none>", 1),
            ("points", "meter", 8),
            ("power", "meter", 8),
            ("series", "<none>", 1),
        ]
        assert engine.run("SHOW citus.max_cached_conns_per_worker") == [("32",)]
        for table in COORDINATOR_ONLY:
            kind = f"SELECT citus_table_type FROM citus_tables WHERE table_name = '{table}'::regclass"
            assert engine.run(kind) in ([], [("local",)])
    with centre.transaction(write=False) as connection:
        months = None if engine.profile == "timescale" else partitions.MONTHS_AHEAD
        assert partitions.months_left(connection, time.time()) == months
        assert partitions.rest_rows(connection) == {}


def test_citus_without_a_node_for_tables_says_what_to_do(engine: Engine, centre: Store) -> None:
    if engine.profile != "citus":
        pytest.skip("of Citus alone")
    said = pytest.raises(StoreError, match=r"knows no node that may hold tables\. Add one .* citus_add_node")
    with said, centre.transaction() as connection:
        connection.execute(text("DELETE FROM pg_dist_node WHERE shouldhaveshards"))
        create_tables(connection, "citus")


def test_what_is_written_again_changes_nothing(centre: Store) -> None:
    before = counted(centre)
    assert before == {
        "meter": 7,
        "series": 14,
        "boundary": 14 * (DAY + 1),
        "power": 7 * (DAY + 1),
        "epoch": 8,
        "live": 7,
        "reader": 1,
    }
    write_batch(centre, day())
    fuller = PowerQuarter(METERS[0].meter_id, START, 1, 2, 3, 950)
    centre.write([fuller, quarter_reading(START, 99, IMPORT, METERS[0])], METERS[:1])
    assert counted(centre) == before
    assert centre.power_between(METERS[0].meter_id, START, START + 1) == [fuller]
    assert centre.quarter_readings(METERS[0].meter_id, IMPORT, [START])[START].value == Exact(0, -1)


def test_one_meter_is_asked_by_its_number(centre: Store) -> None:
    name = METERS[1].meter_id
    assert centre.series(name) == [IMPORT, EXPORT]
    with centre.snapshot() as reads:
        for each in (centre, reads):
            readings = each.quarter_readings_between(name, IMPORT, START, START + DAY + 1)
            assert [reading.value.raw for reading in readings] == [50 * since for since in range(DAY + 1)]
            assert [len(part.raws) for part in each.reading_columns(name, IMPORT, START, START + DAY)] == [DAY]
            last, first = each.nearest_before(name, IMPORT, 2**31 - 1), each.nearest_after(name, IMPORT, -1)
            assert last and first
            assert (first.quarter, last.quarter) == (START, START + DAY)
            near = each.nearest_before(name, IMPORT, START + 5)
            assert near and near.quarter == START + 4
            assert each.nearest_after(name, IMPORT, START + DAY) is None
            assert each.nearest_before("0815", IMPORT, START) is None
            assert [start.at_s for start in each.epochs(name, IMPORT)] == [START * QUARTER_S]


def test_a_restart_continues_from_the_last_counters(centre: Store) -> None:
    end_s = (START + DAY) * QUARTER_S
    expected = [
        LastCounter(info.meter_id, obis, Exact(raw, -1), end_s, int(info is METERS[2] and obis is IMPORT))
        for place, info in enumerate(METERS, 1)
        for obis, raw in ((IMPORT, 25 * place * DAY), (EXPORT, DAY))
    ]
    assert centre.last_counters() == expected
    assert centre.last_counters(end_s - QUARTER_S)[0].value == Exact(25 * (DAY - 1), -1)


def test_every_question_about_a_group(centre: Store) -> None:
    edges = [START, START + 4, START + 8, START + DAY]
    now = START + DAY
    sums = group_energy(centre, HOUSE, EXPORT, edges, until=now + 1).buckets
    assert [(each.energy, each.completeness.complete) for each in sums] == [
        (Decimal(2), 5),
        (Decimal(2), 5),
        (Decimal(44), 5),
    ]
    assert [(size.value, size.meters) for size in fleet.groups(centre, "building", limit=9, now=now)] == [("7", 5)]
    page, _ = fleet.meters(centre, limit=3, now=now, group=HOUSE)
    assert len(page) == 3
    assert page[0].labels == {"building": "7"}
    found, _ = fleet.meters(centre, limit=9, now=now, find="00000006")
    assert [each.meter_id for each in found] == [METERS[5].meter_id]
    assert [each.name for each in list_readers(centre, limit=9)[0]] == ["cellar"]
    rows = list(fleet.quarters(centre, HOUSE, START, START + DAY))
    assert len(rows) == 5 * 2 * (DAY + 1)


def test_a_meter_has_one_reader_and_other_values_become_conflicts(centre: Store) -> None:
    name, now_s = METERS[5].meter_id, int(time.time())
    contact = LastContact(name, "attic", now_s, 1)
    new = [quarter_reading(START + DAY + 1, DAY + 1, EXPORT, METERS[5])]
    other = quarter_reading(START, 5, EXPORT, METERS[5])
    before = counted(centre)
    outcome = write_batch(
        centre, batch_of([*new, other], [METERS[5]], [contact], [ReaderState("attic", 1, True, "", "[]")])
    )
    assert outcome.receipts[0].state == "waits"
    assert counted(centre) == {**before, "reader": 2}
    assert move_meter(centre, name, "attic", now_s - 4 * DAY * QUARTER_S) == "cellar"
    assert write_batch(centre, batch_of(new, [METERS[5]], [contact], ledger="b")).receipts == {}
    assert counted(centre)["boundary"] == before["boundary"] + 1
    conflicts, _ = list_conflicts(centre, limit=9)
    assert [(each.meter_id, each.quarter, each.reader, each.value) for each in conflicts] == [
        (name, START, "attic", 1 / Decimal(2))
    ]
    assert centre.quarter_readings(name, EXPORT, [START])[START].value == Exact(0, -1)


def test_rows_of_a_wrong_clock_are_found_and_set_aside(engine: Engine, centre: Store) -> None:
    name = METERS[6].meter_id
    before = counted(centre)
    late = quarter_of(time.time()) + 20 * DAY
    wrong = quarter_reading(late, 10**9, EXPORT, METERS[6]), quarter_reading(5, 1, EXPORT, METERS[6])
    centre.write(wrong, [seen_by(METERS[6], wrong)])
    found = centre.nearest_before(name, EXPORT, 2**31 - 1), centre.nearest_after(name, EXPORT, -1)
    assert [reading and reading.quarter for reading in found] == [late, 5]
    assert centre.last_counters(time.time())[-1].value == Exact(DAY, -1)
    assert [(rows.meter_id, rows.count) for rows in find_impossible(centre, time.time())] == [(name, 2)]
    assert repair(centre, time.time()) == 2
    centre.write([ClockStep(late * QUARTER_S, int(time.time()), "ahead")])
    assert counted(centre) == before


def test_a_collector_and_a_server_have_the_rights_of_their_roles(engine: Engine, centre: Store) -> None:
    """Right after changes to many tables: Citus refuses to touch a table that was changed in parallel."""
    settings = ["ON_ERROR_STOP=1", "collector_password=c", "server_password=s"]
    psql = ["psql", "--no-psqlrc", "-q", *(f"--set={each}" for each in settings), f"--file={ROLES}", engine.address]
    try:
        for _ in range(2):
            subprocess.run(psql, check=True, capture_output=True, text=True)
        _, place = engine.address.split("@")
        for role, password in (("iskra_collector", "c"), ("iskra_server", "s")):
            store = Store(f"postgresql://{role}:{password}@{place}", engine.profile)
            try:
                if role == "iskra_collector":
                    write_batch(store, day())
                with pytest.raises(StoreError, match=r"denies|read-only"), store.transaction() as connection:
                    connection.execute(text("DELETE FROM power"))
                assert len(store.last_counters()) == 14
                assert len(fleet.meters(store, limit=9, now=START + DAY, group=HOUSE)[0]) == 5
            finally:
                store.close()
    finally:
        for role in ("iskra_collector", "iskra_server"):
            engine.run(f"DROP OWNED BY {role}")


def test_commands_open_it_in_its_profile(engine: Engine, centre: Store, tmp_path: Path) -> None:
    centre.write([block(START * QUARTER_S)], [METER])
    table = tmp_path / "tenants.csv"
    table.write_text(f"meter,tenant\n{METERS[0].meter_id},Meyer\n")
    done = iskra(engine, tmp_path, "groups", str(table))
    assert (done.returncode, done.stdout) == (0, "1 meters are assigned to groups: tenant.\n"), done.stderr
    done = iskra(engine, tmp_path, "export", METERS[0].meter_id, "--bucket", "hour")
    assert done.returncode == 0, done.stderr
    assert len(list(csv.reader(io.StringIO(done.stdout)))) > DAY // 4
    other = "plain" if engine.profile != "plain" else "citus"
    done = iskra(engine, tmp_path, "groups", str(table), profile=other)
    assert done.returncode == 2
    assert f"history.database_profile is {other}, but this database was laid out for {engine.profile}" in done.stderr


def test_a_command_lays_out_an_empty_database_in_its_profile(
    engine: Engine, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """The last but one: the database is emptied before."""
    empty_engine(engine.profile, request)
    rows = "".join(f"2026-11-{day:02} 00:00,{day}\n" for day in range(1, 20))
    (tmp_path / "counter.csv").write_text(f"time,import_kwh\n{rows}")
    done = iskra(
        engine, tmp_path, "import", "--meter", "1 ISK 00 00000001", "--new-meter", str(tmp_path / "counter.csv")
    )
    assert done.returncode == 0, done.stderr
    store = Store(engine.address, engine.profile)
    assert len(store.last_counters()) == 1
    store.close()


def test_sums_over_a_house_with_replaced_meters_equal_the_truth(engine: Engine) -> None:
    store = Store(engine.address, engine.profile)
    flats = house(100)
    write(store, flats)
    for tenant in TENANTS:
        for bucket in group_energy(store, Group("tenant", tenant), IMPORT, EDGES, until=2**31 - 1).buckets:
            assert (bucket.energy, *astuple(bucket.completeness)) == astuple(
                expected(flats, tenant, bucket.begin, bucket.end)
            )
    store.close()


def test_roll_ups_say_what_the_quarters_say(engine: Engine) -> None:
    """Of the house of the test before."""
    store = Store(engine.address, engine.profile)
    tenant = select(label.c.meter, label.c.from_quarter, label.c.to_quarter).where(label.c.kind == "building")
    sums = group_energy(store, Group("building", "7"), IMPORT, EDGES, until=2**31 - 1).buckets
    # some 2,000 statements, one after the other
    deadline = time.monotonic() + 300
    while refresh(store, (EDGES[-1] + DAY) * QUARTER_S, BERLIN):
        assert time.monotonic() < deadline
    assert due_count(store) == (0, None)
    rolled = rolled_up_energy(store, tenant, IMPORT, EDGES)
    assert [bucket and bucket.energy for bucket in rolled] == [bucket.energy for bucket in sums]
    store.close()


def test_a_restart_that_comes_late_replaces_what_was_taken_for_it(engine: Engine) -> None:
    """Rows get the number of another epoch, and the correction of a step is removed."""
    store = Store(engine.address, engine.profile)
    info = replace(METERS[0], meter_id="1 ISK 00 00000900")

    def send(reader: str, *records: Record) -> None:
        contacts = [LastContact(info.meter_id, reader, 0)]
        of_meter = [replace(record, meter_id=info.meter_id) for record in records if not isinstance(record, ClockStep)]
        states = [ReaderState(reader, 1, True, "", "[]")]
        assert write_batch(store, batch_of(of_meter, [info], contacts, states, ledger=reader)).receipts == {}

    def row(place: int, raw: int, epoch: int = 0) -> QuarterReading:
        return replace(quarter_reading(START + place, raw), epoch=epoch)

    send("one", row(5, 763, 1))
    write_batch(store, batch_of(readers=[ReaderState("other", 1, True, "", "[]")]))
    assert move_meter(store, info.meter_id, "other", (START + 19) * QUARTER_S) == "one"
    send("other", row(21, 1026))
    send("one", row(6, 1079, 1))
    send("other", row(19, 365))
    rows = store.quarter_readings_between(info.meter_id, IMPORT, START, START + DAY)
    assert [reading.epoch for reading in rows] == [0, 0, 1, 1]
    late = EpochStart(info.meter_id, IMPORT, 2, (START + 18) * QUARTER_S, Exact(1200, -1), Exact(300, -1))
    send("one", late)
    assert store.epochs(info.meter_id, IMPORT) == [late]
    store.close()


def test_old_months_are_forgotten_whole(engine: Engine, tmp_path: Path) -> None:
    """In the database of the test before. A month or a chunk of TimescaleDB, of 30 days, goes when all of it is old."""
    store = Store(engine.address, engine.profile)
    now = datetime.now(UTC)
    old = [quarter_of((now - timedelta(days=400 + 30 * count)).timestamp()) for count in range(4)]
    store.write([quarter_reading(quarter) for quarter in old], [METER])
    blocks = [block(int((now - timedelta(days=days)).timestamp())) for days in (400, 70, 1)]
    store.write(blocks, [replace(METER, last_s=int(now.timestamp()))])
    thin(store, now.timestamp(), raw_days=60, pause_s=0)
    assert store.points_between(METER.meter_id, 0, 2**40) == blocks[2:]
    limit = f"{now - timedelta(days=300):%Y-%m}"
    done = iskra(engine, tmp_path, "prepare", "--ahead", "5", "--forget-before", limit)
    assert done.returncode == 0, done.stderr
    dropped = int(done.stdout.split(" partitions are dropped")[0].split()[-1])
    assert dropped >= 4
    assert ("next 5." in done.stdout) is (engine.profile != "timescale")
    assert store.quarter_readings_between(METER.meter_id, IMPORT, 0, old[0] + 1) == []
    store.close()
