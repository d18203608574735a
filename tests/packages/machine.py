"""A machine with a Debian of its own, booted by systemd-nspawn without a network: what a package does to it is real."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from packages.wheel import ROOT
from running import until

CACHE = ROOT / ".cache" / "debian"
NEEDED = ("dpkg-deb", "mmdebstrap", "nsenter", "systemd-nspawn")
# what a Debian has anyway, and man and bash-completion, as the package has something for them
PACKAGES = "bash-completion,dbus,man-db,python3,systemd,systemd-sysv,tzdata,udev"
_ENVIRONMENT = ("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "DEBIAN_FRONTEND=noninteractive")
DEADLINE_S = 120
READY = ("running", "degraded")


class Machine:
    def __init__(self, root: Path, nspawn: int) -> None:
        self.root = root
        self._nspawn = nspawn

    def run(self, *command: str, check: bool = True, **environ: str) -> str:
        """What a command printed, errors included."""
        variables = [f"{name}={value}" for name, value in environ.items()]
        done = subprocess.run(
            # while it boots, the child is another process
            ["nsenter", "--target", str(child_of(self._nspawn)), "--all", *_ENVIRONMENT, *variables, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0 or not check, f"{' '.join(command)}: {done.stdout[-2000:]}"
        return done.stdout

    @property
    def pid(self) -> int:
        """Of its first process."""
        return child_of(self._nspawn)

    def state(self) -> str:
        return self.run("systemctl", "is-system-running", check=False).strip()

    def install(self, package: Path, *options: str) -> str:
        """As a user installs a file that was downloaded; the user's own configuration is kept without a question."""
        shutil.copy(package, self.root / "root")
        forces = ("confdef", "confold", "unsafe-io")
        keep = [argument for force in forces for argument in ("-o", f"Dpkg::Options::=--force-{force}")]
        return self.run("apt-get", "install", "--yes", *keep, *options, f"/root/{package.name}")

    def get(self, path: str, port: int = 8080) -> str:
        """What the server in it answers; waits until it does."""
        ask = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=20).read().decode())"

        def answer() -> str | None:
            answer = self.run("python3", "-c", ask, f"http://127.0.0.1:{port}{path}", check=False)
            return None if "Traceback" in answer else answer

        return str(until(answer, DEADLINE_S, every_s=0.5))


def skip_where_impossible() -> None:
    if os.geteuid() != 0:
        pytest.skip("a machine of its own can be booted by root alone")
    if missing := [name for name in NEEDED if not shutil.which(name)]:
        pytest.skip(f"needs {', '.join(missing)} (make test-all installs them when it is run by root)")


def debian(suite: str, *options: str, name: str = "", more: str = "") -> Path:
    """An archive of its files, made once; it appears under its name only when it is whole."""
    CACHE.mkdir(parents=True, exist_ok=True)
    archive = CACHE / f"{name or suite}.tar"
    if not archive.exists():
        part = archive.with_suffix(".part.tar")
        options = options or ("--variant=minbase", f"--include={PACKAGES}{more}")
        done = subprocess.run(
            ["mmdebstrap", "--quiet", *options, suite, part], capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.skip(f"{suite} could not be made from Debian's packages: {done.stderr[-300:]}")
        part.rename(archive)
    return archive


def unpack(archive: Path, root: Path) -> None:
    subprocess.run(["tar", "--extract", "--numeric-owner", "--file", archive, "--directory", root], check=True)


@contextmanager
def booted(suite: str, folder: Path, *, more: str = "", name: str = "") -> Iterator[Machine]:
    """`more` packages, each after a comma, are in an archive with a name of its own."""
    skip_where_impossible()
    root = folder / suite
    root.mkdir()
    unpack(debian(suite, more=more, name=name), root)
    with (folder / "console").open("w") as console, booting(root, console) as nspawn:
        machine = Machine(root, nspawn.pid)
        # "degraded" is a machine whose network is missing
        until(lambda: machine.state() in READY, DEADLINE_S, every_s=0.5)
        yield machine


@contextmanager
def booting(root: Path, console: IO[str]) -> Iterator[subprocess.Popen[str]]:
    options = ("--quiet", "--boot", "--register=no", "--keep-unit", "--private-network", "--console=pipe")
    nspawn = subprocess.Popen(
        ["systemd-nspawn", *options, f"--machine=iskra-{os.getpid()}", "--directory", root],
        stdin=subprocess.DEVNULL,
        stdout=console,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield nspawn
    finally:
        if pid := child_of(nspawn.pid):
            # as systemd understands "halt"
            os.kill(pid, signal.SIGRTMIN + 3)
        try:
            nspawn.wait(60)
        except subprocess.TimeoutExpired:
            nspawn.kill()
            nspawn.wait()


def child_of(pid: int) -> int:
    """The first process of the machine; 0 while there is none."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    return int(next(iter(children.read_text().split()), "0")) if children.exists() else 0
