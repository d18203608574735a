"""A Docker engine of the tests' own: unpacked from Debian's packages, started in a mount namespace, stopped by its pid.

What can be kept lies in .cache/docker (git-ignored): the programs, the base image, the layers that were built.
The engine sees a /dev that the test can write, so that a head can be plugged in and pulled out.
"""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from running import until

ROOT = Path(__file__).parents[2]
# runc takes no root below a link
CACHE = (ROOT / ".cache" / "docker").resolve()
BASE_IMAGE = "python:3.13-slim-trixie"
# what the images of a centre are made of, and the two
SERVICES_IMAGE = "debian-services"
IMAGES = {"eclipse-mosquitto:2": "mosquitto", "postgres:17": "postgres"}
NEEDED = ("apt-get", "dpkg", "mmdebstrap", "runc", "unshare")

_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_PYTHON_PACKAGES = "ca-certificates,python3-minimal,python3-venv"


def _python_hooks(when: str) -> tuple[str, ...]:
    """Debian's own Python 3.13 is arranged like the official image, with the certificates that this machine trusts."""
    return (
        f"""--{when}-hook=mkdir --parents "$1/usr/local/bin" && ln -s /usr/bin/python3 "$1/usr/local/bin/python\"""",
        f"""--{when}-hook=rm "$1"/usr/lib/python3*/EXTERNALLY-MANAGED""",
        f"""--{when}-hook=cp {_CERTIFICATES} "$1{_CERTIFICATES}\"""",
    )


# packages, and what is done besides
ARCHIVES = {
    "base": (_PYTHON_PACKAGES, _python_hooks("customize")),
    # unpacked only: setting packages up takes ten minutes under emulation, and all that we need of that are accounts
    "base-arm64": (
        f"{_PYTHON_PACKAGES},base-files,base-passwd,bash,coreutils,dash,dpkg,findutils,grep,libc-bin,passwd,sed,tar,util-linux",
        (
            "--arch=arm64",
            "--skip=check/qemu",
            "--variant=extract",
            *_python_hooks("extract"),
            """--extract-hook=cp "$1/usr/share/base-passwd/passwd.master" "$1/etc/passwd\"""",
            """--extract-hook=cp "$1/usr/share/base-passwd/group.master" "$1/etc/group\"""",
            """--extract-hook=touch "$1/etc/shadow" "$1/etc/gshadow\"""",
        ),
    ),
    # without the database that its installation would make
    "services": (
        "mosquitto,postgresql-17",
        (
            """--essential-hook=mkdir "$1/etc/postgresql-common\"""",
            """--essential-hook=echo create_main_cluster=false >"$1/etc/postgresql-common/createcluster.conf\"""",
        ),
    ),
}

# a /dev of plain device files, with pseudo-terminals of its own: no other program of this machine can open them
START = """
mkdir -p "$DEV/pts" "$DEV/shm" "$DEV/serial/by-id"
for node in null zero full random urandom tty; do cp -a "/dev/$node" "$DEV/$node"; done
ln -s /proc/self/fd "$DEV/fd"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$DEV/pts"
mount --rbind "$DEV" /dev
exec dockerd "$@"
"""


class Engine:
    """A running engine. `dev` is what it, and every container, has as /dev."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self.dev = Path(f"/proc/{process.pid}/root/dev")
        self.process = process
        self.environment = environment() | {"DOCKER_HOST": f"unix://{folder}/s"}

    def docker(
        self,
        *arguments: str | Path,
        timeout_s: float = 300,
        with_errors: bool = False,
        environ: Mapping[str, str] | None = None,
    ) -> str:
        """What a docker command printed; its error output is the message of a failure.

        `with_errors`: both together, as a container's log has them.
        """
        done = subprocess.run(
            ["docker", *map(str, arguments)],
            env=self.environment | dict(environ or {}),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if with_errors else subprocess.PIPE,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert done.returncode == 0, f"docker {arguments[0]}: {done.stderr or done.stdout}"
        return done.stdout.strip()

    def have(self, image: str, archive: str) -> None:
        """An image of an archive of Debian's packages."""
        if not self.docker("images", "--quiet", image):
            self.docker("import", CACHE / f"{archive}.tar", image)

    def have_services(self) -> None:
        """A broker and a database, under the names of their official images."""
        prepare("services")
        self.have(SERVICES_IMAGE, "services")
        images = Path(__file__).parent / "images"
        for image, name in IMAGES.items():
            self.docker("build", "--tag", image, "--file", images / f"{name}.Dockerfile", images)


class Project:
    """What one or more compose files describe together."""

    def __init__(self, engine: Engine, *files: str | Path, environ: Mapping[str, str] | None = None) -> None:
        self._engine = engine
        self.environ = dict(environ or {})
        self._files = [argument for file in files for argument in ("--file", file)]

    def compose(self, *arguments: str) -> str:
        return self._engine.docker("compose", *self._files, *arguments, environ=self.environ)

    def state(self, service: str) -> dict[str, Any]:
        container = self.compose("ps", "--all", "--quiet", service)
        state: dict[str, Any] = json.loads(self._engine.docker("inspect", container))[0]["State"]
        return state

    def kill(self, service: str) -> None:
        """As a crash ends it; the engine starts it again."""
        before = self.state(service)
        os.kill(before["Pid"], signal.SIGKILL)
        until(lambda: self.state(service)["Running"] and self.state(service)["StartedAt"] != before["StartedAt"])


