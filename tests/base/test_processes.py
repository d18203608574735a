import os
import subprocess
import sys
from pathlib import Path

from iskra_server.base.processes import open_files


def test_open_files_of_this_process_and_of_another_are_told_with_the_program(tmp_path: Path) -> None:
    path = tmp_path / "open"
    with (
        path.open("w") as opened,
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=opened) as child,
    ):
        holders = {program for program, target in open_files() if target == str(path)}
        assert {program.rpartition(" (pid ")[2] for program in holders} == {f"{os.getpid()})", f"{child.pid})"}
        assert all(not program.startswith("a program ") for program in holders)
        child.communicate(b"\n")


def test_a_process_that_may_not_be_seen_or_has_no_name_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "8" / "fd").mkdir(parents=True)
    (tmp_path / "8" / "fd" / "0").symlink_to("/dev/null")
    assert list(open_files(tmp_path)) == [("a program (pid 8)", "/dev/null")]
