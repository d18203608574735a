"""What this process costs, in the names that every Prometheus dashboard knows; without /proc only some of it."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from resource import RLIMIT_NOFILE, getpagesize, getrlimit

from iskra_server.web.metrics.exposition import Family, Row, table

_PROC = Path("/proc/self")
# of /proc/self/stat, counted behind the name in parentheses
_START_TIME = 19


class Process:
    """`families` at each scrape; the moment of the start is kept, so that it does not tremble."""

    def __init__(self) -> None:
        self._started_s = 0.0

    def families(self) -> Iterator[Family]:
        return table("process", self._rows(), [None], lambda _: {})

    def _rows(self) -> Iterator[Row[None]]:
        yield Row("cpu_seconds", "counter", "Processor time so far.", lambda _: time.process_time(), "seconds")
        yield Row("max_fds", "gauge", "The most files that may be open.", lambda _: getrlimit(RLIMIT_NOFILE)[0])
        # there is no /proc on every system
        if _PROC.exists():
            yield Row("resident_memory_bytes", "gauge", "Memory in use.", lambda _: _resident_bytes(), "bytes")
            yield Row("open_fds", "gauge", "Files and sockets that are open.", lambda _: len(os.listdir(_PROC / "fd")))
            yield Row("start_time_seconds", "gauge", "Its start, in Unix time.", lambda _: self._start_s(), "seconds")

    def _start_s(self) -> float:
        """A clock that is set right after the start moves it; the noise of two clocks does not."""
        ticks = int((_PROC / "stat").read_text().rpartition(")")[2].split()[_START_TIME])
        age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
        started_s = round(time.time() - age_s, 2)
        if abs(started_s - self._started_s) > 1:
            self._started_s = started_s
        return self._started_s


def _resident_bytes() -> int:
    return int((_PROC / "statm").read_text().split()[1]) * getpagesize()
