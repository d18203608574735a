import logging
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from iskra_server.history.model.spot_price import FIRST_QUARTERLY, Price, quarters_of_days
from iskra_server.history.store.backup import back_up, restore
from iskra_server.history.store.schema import other_price
from iskra_server.history.store.spot_prices import (
    Stored,
    StoredZone,
    price_sources,
    spot_prices,
    spot_raws,
    store_prices,
    stored_zones,
)
from iskra_server.history.store.store import Store

ZONE, SOURCE, AT_S = "DE-LU", "energy-charts", 1_795_000_000
DAY = quarters_of_days(date(2026, 11, 22), date(2026, 11, 23))


def prices(raw: int = 98_490_000, minutes: int = 15) -> dict[int, Price]:
    """A day whose price rises by a cent a quarter."""
    return {quarter: Price(raw + 10_000 * number, minutes) for number, quarter in enumerate(DAY)}


def test_prices_are_kept_with_their_source_and_when_they_were_retrieved(store: Store) -> None:
    assert store_prices(store, ZONE, SOURCE, AT_S, prices()) == Stored(new=96)
    assert spot_prices(store, ZONE, DAY.start, DAY.stop) == prices()
    assert spot_raws(store, ZONE, DAY.start + 1, DAY.start + 3) == {
        DAY.start + 1: 98_500_000,
        DAY.start + 2: 98_510_000,
    }
    assert price_sources(store, ZONE, DAY.start, DAY.stop) == {SOURCE: AT_S}
    assert stored_zones(store) == [StoredZone(ZONE, DAY.start, DAY.stop, 96, 0)]


def test_zones_are_kept_apart(store: Store) -> None:
    store_prices(store, ZONE, SOURCE, AT_S, prices())
    assert spot_raws(store, "AT", DAY.start, DAY.stop) == {}
    assert store_prices(store, "AT", SOURCE, AT_S, prices(-5)) == Stored(new=96)
    assert [zone.zone for zone in stored_zones(store)] == ["AT", ZONE]


def test_the_first_published_price_stays_and_another_one_is_counted_once(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    store_prices(store, ZONE, SOURCE, AT_S, prices())
    later = prices() | {DAY.start: Price(1), DAY.start + 1: Price(-2)}
    with caplog.at_level(logging.WARNING):
        assert store_prices(store, ZONE, "smard", AT_S + 1, later) == Stored(differing=2)
        assert store_prices(store, ZONE, "smard", AT_S + 2, later) == Stored()
    assert spot_prices(store, ZONE, DAY.start, DAY.stop) == prices()
    assert stored_zones(store)[0].differing == 2
    assert [record.getMessage() for record in caplog.records] == [
        "2 prices that smard publishes for DE-LU differ from those published first, such as 0.000001 EUR/MWh at "
        "2026-11-21 23:00 UTC; history keeps the first ones."
    ]


def test_the_price_of_an_hour_gives_way_to_that_of_the_quarter_and_is_kept_beside_it(store: Store) -> None:
    hour = {quarter: Price(7, 60) for quarter in DAY}
    store_prices(store, ZONE, "awattar", AT_S, hour)
    assert store_prices(store, ZONE, SOURCE, AT_S + 60, prices()) == Stored(replaced=96)
    assert spot_prices(store, ZONE, DAY.start, DAY.stop) == prices()
    assert stored_zones(store)[0].differing == 0
    with store.transaction(write=False) as connection:
        assert {(row.raw, row.minutes) for row in connection.execute(select(other_price))} == {(7, 60)}
    # and never the other way round
    assert store_prices(store, ZONE, "awattar", AT_S + 120, hour) == Stored()
    assert spot_prices(store, ZONE, DAY.start, DAY.stop) == prices()


def test_before_the_market_had_quarters_the_price_of_an_hour_stays(store: Store) -> None:
    last = FIRST_QUARTERLY - 1
    store_prices(store, ZONE, SOURCE, AT_S, {last: Price(5, 60), FIRST_QUARTERLY: Price(5, 60)})
    stored = store_prices(store, ZONE, "smard", AT_S, {last: Price(6, 15), FIRST_QUARTERLY: Price(6, 15)})
    assert stored == Stored(replaced=1)
    assert spot_raws(store, ZONE, last, last + 2) == {last: 5, FIRST_QUARTERLY: 6}


def test_nothing_new_writes_nothing(sqlite: Store, file: Path) -> None:
    for _ in range(3):
        store_prices(sqlite, ZONE, SOURCE, AT_S, prices())
        store_prices(sqlite, ZONE, SOURCE, AT_S, {})
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM price_retrieval").fetchone() == (1,)


def test_a_backup_has_the_prices(sqlite: Store, file: Path, tmp_path: Path) -> None:
    store_prices(sqlite, ZONE, SOURCE, AT_S, prices())
    back_up(file, tmp_path / "backup.sqlite")
    sqlite.close()
    file.unlink()
    restore(tmp_path / "backup.sqlite", file)
    with closing(Store(f"sqlite:///{file}")) as store:
        assert spot_prices(store, ZONE, DAY.start, DAY.stop) == prices()
