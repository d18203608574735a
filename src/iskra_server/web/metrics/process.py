"""Metrics of this process, under the names that Prometheus dashboards know; fewer on systems without /proc."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from resource import RLIMIT_NOFILE, getpagesize, getrlimit

from iskra_server.web.metrics.exposition import Family, Metric, families

_PROC = Path("/proc")
# field of /proc/self/stat, counted from the end of the name in parentheses (proc(5))
_START_TIME = 19


def process_families() -> Iterator[Family]:
    return families("process", _metrics(), [None], lambda _: {})


def _metrics() -> Iterator[Metric[None]]:
    yield Metric("cpu_seconds", "counter", "Processor time used.", lambda _: time.process_time(), "seconds")
    yield Metric("max_fds", "gauge", "Maximum number of open files.", lambda _: getrlimit(RLIMIT_NOFILE)[0])
    if _PROC.exists():
        yield Metric("resident_memory_bytes", "gauge", "Memory in use.", lambda _: _resident_bytes(), "bytes")
        yield Metric("open_fds", "gauge", "Open files and sockets.", lambda _: len(os.listdir(_PROC / "self/fd")))
        yield Metric("start_time_seconds", "gauge", "Start, in Unix time.", lambda _: _start_time_s(), "seconds")


def _start_time_s() -> float | None:
    """The boot time (whole seconds) plus the start after boot: reading two clocks would jitter by 10 ms."""
    lines = (_PROC / "stat").read_text().splitlines()
    boot_s = next((int(line.split()[1]) for line in lines if line.startswith("btime ")), None)
    if boot_s is None:
        return None
    ticks = int((_PROC / "self/stat").read_text().rpartition(")")[2].split()[_START_TIME])
    return boot_s + ticks / os.sysconf("SC_CLK_TCK")


def _resident_bytes() -> int:
    return int((_PROC / "self/statm").read_text().split()[1]) * getpagesize()
