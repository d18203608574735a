"""`prices fetch`, `show` and `import`, against the stand-in and a real history."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

import pricing
from command import OnTerminal, Run
from iskra_server.cli.commands import prices as module
from iskra_server.history.model.spot_price import MARKET, delivery_day, quarters_of_days
from iskra_server.history.store.location import database_address
from iskra_server.history.store.spot_prices import spot_raws
from iskra_server.history.store.store import Store
from pricing import DAY as ONE
from pricing import StandIn, stand_in
from running import wait_over_midnight

FIRST, END = date(2025, 9, 29), date(2025, 11, 3)


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE_S", 0.0)


@pytest.fixture
def source() -> Iterator[StandIn]:
    with stand_in() as source:
        source.prices = pricing.priced(FIRST, END)
        yield source


def known(folder: Path, first: date = FIRST, end: date = END) -> int:
    quarters = quarters_of_days(first, end)
    address = database_address(str(folder / ".local/share/iskra-server"), "")
    with closing(Store(address)) as store:
        return len(spot_raws(store, "DE-LU", quarters.start, quarters.stop))


def test_years_are_fetched_month_by_month_and_only_what_is_missing(call: Run, source: StandIn, tmp_path: Path) -> None:
    command = ("prices", "fetch", "--zone", "DE-LU", "--from", "2025-09-29", "--to", "2025-11-02")
    done = call(*command, **source.settings)
    assert (done.returncode, done.stderr) == (0, "")
    # the clocks changed in October
    assert done.stdout == "DE-LU, 2025-09-29 to 2025-11-02: 3,364 prices are new.\n"
    assert source.asked() == ["energy-charts"] * 3 and known(tmp_path) == 3364
    assert call(*command, **source.settings).stdout == "DE-LU, 2025-09-29 to 2025-11-02: 0 prices are new.\n"
    assert len(source.requests) == 3


def test_a_fetch_that_was_cut_off_goes_on_where_it_was(call: Run, source: StandIn, tmp_path: Path) -> None:
    command = ("prices", "fetch", "--zone", "DE-LU", "--from", "2025-09-29", "--to", "2025-11-02")
    call("prices", "fetch", "--zone", "DE-LU", "--from", "2025-09-29", "--to", "2025-09-30", **source.settings)
    source.fault = "500"
    done = call(*command, **source.settings)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "iskra-server: Prices of DE-LU for 2025-10 could not be fetched: energy-charts: it answers 500; smard: it "
        "answers 500; awattar: it answers 500. 0 prices are new. The same command goes on from there.\n"
    )
    source.fault = ""
    before = len(source.requests)
    assert call(*command, **source.settings).returncode == 0
    assert source.asked()[before:] == ["energy-charts"] * 2 and known(tmp_path) == 3364


def test_a_progress_bar_shows_the_month_on_a_terminal(terminal: OnTerminal, source: StandIn, tmp_path: Path) -> None:
    lines = [f'{name.removeprefix("IES_PRICES_").lower()} = "{url}"' for name, url in source.settings.items()]
    (tmp_path / "iskra-server.toml").write_text("\n".join(("[prices]", 'zone = "DE-LU"', *lines)))
    running = terminal("prices", "fetch", "--from", "2025-09-29", "--to", "2025-11-02")
    running.until("DE-LU 2025-10")
    assert running.end() == 0
    assert "3,364 prices are new" in running.text


def test_prices_are_shown_as_a_curve_and_as_json(call: Run, source: StandIn) -> None:
    call("prices", "fetch", "--zone", "DE-LU", "--from", "2025-10-26", "--to", "2025-10-26", **source.settings)
    done = call("prices", "show", "2025-10-26", "--tz", "Europe/Berlin")
    rows = done.stdout.splitlines()
    assert done.returncode == 0 and rows[-1] == "Spot prices of DE-LU, without taxes and fees."
    # the hour that there is twice
    assert [row[:21] for row in rows[3:5]] == ["2025-10-26 02:00 CEST", "2025-10-26 02:00 CET "] and len(rows) == 27
    shown = [
        json.loads(line)
        for line in call("prices", "show", "2025-10-26", "--json", "--tz", "Europe/Berlin").stdout.splitlines()
    ]
    assert len(shown) == 100
    first = quarters_of_days(date(2025, 10, 26), date(2025, 10, 27))[0]
    assert shown[0] == {
        "zone": "DE-LU",
        "begin": "2025-10-26T00:00:00+02:00",
        "end": "2025-10-26T00:15:00+02:00",
        "eur_mwh": float(pricing.price_of(first)),
        "minutes": 15,
    }


def test_a_file_is_imported_once(call: Run, source: StandIn, tmp_path: Path) -> None:
    (tmp_path / "prices.json").write_bytes(pricing.evcc(source.prices))
    done = call("prices", "import", "prices.json", "--zone", "DE-LU")
    assert (done.returncode, done.stdout) == (
        0,
        "prices.json for DE-LU: 3,364 prices are new, 0 already there.\n",
    )
    again = call("prices", "import", "prices.json", "--zone", "DE-LU", "--unit", "EUR/MWh")
    assert "0 prices are new, " in again.stdout and "differ (history keeps the first)." in again.stdout
    assert known(tmp_path) == 3364


def test_what_was_written_is_read_again_as_it_was(call: Run, source: StandIn, tmp_path: Path) -> None:
    call("prices", "fetch", "--zone", "DE-LU", "--from", "2025-09-30", "--to", "2025-10-01", **source.settings)
    written = call("prices", "show", "2025", "--json", "--zone", "DE-LU").stdout
    (tmp_path / "prices.jsonl").write_text(written)
    assert call("prices", "import", "prices.jsonl", "--zone", "AT").stdout.endswith(
        "192 prices are new, 0 already there.\n"
    )
    again = call("prices", "show", "2025", "--json", "--zone", "AT").stdout
    assert again == written.replace("DE-LU", "AT") and '"minutes":60' in again and '"minutes":15' in again


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("fetch",), "No zone is configured. Name one with --zone, such as --zone DE-LU, or set prices.zone."),
        (("fetch", "--zone", "XX"), "'XX' is not a zone whose spot prices a source has; known are AT, BE,"),
        (("fetch", "--zone", "AT", "--from", "sometime"), "'sometime' is not a period;"),
        (("fetch", "--zone", "AT", "--from", "2000", "--to", "2001"), "There are prices from 2018-10-01 to tomorrow;"),
        (("import", "none.json", "--zone", "AT"), "none.json: it cannot be read: No such file or directory."),
        (("import", "iskra.txt", "--zone", "AT"), "iskra.txt cannot be imported: it is not in the documented form"),
        (("import", "iskra.txt"), "No zone is configured. Name that of these prices with --zone"),
        (("show",), "There is no history at "),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    call: Run, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    (tmp_path / "iskra.txt").write_text("no JSON")
    done = call("prices", *arguments)
    assert done.returncode == 2 and done.stderr.startswith(f"iskra-server: {sentence}") and done.stderr.count("\n") == 1


def test_a_zone_that_does_not_exist_is_said_with_those_that_do(call: Run, source: StandIn, tmp_path: Path) -> None:
    (tmp_path / "prices.json").write_bytes(pricing.evcc(source.prices))
    call("prices", "fetch", "--zone", "DE-LU", "--from", "2025-10-26", "--to", "2025-10-26", **source.settings)
    for arguments in (("show", "--zone", "XX"), ("import", "prices.json", "--zone", "XX")):
        done = call("prices", *arguments)
        assert done.returncode == 2
        assert "'XX' is not a zone whose spot prices a source has; known are AT, BE," in done.stderr
        assert "fetch" not in done.stderr


def test_a_file_is_imported_whether_or_not_a_source_has_its_zone(call: Run, source: StandIn, tmp_path: Path) -> None:
    (tmp_path / "prices.json").write_bytes(pricing.evcc(source.prices))
    none = {f"IES_PRICES_{name}_URL": "" for name in ("ENERGY_CHARTS", "SMARD", "AWATTAR")}
    for zone, settings in (("DE-LU", none), ("BE", {"IES_PRICES_ENERGY_CHARTS_URL": ""})):
        done = call("prices", "import", "prices.json", "--zone", zone, **settings)
        assert (done.returncode, done.stderr) == (0, "")


def test_no_prices_are_a_negative_result(call: Run, source: StandIn) -> None:
    call("prices", "fetch", "--zone", "DE-LU", "--from", "2025-10-26", "--to", "2025-10-26", **source.settings)
    done = call("prices", "show", "2025-11-20")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("Fetch them: iskra-server prices fetch --zone DE-LU --from 2025-11-20.\n")
    # one that has prices elsewhere
    done = call("prices", "show", "2025-11-20", "--zone", "AT")
    assert done.returncode == 1
    assert "History has no prices of AT for 2025-11-20." in done.stderr


def test_by_default_from_the_first_month_to_tomorrow(call: Run, source: StandIn, tmp_path: Path) -> None:
    wait_over_midnight(MARKET)
    today = delivery_day(time.time())
    source.prices = pricing.priced(today.replace(day=1), today + 2 * ONE)
    assert call("prices", "fetch", "-q", IES_PRICES_ZONE="DE-LU", **source.settings).stdout == ""
    assert known(tmp_path, today.replace(day=1), today + 2 * ONE) == len(source.prices)
