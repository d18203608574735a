import json
import logging
import os
from pathlib import Path

import pytest

from iskra_server.codecs.d0.speeds import Learned
from iskra_server.sources.port_memory import FoundMeter, PortMemory, learned, polled
from sources.ptys import nobody

HEAD = "/dev/serial/by-id/usb-head"


def test_what_was_found_is_there_after_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    memory = PortMemory(folder)
    memory.remember(HEAD, FoundMeter("dlms", 2400, "8E1"))
    memory.remember("/dev/ttyUSB0", polled(Learned("5", 0.1)))
    memory.remember(HEAD, FoundMeter("p1", 115_200))
    again = PortMemory(folder)
    assert again.recall(HEAD) == FoundMeter("p1", 115_200)
    assert learned(again.recall("/dev/ttyUSB0")) == Learned("5", 0.1)
    assert again.recall("/dev/ttyUSB1") is None
    assert os.listdir(folder) == ["ports.json"]


def test_what_is_known_is_not_written_again(tmp_path: Path) -> None:
    memory = PortMemory(tmp_path)
    memory.remember(HEAD, FoundMeter("sml"))
    before = (tmp_path / "ports.json").stat().st_mtime_ns
    memory.remember(HEAD, FoundMeter("sml"))
    assert (tmp_path / "ports.json").stat().st_mtime_ns == before


FOREIGN: tuple[dict[str, object], ...] = (
    {"protocol": "sml", "baud": 12_345},
    {"protocol": "sml", "baud": 0},
    {"protocol": "sml", "baud": -9600},
    {"protocol": "sml", "format": ""},
    {"protocol": "modbus"},
    {"protocol": "sml", "is_polled": True},
    {"protocol": "d0", "is_polled": True, "speed": "9"},
    {"protocol": "d0", "is_polled": True, "speed": "51\r\n"},
    {"protocol": "d0", "is_polled": True, "speed": "5", "delay_s": 1e9},
    {"protocol": "d0", "is_polled": True, "speed": "5", "delay_s": -1},
)


@pytest.mark.parametrize(
    "damaged",
    [b"", b"{", b"[]", b'{"a": 1}', b'{"a": {"protocol": 7}}', b"\xff\x00", b'{"a\xff": {"protocol": "sml"}}']
    + [json.dumps({"/dev/other": {"protocol": "sml"}, HEAD: found}).encode() for found in FOREIGN],
)
def test_a_damaged_file_is_told_once_and_replaced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damaged: bytes
) -> None:
    (tmp_path / "ports.json").write_bytes(damaged)
    memory = PortMemory(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert memory.recall(HEAD) is None
        memory.remember(HEAD, FoundMeter("sml"))
    assert memory.recall(HEAD) == FoundMeter("sml")
    path = tmp_path / "ports.json"
    assert caplog.messages == [f"{path} is damaged: every port is searched for its meter."]


def test_a_folder_that_cannot_be_written_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tmp_path.chmod(0o755)
    memory = PortMemory(tmp_path)
    with nobody(), caplog.at_level(logging.WARNING):
        memory.remember(HEAD, FoundMeter("sml"))
        memory.remember(HEAD, FoundMeter("p1"))
    assert len(caplog.messages) == 1
    assert "cannot be " in caplog.messages[0]


def test_without_a_folder_nothing_is_remembered() -> None:
    memory = PortMemory()
    memory.remember(HEAD, FoundMeter("sml"))
    assert memory.recall(HEAD) is None


def test_a_command_reads_what_the_server_has_found_and_writes_nothing(tmp_path: Path) -> None:
    PortMemory(tmp_path).remember(HEAD, FoundMeter("p1", 115_200))
    command = PortMemory(tmp_path, writes=False)
    command.remember(HEAD, FoundMeter("sml"))
    assert command.recall(HEAD) == FoundMeter("p1", 115_200)


def test_a_meter_that_is_asked_may_have_no_settings_yet() -> None:
    assert learned(polled()) is None
    assert learned(polled(Learned(""))) == Learned("")
    assert learned(None) is None
