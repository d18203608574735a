"""Databases of every earlier schema and version are brought up to date, and hold what they held."""

from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from history.entries import METER, QUARTER, quarter_reading
from history.postgres import Postgres
from history.store.freezing import FROZEN, Row, grow, load, never_to_change, rows_of, structure, sum_of, sums, url_of
from iskra_server.history.model.records import EpochStart, Exact, PowerQuarter, QuarterReading
from iskra_server.history.points.points import unpack
from iskra_server.history.store.schema import VERSION_TABLE, VERSIONS
from iskra_server.history.store.store import Store
from samples import EXPORT, IMPORT, METER_ID

# columns that say nothing: a reader has its name
_DROPPED = {("reader", "id")}
# reading the structure of a PostgreSQL takes seconds: the first one passes through every migration
_OFTEN = ("sqlite.sql", "0001.postgresql.sql")
FILES = [
    pytest.param(file, marks=() if file.name.endswith(_OFTEN) else pytest.mark.slow, id=file.stem)
    for file in sorted(FROZEN.glob("*.sql"))
]
OF_MIGRATIONS = [
    pytest.param(file, marks=() if file.stem == f"{VERSIONS[-1]}.sqlite" else pytest.mark.slow, id=file.stem)
    for version in VERSIONS
    for file in sorted(FROZEN.glob(f"{version}.*"))
]


@pytest.fixture
def address(request: pytest.FixtureRequest, frozen: Path, tmp_path: Path) -> str:
    """Of a database that is what the frozen one was."""
    if ".sqlite." in frozen.name:
        address = f"sqlite:///{tmp_path}/iskra.sqlite"
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        address = postgres.database()
    load(frozen, address)
    return address


def looked_at(address: str) -> tuple[dict[str, list[Row]], dict[str, object]]:
    engine = create_engine(url_of(address))
    with engine.connect() as connection:
        found = rows_of(connection), structure(connection)
    engine.dispose()
    return found


@pytest.mark.parametrize("frozen", FILES)
def test_an_older_database_keeps_every_row_and_can_be_written(address: str) -> None:
    before, _ = looked_at(address)
    assert len(before["boundary"]) == 5
    with closing(Store(address)) as store:
        pass
    after, _ = looked_at(address)
    for table, rows in before.items():
        if table != VERSION_TABLE:
            kept = [
                {name: row[name] for name in old if name in row} for old, row in zip(rows, after[table], strict=True)
            ]
            assert kept == [{name: old[name] for name in old if (table, name) not in _DROPPED} for old in rows], table
    assert after[VERSION_TABLE] == [{"version_num": VERSIONS[-1]}]
    with closing(Store(address)) as store:
        check_what_the_program_reads(store)
        store.write([quarter_reading(QUARTER + 5), quarter_reading(QUARTER + 5, meter=METER, obis=EXPORT)], [METER])
        assert store.quarter_readings(METER_ID, IMPORT, [QUARTER + 5]) == {QUARTER + 5: quarter_reading(QUARTER + 5)}


def check_what_the_program_reads(store: Store) -> None:
    meters = {meter.meter_id: meter for meter in store.meters()}
    assert meters[METER_ID].replaced_by == "1 ISK 00 87654321"
    assert meters["Zähler \"Müller\"; 'x' --"].last_s == 2**53
    assert store.quarter_readings_between(METER_ID, EXPORT, 0, 2**31 - 1) == [
        QuarterReading(METER_ID, EXPORT, QUARTER, Exact(2**63 - 1, -18), "measured"),
        QuarterReading(METER_ID, EXPORT, QUARTER + 1, Exact(12, 3), "measured", 1),
    ]
    assert store.epochs(METER_ID, EXPORT) == [
        EpochStart(METER_ID, EXPORT, 1, QUARTER * 900 + 77, Exact(2**63 - 1, -18), Exact(7, 3))
    ]
    assert store.power_between(METER_ID, 0, 2**31 - 1) == [
        PowerQuarter(METER_ID, QUARTER, -1500, 230_000, 69_000_000_000, 900)
    ]
    (block,) = store.points_between(METER_ID, 0, 2**40)
    assert [point.at_ms for point in unpack(block.data)] == [1_763_805_600_000, 1_763_805_601_000]


@pytest.mark.parametrize("frozen", OF_MIGRATIONS)
def test_the_migrations_make_what_they_made_then(
    frozen: Path, address: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Also where another release of Alembic runs them, or something that they call has changed."""
    then = looked_at(address)
    if address.startswith("sqlite"):
        address = f"sqlite:///{tmp_path}/now.sqlite"
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        address = postgres.database()
    engine = create_engine(url_of(address))
    with engine.begin() as connection:
        grow(connection, frozen.name.partition(".")[0])
    engine.dispose()
    assert looked_at(address) == then


def test_every_schema_is_frozen_and_nothing_that_is_frozen_has_changed() -> None:
    recorded, now = sums(), {name: sum_of(path) for name, path in never_to_change().items()}
    for database in ("sqlite", "postgresql"):
        missing = {f"{version}.{database}.sql" for version in (*VERSIONS, "0.1.0")} - set(recorded)
        assert not missing, "a new schema is frozen by: PYTHONPATH=tests python -m history.store.freezing"
    changed = sorted(name for name in recorded if now.get(name) != recorded[name])
    assert not changed, "databases with this schema exist: leave it as it is, and add another migration"
    assert set(now) == set(recorded)
