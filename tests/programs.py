"""Servers of Debian's that tests and benchmarks run: each in a folder of its own, on free ports, ended by its pid."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import httpx

from running import fetch, free_port, until

_GRACE_S = 5.0
_STDERR_LINES = 20


class Program(NamedTuple):
    """`command` makes its arguments and variables from its folder and port; it answers at `ready` when it is ready."""

    package: str
    name: str
    command: Callable[[Path, int], tuple[list[str], dict[str, str]]]
    ready: str

    @property
    def path(self) -> str | None:
        return shutil.which(self.name)


def _influx(folder: Path, port: int) -> tuple[list[str], dict[str, str]]:
    settings = {
        "META_DIR": folder / "meta",
        "DATA_DIR": folder / "data",
        "DATA_WAL_DIR": folder / "wal",
        "BIND_ADDRESS": f"127.0.0.1:{free_port()}",
        "HTTP_BIND_ADDRESS": f"127.0.0.1:{port}",
        "HTTP_LOG_ENABLED": "false",
        "DATA_QUERY_LOG_ENABLED": "false",
        "MONITOR_STORE_ENABLED": "false",
        "REPORTING_DISABLED": "true",
    }
    (folder / "influxdb.conf").touch()
    return ["-config", str(folder / "influxdb.conf")], {
        f"INFLUXDB_{name}": str(value) for name, value in settings.items()
    }


def _victoria(folder: Path, port: int) -> tuple[list[str], dict[str, str]]:
    return [
        f"-storageDataPath={folder}",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-retentionPeriod=20y",
        "-search.latencyOffset=0s",
    ], {}


def _prometheus(folder: Path, port: int) -> tuple[list[str], dict[str, str]]:
    """Its configuration is prometheus.yml in the folder."""
    return [
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ], {}


INFLUX = Program("influxdb", "influxd", _influx, "/ping")
VICTORIA = Program("victoria-metrics", "victoria-metrics", _victoria, "/health")
PROMETHEUS = Program("prometheus", "prometheus", _prometheus, "/-/ready")


@contextmanager
def started(program: Program, folder: Path, port: int, **variables: str) -> Iterator[str]:
    """A program from here to the end of the block, once it answers; gives its address."""
    assert program.path
    folder.mkdir(exist_ok=True)
    arguments, environ = program.command(folder, port)
    written = folder.parent / f"{folder.name}.log"
    with written.open("ab") as log:
        process = subprocess.Popen(
            [program.path, *arguments], env=os.environ | environ | variables, stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _answers(process, url + program.ready, written))
        yield url
    finally:
        process.terminate()
        # InfluxDB waits half a minute for its clients to go
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)
        process.kill()
        process.wait()


def _answers(process: "subprocess.Popen[bytes]", url: str, log: Path) -> bool:
    if process.poll() is not None:
        end = "\n".join(log.read_text(errors="replace").splitlines()[-_STDERR_LINES:])
        raise AssertionError(f"it has ended: {end}")
    try:
        return fetch(url).is_success
    except httpx.TransportError:
        return False
