"""What all commands on history share: which one, which meter, and what is wrong with it."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from cli.recorded import history
from command import Run
from history.entries import METER, OTHER, SIMULATED
from iskra_server.base.address import Address
from iskra_server.cli.ui import open_history
from iskra_server.cli.ui.open_history import (
    find_meter,
    history_address,
    load_config,
    meters_by_name,
    sqlite_path,
    stored_meter,
    time_zone,
)
from iskra_server.cli.ui.usage_error import UsageError
from iskra_server.config import Config, HistoryConfig, MeterConfig, ServerConfig
from iskra_server.history.model.records import MeterInfo
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.store import Store
from iskra_server.runtime.plan import plan_of

FOLDER = HistoryConfig(data_dir="/data")


@pytest.mark.parametrize(
    "urls",
    [
        ("auto",),
        ("none",),
        ("simulator:MT175",),
        ("file:capture.bin",),
        ("simulator:MT175", "none"),
        ("simulator:MT175", "file:capture.bin"),
        ("simulator:MT175", "/dev/ttyUSB0"),
    ],
)
def test_the_history_is_the_one_that_the_server_writes(urls: tuple[str, ...]) -> None:
    config = Config(history=FOLDER, meters=tuple(MeterConfig(Address(url)) for url in urls))
    file = "simulated.sqlite" if plan_of(config).simulated else "iskra.sqlite"
    assert history_address(config) == Address(f"sqlite:////data/{file}")


def test_a_database_server_may_hold_it() -> None:
    database = Address("postgresql://x/y")
    assert history_address(Config(history=HistoryConfig(database_url=database))) == database


def test_a_file_of_configuration_may_be_named(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text('[history]\ndata_dir = "/mnt"\n')
    assert history_address(load_config(file)) == Address("sqlite:////mnt/iskra.sqlite")


def test_only_sqlite_has_a_file() -> None:
    assert sqlite_path(Address("sqlite:////data/iskra.sqlite")) == Path("/data/iskra.sqlite")
    assert sqlite_path(Address("postgresql://x/y")) is None


def test_the_only_meter_needs_no_name() -> None:
    assert find_meter([METER], None) == METER
    assert find_meter([METER, OTHER], OTHER.meter_id) == OTHER


@pytest.mark.parametrize("name", ["12345678", "1ISK0012345678", "1 isk 00 12345678"])
def test_a_meter_goes_by_what_stands_on_its_label(name: str) -> None:
    assert find_meter([METER, OTHER], name) == METER


def test_a_meter_that_is_not_clear_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UsageError, match="History holds several meters; name one of them: 1 ISK 00 12345678, 1 ISK"):
        find_meter([METER, SIMULATED], None)
    with pytest.raises(UsageError, match="The meter x is not in history; it holds 1 ISK 00 12345678"):
        find_meter([METER], "x")
    many = [MeterInfo(f"1 ISK 00 {number:08}", "", False, 0, 0) for number in range(1_012)]
    with pytest.raises(UsageError, match="1 ISK 00 00000009 and more"):
        find_meter(many, "x")
    with pytest.raises(UsageError, match="History holds no meter yet"):
        find_meter([], None)


def test_in_history_a_meter_is_looked_up_and_not_all_are_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [replace(METER, meter_id=f"1 ISK 00 {number:08}", server_id=f"{number:020}") for number in range(30)]
    with pytest.raises(UsageError, match="History holds no meter yet"):
        stored_meter(store, None)
    store.write([], [METER])
    assert stored_meter(store, None).meter_id == METER.meter_id
    store.write([], many)
    monkeypatch.setattr(store, "meters", lambda: pytest.fail("all meters are read"))
    for name in ("1 ISK 00 00000017", "1isk0000000017", "000017", "00000017", f"{17:020}"):
        assert stored_meter(store, name).meter_id == "1 ISK 00 00000017"
    with pytest.raises(UsageError, match=r"The meter x is not in history; it holds 1 ISK .* and more\.$"):
        stored_meter(store, "x")
    with pytest.raises(UsageError, match=r"History holds several meters; name one of them: 1 ISK .* and more\.$"):
        stored_meter(store, None)
    store.write([], [replace(METER, meter_id="1 EMH 00 00000017", server_id="0a")])
    with pytest.raises(
        UsageError, match="000017 may be 1 ISK 00 00000017 or 1 EMH 00 00000017; write the whole number"
    ):
        stored_meter(store, "000017")


def test_the_meters_of_a_table_are_looked_up_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    infos = [replace(METER, meter_id=f"1 ISK 00 {place:08}", server_id=f"0901{place:016x}") for place in range(40)]
    store.write([], [*infos, replace(METER, meter_id="Short", server_id="")])
    expected = {
        "1isk0000000003": infos[3].meter_id,
        "00000004": infos[4].meter_id,
        "000005": infos[5].meter_id,
        infos[6].server_id.upper(): infos[6].meter_id,
        "short": "Short",
    }
    names = [*expected, "99999999", "7", ""]
    assert meters_by_name(store, names) == expected
    monkeypatch.setattr(open_history, "_FEW_NAMES", 0)
    assert meters_by_name(store, names) == expected
    monkeypatch.undo()
    monkeypatch.setattr(Reads, "meters", None)
    assert meters_by_name(store, names) == expected


def test_the_zone_is_the_named_one_else_that_of_the_server() -> None:
    config = Config(server=ServerConfig(time_zone="Europe/Berlin"))
    assert time_zone("", config).key == "Europe/Berlin"
    assert time_zone("UTC", config).key == "UTC"
    with pytest.raises(UsageError, match="'Mars' is not a time zone; expected"):
        time_zone("Mars", config)


@pytest.mark.parametrize("command", [["export"], ["meters"], ["meters", "replace", "a", "b"]])
def test_a_history_that_is_not_there_is_not_made(command: list[str], call: Run, tmp_path: Path) -> None:
    done = call(*command)
    assert done.returncode == 2
    assert done.stderr.startswith(f"iskra-server: There is no history at {tmp_path}/.local/share/iskra-server/iskra.")
    assert list(tmp_path.iterdir()) == []


def test_beside_the_service_its_history_is_named(call: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # a link to a folder that only root may enter
    (tmp_path / "service").symlink_to("/root/none")
    monkeypatch.setattr(open_history, "_SERVICE_FOLDER", tmp_path / "service")
    told = f"For that of the service, sudo env IES_DATA_DIR={tmp_path}/service and this command.\n"
    assert call("meters").stderr.endswith(told)
    assert "of the service" not in call("meters", IES_DATA_DIR=str(tmp_path / "service")).stderr


def test_what_a_database_has_against_it_is_one_sentence(call: Run, tmp_path: Path) -> None:
    path = history(tmp_path)
    path.write_bytes(b"This is a letter, not a database.")
    done = call("export")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"iskra-server: {path} is not a database. Move it away, or restore a backup with iskra-server restore.\n"
    )
