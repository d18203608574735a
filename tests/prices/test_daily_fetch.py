"""When prices are asked for, by a clock of the test's own, from the stand-in into a real history."""

import asyncio
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from pathlib import Path

import pytest

import pricing
from iskra_server.base.clock import Clock
from iskra_server.history.model.records import MeterInfo
from iskra_server.history.model.spot_price import MARKET, quarters_of_days
from iskra_server.history.store.spot_prices import spot_raws
from iskra_server.history.store.store import Store
from iskra_server.prices.daily_fetch import DailyFetch, Pace
from iskra_server.prices.price_sources import price_sources
from pricing import DAY as ONE
from pricing import StandIn, stand_in
from samples import METER_ID

ZONE, TODAY = "DE-LU", date(2026, 11, 22)


@pytest.fixture
def source() -> Iterator[StandIn]:
    with stand_in() as source:
        source.prices = pricing.priced(TODAY)
        yield source


class Server:
    """A daily fetch whose clock stands until it is set forward."""

    def __init__(self, source: StandIn, path: Path, zones: tuple[str, ...] = (ZONE,)) -> None:
        self.now_s, self.boot_s, self.is_synchronised = at("06:00"), 1000.0, True
        self.store = Store(f"sqlite:///{path}/iskra.sqlite")
        self.source = source
        self.fetch = DailyFetch(
            zones=zones,
            sources=price_sources(source.addresses),
            store=lambda: self.store,
            clock=Clock(
                wall_s=lambda: self.now_s,
                boot_s=lambda: self.boot_s,
                synchronised=lambda: self.is_synchronised,
                has_own=False,
            ),
            pace=Pace(),
            uniform=lambda: 0.5,
            boot_s=lambda: self.boot_s,
        )

    def fetch_due(self, time: str = "", *, after_s: float = 0.0) -> list[str]:
        """At a time of the day, or later than before: the sources that were asked."""
        step_s = at(time) - self.now_s if time else after_s
        self.now_s, self.boot_s = self.now_s + step_s, self.boot_s + step_s
        before = len(self.source.requests)
        asyncio.run(self.fetch.fetch_due())
        return self.source.asked()[before:]

    def known(self, day: date = TODAY) -> int:
        quarters = quarters_of_days(day, day + ONE)
        return len(spot_raws(self.store, ZONE, quarters.start, quarters.stop))


def at(time: str, day: date = TODAY) -> float:
    return datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=MARKET).timestamp()


@pytest.fixture
def server(source: StandIn, tmp_path: Path) -> Iterator[Server]:
    server = Server(source, tmp_path)
    yield server
    server.store.close()


def test_a_server_without_a_price_for_now_asks_at_once_and_then_not_before_noon(server: Server) -> None:
    assert server.fetch_due("06:00") == ["energy-charts"]
    assert server.known() == 96
    assert [server.fetch_due(time) for time in ("06:01", "09:00", "12:49", "12:54")] == [[], [], [], []]


def test_tomorrow_is_asked_for_until_it_is_complete(server: Server, source: StandIn) -> None:
    server.fetch_due("06:00")
    # 12:50 and half of ten minutes
    assert server.fetch_due("12:55") == ["energy-charts"]
    assert server.known(TODAY + ONE) == 0
    assert [server.fetch_due(time) for time in ("12:56", "13:04")] == [[], []]
    source.prices = pricing.priced(TODAY, TODAY + 2 * ONE)
    assert server.fetch_due("13:07") == ["energy-charts"]
    assert server.known(TODAY + ONE) == 96
    assert [server.fetch_due(time) for time in ("13:20", "18:00", "23:59")] == [[], [], []]


def test_the_other_sources_are_asked_for_tomorrow_when_it_is_late(server: Server) -> None:
    server.fetch_due("06:00")
    assert server.fetch_due("13:59") == ["energy-charts"]
    assert server.fetch_due("14:30")[:2] == ["energy-charts", "smard"]
    assert "awattar-de" in server.fetch_due("14:45")


