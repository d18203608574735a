from pathlib import Path

import pytest
from msgspec import structs

from iskra_server.base.address import Address
from iskra_server.config import Config, MeterConfig
from iskra_server.runtime.server_id import FILE, SIMULATED_FILE, server_id


def config_in(folder: Path, *meters: str) -> Config:
    history = structs.replace(Config().history, data_dir=str(folder))
    return structs.replace(Config(), history=history, meters=tuple(MeterConfig(Address(url)) for url in meters))


def test_the_id_is_made_once_and_stays(tmp_path: Path) -> None:
    config = config_in(tmp_path / "data", "auto")
    made = server_id(config)
    assert made
    assert len(bytes.fromhex(made)) == 16
    assert server_id(config) == made
    assert [path.name for path in (tmp_path / "data").iterdir()] == [FILE]
    assert server_id(config_in(tmp_path / "other", "auto")) != made


def test_a_demonstration_is_another_server_in_the_same_folder(tmp_path: Path) -> None:
    real, simulated = server_id(config_in(tmp_path, "auto")), server_id(config_in(tmp_path, "simulator:MT175"))
    assert real != simulated
    assert {path.name for path in tmp_path.iterdir()} == {FILE, SIMULATED_FILE}
    assert server_id(config_in(tmp_path, "simulator:MT175", "auto")) == real


@pytest.mark.parametrize("damaged", [b"", b"abc", b"\xff" * 32, b"g" * 32])
def test_a_damaged_file_is_replaced(tmp_path: Path, damaged: bytes) -> None:
    (tmp_path / FILE).write_bytes(damaged)
    made = server_id(config_in(tmp_path, "auto"))
    assert made
    assert (tmp_path / FILE).read_text() == f"{made}\n"


def test_without_a_folder_that_can_be_written_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert server_id(config_in(tmp_path / "file" / "data", "auto")) is None
    assert server_id(config_in(Path("~nobody-of-this-name/data"), "auto")) is None
