import os
from pathlib import Path

import pytest

from iskra_server.outputs.notify.memory import ChannelMemory, Memory, MemoryFile, ReportedEvent, encoded


def test_a_memory_survives(tmp_path: Path) -> None:
    file = MemoryFile(tmp_path / "deep" / "notify.json")
    assert file.load() == (Memory(), False)
    memory = Memory(meters={"auto": "1 ISK 00 12345678"}, channels={"ntfy": ChannelMemory(queued_s=[1.5])})
    assert memory.begin("silent auto", 1000.0, 400.0, 60.0)
    file.store(encoded(memory))
    assert MemoryFile(file.path).load() == (memory, True)
    assert os.stat(file.path).st_mode & 0o777 == 0o600
    assert [path.name for path in file.path.parent.iterdir()] == ["notify.json"]


def test_an_event_is_told_once_and_again_after_a_while() -> None:
    memory = Memory()
    assert memory.end("x") is None
    assert memory.begin("x", 1000.0, 400.0, 60.0)
    assert not memory.begin("x", 5000.0, 400.0, 60.0)
    assert memory.end("x") == ReportedEvent(is_on=True, since_s=400.0, told_s=1000.0)
    assert memory.end("x") is None and not memory.is_on("x")
    assert not memory.begin("x", 1059.0, 1001.0, 60.0)
    assert memory.begin("x", 1060.0, 1001.0, 60.0)


def test_a_clock_that_was_ahead_keeps_nothing_back() -> None:
    memory = Memory(told={"x": ReportedEvent(is_on=False, since_s=9e9, told_s=9e9)})
    assert memory.begin("x", 1000.0, 1000.0, 60.0)


def test_what_is_old_or_no_longer_configured_is_forgotten() -> None:
    memory = Memory(
        meters={"a": "1", "b": "2"}, unlocked={"b": True}, told={"x": ReportedEvent(), "y": ReportedEvent(is_on=True)}
    )
    memory.forget_old(100 * 86_400.0, ["a"])
    assert (memory.meters, memory.unlocked, list(memory.told)) == ({"a": "1"}, {}, ["y"])


@pytest.mark.parametrize("damaged", [b'{"told": 3', b'{"meters": {"a": "\xff"}}'])
def test_a_damaged_file_is_moved_aside(tmp_path: Path, damaged: bytes) -> None:
    file = MemoryFile(tmp_path / "notify.json")
    file.path.write_bytes(damaged)
    assert file.load() == (Memory(), False)
    assert (tmp_path / "notify.damaged").read_bytes() == damaged


def test_a_full_disk_is_told_and_forgiven(small_disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    file, filler = MemoryFile(small_disk / "notify.json"), small_disk / "filler"
    file.store(b"{}")
    filler.write_bytes(b"x" * 60_000)
    file.store(b"x" * 30_000)
    assert "cannot be written (No space left on device); after a restart messages may come twice." in file.error[0]
    assert file.path.read_bytes() == b"{}"
    filler.unlink()
    file.store(b"y" * 30_000)
    assert (file.error[0], file.path.read_bytes()) == ("", b"y" * 30_000)
    assert len(caplog.records) == 1
