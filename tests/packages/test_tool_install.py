"""The wheel as `uv tool install` and `pipx install` have it: outside of a checkout, what it needs as new as can be.

The newest Python is that of the Debian in which `make test-homeassistant-newest` runs.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from homeassistant.release import SETS, python
from iskra_server import __version__
from packages.wheel import KNOWN, build, copy_checkout
from running import serving

pytestmark = pytest.mark.slow
UV = Path(sys.executable).with_name("uv")
NEWEST = SETS["newest"][0]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    return build(copy_checkout(folder / "checkout"), folder / "dist", ["wheel"], environ=KNOWN)["wheel"]


class Home:
    """A home folder with the wheel in it, on this machine or, with `root`, in another Debian on it."""

    def __init__(self, folder: Path, wheel: Path, root: Path = Path("/")) -> None:
        shutil.copy(wheel, folder)
        self.wheel = self._inside(folder / wheel.name, root)
        self.home = self._inside(folder, root)
        # nothing of this checkout, and nothing of the user's own tools
        self.within = [
            *(("chroot", str(root)) if root != Path("/") else ()),
            *("env", "--unset=PYTHONPATH", "--unset=VIRTUAL_ENV", f"--chdir={self.home}", f"HOME={self.home}"),
            *(f"UV_TOOL_DIR={self.home}/tools", f"UV_TOOL_BIN_DIR={self.home}/bin"),
            *(f"PIPX_HOME={self.home}/pipx", f"PIPX_BIN_DIR={self.home}/bin"),
        ]
        if root == Path("/"):
            done = subprocess.run([UV, "cache", "dir"], capture_output=True, text=True, check=True)
            self.within.append(f"UV_CACHE_DIR={done.stdout.strip()}")

    @staticmethod
    def _inside(path: Path, root: Path) -> Path:
        return Path("/") / path.relative_to(root)

    @property
    def command(self) -> Path:
        return self.home / "bin" / "iskra-server"

    def run(self, *command: str | Path) -> str:
        done = subprocess.run([*self.within, *command], capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def check(self) -> None:
        """It names its version, and `demo` and `serve` answer, with the page and each file that it names."""
        assert self.run(self.command, "--version") == f"iskra-server {__version__} (commit 0123456789ab, 2026-11-27)\n"
        for arguments in (("demo",), ("serve", "simulator:MT175")):
            environ = {"IES_HISTORY_ENABLED": ""} if arguments[0] == "demo" else {}
            with serving(*arguments, environ=environ, within=self.within, command=self.command) as server:
                files = re.findall(r'(?:href|src)="(static/[^"]+)"', server.get("/").text)
                assert len(files) > 10
                assert {server.get(f"/{file}").status_code for file in files} == {200}
                assert server.get("/api/v1/status").json()["meters"][0]["simulated"]


@contextmanager
def home_for(version: str, wheel: Path, folder: Path) -> Iterator[tuple[Home, Path, Path]]:
    """A home, uv and the Python as they are called there; skips where there is no such Python."""
    if version == NEWEST.python:
        if os.geteuid() != 0 or not (NEWEST.root and NEWEST.is_there):
            pytest.skip(f"Python {version} is that of {NEWEST.distribution} (make test-homeassistant-newest)")
        with TemporaryDirectory(dir=NEWEST.root / "tmp") as name:
            yield Home(Path(name), wheel, NEWEST.root), Path("/uv"), Path(f"/usr/bin/python{version}")
    elif found := python(version):
        yield Home(folder, wheel), UV, found
    else:
        pytest.skip(f"needs Python {version}")


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_uv_tool_install(version: str, wheel: Path, tmp_path: Path) -> None:
    with home_for(version, wheel, tmp_path) as (home, uv, interpreter):
        home.run(uv, "tool", "install", "--quiet", "--python", interpreter, home.wheel)
        home.check()


@pytest.mark.parametrize("version", ["3.11", "3.13"])
def test_pipx_install(version: str, wheel: Path, tmp_path: Path) -> None:
    with home_for(version, wheel, tmp_path) as (home, uv, interpreter):
        home.run(uv, "tool", "run", "--quiet", "pipx", "install", "--quiet", "--python", interpreter, home.wheel)
        home.check()
