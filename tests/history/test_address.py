from pathlib import Path

import pytest

from iskra_server.address import Address
from iskra_server.history.address import address_of


def test_history_is_a_file_in_the_data_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.chdir(tmp_path)
    assert address_of("~/data", "") == Address("sqlite:////home/somebody/data/iskra.sqlite")
    assert address_of("data", "") == Address(f"sqlite:///{tmp_path}/data/iskra.sqlite")


def test_a_configured_database_is_taken() -> None:
    assert address_of("/data", "postgresql://db/iskra") == Address("postgresql://db/iskra")


def test_simulated_data_has_a_file_of_its_own() -> None:
    assert address_of("/data", "postgresql://db/iskra", simulated=True) == Address("sqlite:////data/simulated.sqlite")
