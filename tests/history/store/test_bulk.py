"""Bulk writing in PostgreSQL says the same as row by row in SQLite."""

from pathlib import Path
from threading import Thread

from msgspec.structs import replace
from sqlalchemy import select

from history.entries import METER, OTHER, QUARTER, epoch, power, quarter_reading
from history.postgres import Postgres
from iskra_server.history.model.records import Exact, MeterInfo, Record
from iskra_server.history.store.bulk import insert_all
from iskra_server.history.store.mapping import meter_row
from iskra_server.history.store.schema import meter as meter_table
from iskra_server.history.store.store import Store
from samples import EXPORT, IMPORT, METER_ID

ROWS: list[Record] = [
    quarter_reading(),
    quarter_reading(raw=5),
    quarter_reading(QUARTER + 1, obis=EXPORT),
    power(),
    replace(power(), mean_mw=7, count=901),
    replace(power(), mean_mw=8, count=3),
    epoch(),
    epoch(2, Exact(5, -4)),
    epoch(2),
]


def test_both_databases_keep_the_same_of_repeated_rows(postgres: Postgres, tmp_path: Path) -> None:
    said = []
    for address in (postgres.database(), f"sqlite:///{tmp_path}/iskra.sqlite"):
        store = Store(address)
        store.write(ROWS[:4], [METER, OTHER])
        store.write(ROWS, [replace(METER, first_s=5), replace(OTHER, last_s=2**33)])
        said.append(
            (
                store.meters(),
                [store.quarter_readings_between(METER_ID, obis, 0, 2**31 - 1) for obis in store.series(METER_ID)],
                store.power_between(METER_ID, 0, 2**31 - 1),
                [store.epochs(METER_ID, obis) for obis in (IMPORT, EXPORT)],
            )
        )
        store.close()
    assert said[0] == said[1]
    assert said[0][2] == [ROWS[4]]


def test_rows_with_any_text_and_none_are_inserted_at_once_in_both_databases(postgres: Postgres, tmp_path: Path) -> None:
    names = ["1 ISK 00 12345678", "NULL", '{"a",\\b}', "", "Zähler 7 'x'"]
    rows = [meter_row(MeterInfo(name, "09", False, 1, 2)) | {"port": None} for name in names]
    for address in (postgres.database(), f"sqlite:///{tmp_path}/iskra.sqlite"):
        store = Store(address)
        for part in (rows[2:4], rows):
            with store.transaction() as connection:
                insert_all(connection, store.insert(meter_table).on_conflict_do_nothing(), part)
        assert [row.meter_id for row in store.query(select(meter_table).order_by(meter_table.c.id))] == names[2:4] + [
            name for name in names if name not in names[2:4]
        ]
        assert {row.port for row in store.query(select(meter_table))} == {None}
        store.close()


def test_many_writers_of_the_same_rows_never_wait_in_a_circle(postgres: Postgres) -> None:
    address = postgres.database()
    meters = [replace(METER, meter_id=f"1 ISK 00 {number:08}") for number in range(20)]
    stores = [Store(address) for _ in range(4)]
    rows = [quarter_reading(QUARTER + place, meter=meter) for meter in meters for place in range(20)]
    failures: list[Exception] = []

    def write(place: int) -> None:
        try:
            for start in range(0, len(rows), 50):
                turned = rows[start:] + rows[:start]
                stores[place].write(turned[:: 1 if place % 2 else -1], meters[:: 1 if place % 2 else -1])
        except Exception as error:
            failures.append(error)

    threads = [Thread(target=write, args=(place,)) for place in range(len(stores))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(stores[0].quarter_readings_between(meters[3].meter_id, IMPORT, 0, 2**31 - 1)) == 20
    for store in stores:
        store.close()
