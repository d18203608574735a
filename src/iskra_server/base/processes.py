"""The programs of this machine and their open files, as /proc shows them."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")


def open_files(proc: Path = PROC) -> Iterator[tuple[str, str]]:
    """(program, target) of every open file; a program is "name (pid 812)", a target "/dev/tty" or "socket:[4711]".

    Processes of other users are hidden from all users but root.
    """
    for process in proc.glob("[0-9]*"):
        if targets := list(_targets(process)):
            program = f"{_name(process)} (pid {process.name})"
            yield from ((program, target) for target in targets)


def _targets(process: Path) -> Iterator[str]:
    # a process may end meanwhile, or belong to another user
    with suppress(OSError):
        for descriptor in os.scandir(process / "fd"):
            with suppress(OSError):
                yield os.readlink(descriptor.path)


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "a program"