def test_while_nobody_answers_attempts_become_rare_and_there_is_one_notice(
    server: Server, source: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    source.fault = "500"
    with caplog.at_level(logging.INFO):
        assert server.fetch_due("06:00") == ["energy-charts", "smard", "awattar-de"]
        assert server.fetch.missing() == {"zone": ZONE, "time": "2026-11-22 00:00 CET"}
        # 600 s, 1200 s ... 7200 s, each half random
        asked = [bool(server.fetch_due(after_s=60)) for _ in range(600)]
        assert [index for index, has in enumerate(asked, 1) if has][:5] == [8, 23, 53, 113, 203]
        source.fault, source.prices = "", pricing.priced(TODAY, TODAY + 2 * ONE)
        while not server.fetch_due(after_s=600):
            pass
    assert server.fetch.missing() == {} and server.known() == 96
    lines = [record.getMessage() for record in caplog.records if "DE-LU" in record.getMessage()]
    assert lines == [
        "Spot prices of DE-LU are missing from 2026-11-22 00:00 CET on: energy-charts: it answers 500; smard: it "
        "answers 500; awattar: it answers 500.",
        "Spot prices of DE-LU are complete again.",
    ]


def test_tomorrow_that_is_missing_at_four_is_a_notice(server: Server, source: StandIn) -> None:
    server.fetch_due("06:00")
    server.fetch_due("15:30")
    assert server.fetch.missing() == {}
    server.fetch_due("16:01")
    assert server.fetch.missing() == {"zone": ZONE, "time": "2026-11-23 00:00 CET"}
    source.prices = pricing.priced(TODAY, TODAY + 2 * ONE)
    server.fetch_due("16:30")
    server.fetch_due("16:31")
    assert server.fetch.missing() == {}


def test_months_of_history_are_filled_newest_first_each_once_a_day(server: Server, source: StandIn) -> None:
    first_s = int(at("12:00", date(2026, 9, 15)))
    server.store.write([], [MeterInfo(METER_ID, "", False, first_s, first_s)])
    source.prices = pricing.priced(date(2026, 9, 3), TODAY + ONE)
    server.fetch_due("06:00")
    for _ in range(5):
        server.fetch_due(after_s=30)
    # from the first day of the month: the request does not say since when the meter is read
    begins = [int(path.partition("start=")[2].partition("&")[0]) for path in source.requests if "start=" in path]
    assert [datetime.fromtimestamp(begin_s, MARKET).strftime("%m-%d") for begin_s in begins[:4]] == [
        *("11-22", "11-01", "10-01", "09-01"),
    ]
    # nobody has the first two days of September: once a day is enough
    assert server.known(date(2026, 9, 1)) == 0 and server.known(date(2026, 9, 3)) == 96
    count = len(source.requests)
    assert [server.fetch_due(after_s=600) for _ in range(5)] == [[]] * 5 and len(source.requests) == count


def test_nothing_is_asked_while_the_clock_is_not_trusted(server: Server) -> None:
    server.is_synchronised = False
    assert server.fetch_due("06:00") == []
    assert server.fetch_due(after_s=60) == []
    server.is_synchronised = True
    assert server.fetch_due(after_s=60) == ["energy-charts"]


def test_while_prices_cannot_be_stored_sources_are_left_alone(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(tmp_path / "iskra.sqlite")) as database:
        database.execute(
            "CREATE TRIGGER refused BEFORE INSERT ON spot_price BEGIN SELECT RAISE(ABORT, 'may only be read'); END"
        )
    assert server.fetch_due("06:00") == ["energy-charts"]
    assert [server.fetch_due(after_s=60) for _ in range(7)] == [[]] * 7
    assert server.fetch_due(after_s=60) == ["energy-charts"] and server.known() == 0
    assert len([record for record in caplog.records if "are not stored: " in record.getMessage()]) == 1


def test_each_zone_is_asked_for(source: StandIn, tmp_path: Path) -> None:
    server = Server(source, tmp_path, ("AT", ZONE))
    server.fetch_due("06:00")
    assert ["bzn=AT" in path for path in source.requests] == [True, False]
    server.store.close()
