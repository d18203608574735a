"""Two servers with one data folder: the second one says so, and where the first one is."""

from pathlib import Path

import pytest

from iskra_server.base.address import Address
from iskra_server.config import Config, HistoryConfig, MeterConfig
from iskra_server.runtime.data_folder import data_folder_in_use
from running import serving, until


def config(folder: Path, url: str = "/dev/ttyUSB0") -> Config:
    return Config(history=HistoryConfig(data_dir=str(folder)), meters=(MeterConfig(Address(url)),))


def test_a_second_server_with_the_folder_says_who_has_it(tmp_path: Path) -> None:
    environ = {"IES_DATA_DIR": str(tmp_path)}
    with serving("serve", "none", environ=environ) as first, serving("serve", "none", environ=environ) as second:
        until(lambda: "Serving on" in second.log)
    port = first.url.rpartition(":")[2]
    assert f"uses the data folder {tmp_path} too (http://0.0.0.0:{port}/): Home Assistant and" in second.log
    assert "data folder" not in first.log
    with serving("serve", "none", environ=environ) as after:
        until(lambda: "Serving on" in after.log)
    assert "data folder" not in after.log


def test_a_demonstration_beside_a_server_is_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with data_folder_in_use(config(tmp_path), "a"), data_folder_in_use(config(tmp_path, "simulator:MT175"), "b"):
        assert caplog.messages == []
        with data_folder_in_use(config(tmp_path, "simulator:MT681"), "c"):
            (message,) = caplog.messages
            assert f"{tmp_path} too (b)" in message
    assert (tmp_path / "server.lock").read_text() == "a\n"


@pytest.mark.parametrize("folder", ["/proc/none", "~nosuchuser/x", "/dev/null/x"])
def test_a_folder_that_cannot_be_written_keeps_no_server_from_starting(
    folder: str, caplog: pytest.LogCaptureFixture
) -> None:
    with data_folder_in_use(config(Path(folder)), "a"):
        assert caplog.messages == []
