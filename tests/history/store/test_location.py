from pathlib import Path

import pytest

from iskra_server.base.address import Address
from iskra_server.history.store.location import check_address, database_address, sqlite_file


def test_history_is_a_file_in_the_data_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.chdir(tmp_path)
    assert database_address("~/data", "") == Address("sqlite:////home/somebody/data/iskra.sqlite")
    assert database_address("data", "") == Address(f"sqlite:///{tmp_path}/data/iskra.sqlite")


def test_a_configured_database_is_taken() -> None:
    assert database_address("/data", "postgresql://db/iskra") == Address("postgresql://db/iskra")


def test_simulated_data_has_a_file_of_its_own() -> None:
    assert database_address("/data", "postgresql://db/iskra", simulated=True) == Address(
        "sqlite:////data/simulated.sqlite"
    )


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("geheim", "database_url is not an address"),
        ("mysql://me:geheim@db/x", "database_url begins with mysql"),
        ("sqlite://", "database_url names no file"),
        ("sqlite:///:memory:", "database_url names no file"),
        ("sqlite:////data/x.sqlite?mode=memory", "database_url names a file with a"),
        ("postgresql://me:geheim@a..b/x", "database_url names the host 'a..b'"),
        ("postgresql://me:geheim@db:99999/x", "database_url cannot be used: the port must be a number"),
    ],
)
def test_where_no_database_can_be_is_told_without_its_password(url: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        check_address(Address(url))
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["postgresql:///x?host=/run/postgresql", "postgresql://me:p@ss@h1,h2/x", "postgres://[::1]/x", "sqlite:////x"],
)
def test_where_a_database_can_be_is_good(url: str) -> None:
    check_address(Address(url))


def test_only_sqlite_has_a_file() -> None:
    # also one with signs that mean something in an address
    assert sqlite_file(database_address("/data/a?b#c%41", "")) == "/data/a?b#c%41/iskra.sqlite"


def test_a_home_that_is_not_there_is_told() -> None:
    with pytest.raises(ValueError, match="data_dir is ~nosuchuser/x, but there is no such home directory"):
        database_address("~nosuchuser/x", "")
