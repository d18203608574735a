"""Which program holds a device, as far as /proc tells: the processes of other users are hidden from most of us."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def holders(proc: Path = Path("/proc")) -> dict[str, str]:
    """Device -> "name (pid 812)", or several with commas, for all open files below /dev."""
    found: dict[str, list[str]] = {}
    for process in proc.glob("[0-9]*"):
        for device in set(_devices(process)):
            found.setdefault(device, []).append(f"{_name(process)} (pid {process.name})")
    return {device: ", ".join(programs) for device, programs in found.items()}


def _devices(process: Path) -> Iterator[str]:
    # a process may end, or be another user's, while we look
    with suppress(OSError):
        for descriptor in os.scandir(process / "fd"):
            with suppress(OSError):
                target = os.readlink(descriptor.path)
                if target.startswith("/dev/"):
                    yield target


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "a program"
