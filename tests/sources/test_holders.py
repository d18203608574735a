import os
import subprocess
import sys
from pathlib import Path

from iskra_server.sources.holders import holders


def test_a_program_that_has_a_device_open_is_named() -> None:
    master, slave = os.openpty()
    try:
        device = os.ttyname(slave)
        name = Path("/proc/self/comm").read_text().strip()
        assert holders()[device] == f"{name} (pid {os.getpid()})"
    finally:
        os.close(master)
        os.close(slave)
    assert device not in holders()


def test_all_programs_are_named() -> None:
    master, slave = os.openpty()
    other = subprocess.Popen([sys.executable, "-c", "print(flush=True); input()"], stdin=slave, stdout=subprocess.PIPE)
    try:
        assert other.stdout and other.stdout.readline()
        named = holders()[os.ttyname(slave)]
        assert f"(pid {os.getpid()})" in named
        assert f"(pid {other.pid})" in named
    finally:
        os.close(master)
        os.close(slave)
        other.communicate()


def test_processes_that_end_or_hide_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "2" / "fd").mkdir(parents=True)
    (tmp_path / "2" / "fd" / "0").symlink_to("/dev/ttyUSB0")
    (tmp_path / "2" / "fd" / "1").write_text("no link")
    assert holders(tmp_path) == {"/dev/ttyUSB0": "a program (pid 2)"}
