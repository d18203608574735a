"""Programs that a benchmark starts and ends, and what the kernel says of them."""

import http.client
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from running import until

# daemons are not on everybody's path
_PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"


@contextmanager
def running(*command: object, output: int | IO[str] = subprocess.DEVNULL, cwd: Path | None = None) -> Iterator[int]:
    """A program from here to the end of the block; gives its process id."""
    process = subprocess.Popen(
        list(map(str, command)), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=cwd
    )
    try:
        yield process.pid
    finally:
        process.terminate()
        # one that does not end in time is killed: that must not end the benchmark
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()


def cpu_s(pid: int) -> float:
    """Processor time of a process and all its threads so far, to the nanosecond (clock_getcpuclockid(3))."""
    return time.clock_gettime(~pid << 3 | 2)


def memory_mb(pid: int) -> float:
    """Resident memory in MB."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) / 1024


def program(name: str) -> str | None:
    """The path of a program; installed by apt if it is missing and root asks, None where it cannot be had."""
    if not (path := shutil.which(name, path=_PATH)) and os.geteuid() == 0 and shutil.which("apt-get"):
        install = ["apt-get", "-qq", "install", "--no-install-recommends", "--yes", name]
        environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "-qq", "update"], check=False)
        subprocess.run(install, check=False, env=environ, stdout=subprocess.DEVNULL)
        path = shutil.which(name, path=_PATH)
    if not path:
        print(
            f"{name} is not installed; what needs it is left out. On Debian: sudo apt install {name}", file=sys.stderr
        )
    return path


def answered(port: int, path: str) -> float:
    """When 127.0.0.1:`port` first answered 200, on the monotonic clock."""

    def ask() -> float | None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            return time.monotonic() if connection.getresponse().status == 200 else None
        except OSError:
            return None
        finally:
            connection.close()

    found: float = until(ask)
    return found