def environment() -> dict[str, str]:
    programs = CACHE / "engine" / "usr"
    path = f"{programs}/bin:{programs}/sbin:{os.environ['PATH']}"
    return os.environ | {"PATH": path, "DOCKER_CONFIG": str(CACHE / "config"), "DOCKER_BUILDKIT": "0"}


@contextmanager
def running() -> Iterator[Engine]:
    """Docker, for real, one at a time.

    Skips where it cannot run: another user than root, or Debian's packages out of reach.
    """
    if os.geteuid() != 0:
        pytest.skip("a Docker engine can be started by root alone")
    if missing := [name for name in NEEDED if not shutil.which(name)]:
        pytest.skip(f"needs {', '.join(missing)} (make test installs them when it is run by root)")
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock, TemporaryDirectory(prefix="iskra-") as name:
        # what it keeps is not to be shared
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = Path(name)
        prepare("base")
        with start(folder) as process:
            engine = Engine(folder, process)
            try:
                wait_for_engine(engine)
                remove_leftovers(engine)
                engine.have(BASE_IMAGE, "base")
                yield engine
                remove_leftovers(engine)
            finally:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()


def prepare(*archives: str) -> None:
    """Fetch what the cache does not hold yet; archives of packages are made side by side."""
    made = {name: start_archive(name) for name in archives if not (CACHE / f"{name}.tar").exists()}
    if not (CACHE / "engine").exists():
        fetch_engine()
    if not (CACHE / "config").exists():
        fetch_compose()
    for name, process in made.items():
        if process.wait(300):
            pytest.skip(f"the archive '{name}' could not be made from Debian's packages")
        (CACHE / f"{name}.part.tar").rename(CACHE / f"{name}.tar")


def start_archive(name: str) -> subprocess.Popen[bytes]:
    """It appears under its name only when it is whole."""
    packages, hooks = ARCHIVES[name]
    options = ("--quiet", "--variant=minbase", f"--include={packages}", *hooks)
    return subprocess.Popen(["mmdebstrap", *options, "trixie", CACHE / f"{name}.part.tar"], stderr=subprocess.DEVNULL)


def fetch_engine() -> None:
    fetch_packages("engine", "docker.io", "containerd", "tini")


def fetch_packages(folder: str, *packages: str) -> None:
    """Unpack Debian's packages into a folder of the cache."""
    with TemporaryDirectory(dir=CACHE) as name:
        fetch(["apt-get", "-o", "APT::Sandbox::User=root", "download", *packages], name)
        for package in Path(name).glob("*.deb"):
            fetch(["dpkg", "-x", package, f"{name}/unpacked"], name)
        Path(name, "unpacked").rename(CACHE / folder)


def fetch_compose() -> None:
    with TemporaryDirectory(dir=CACHE) as name:
        fetch(["mmdebstrap", "--quiet", "--variant=extract", "--include=docker-compose", "trixie", "root"], name)
        plugins = Path(name, "config", "cli-plugins")
        plugins.mkdir(parents=True)
        Path(name, "root/usr/libexec/docker/cli-plugins/docker-compose").rename(plugins / "docker-compose")
        Path(name, "config").rename(CACHE / "config")


def fetch(command: list[str | Path], folder: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        pytest.skip(f"{command[0]} could not fetch Debian's packages: {done.stderr.strip()[-200:]}")


def start(folder: Path) -> subprocess.Popen[bytes]:
    options = {
        "--data-root": CACHE / "data",
        "--exec-root": folder / "x",
        "--pidfile": folder / "pid",
        "--host": f"unix://{folder}/s",
        "--storage-driver": "overlay2",
        "--bridge": "none",
        "--iptables": "false",
        "--ip6tables": "false",
    }
    arguments = [f"{option}={value}" for option, value in options.items()]
    with (CACHE / "dockerd.log").open("w") as log:
        return subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-euc", START, "dockerd", *arguments],
            env=environment() | {"DEV": str(folder / "dev")},
            stdout=subprocess.DEVNULL,
            stderr=log,
        )


def wait_for_engine(engine: Engine, within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while True:
        if engine.process.poll() is not None or time.monotonic() > deadline:
            pytest.skip(f"this machine cannot run a Docker engine: {(CACHE / 'dockerd.log').read_text()[-300:]}")
        try:
            engine.docker("version")
            return
        except AssertionError:
            time.sleep(0.05)


def remove_leftovers(engine: Engine) -> None:
    """Containers of a run that was cut off, and layers that no build of the last day used."""
    if containers := engine.docker("ps", "--all", "--quiet").split():
        engine.docker("rm", "--force", "--volumes", *containers)
    engine.docker("image", "prune", "--force", "--filter", "until=24h")
