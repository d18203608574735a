"""The packages for arm64, started: in their Debian, by qemu."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deb.suites import SUITES
from iskra_server import __version__
from packages.machine import debian, unpack
from packages.test_deb import packages
from packages.wheel import KNOWN, build, copy_checkout
from running import serving

pytestmark = pytest.mark.slow
QEMU = shutil.which("qemu-aarch64-static")
# what a machine for an ordinary Raspberry Pi has
CPU = {"QEMU_CPU": "cortex-a72"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    return build(copy_checkout(folder / "checkout"), folder / "dist", ["wheel"], environ=KNOWN)["wheel"]


@pytest.fixture(params=SUITES)
def root(request: pytest.FixtureRequest, wheel: Path, tmp_path: Path) -> Path:
    """A Debian for arm64, unpacked as the package is: nothing of it has to run for that."""
    if os.geteuid() != 0 or not QEMU or not shutil.which("mmdebstrap"):
        pytest.skip("needs root, mmdebstrap and qemu-user-static")
    options = ("--variant=extract", "--arch=arm64", "--skip=check/qemu", "--include=base-files,python3,tzdata")
    root = tmp_path / "root"
    root.mkdir()
    unpack(debian(request.param, *options, name=f"{request.param}-arm64"), root)
    (package,) = packages(wheel, tmp_path, "--release", request.param, "--architecture", "arm64")
    subprocess.run(["dpkg-deb", "--extract", package, root], check=True)
    shutil.copy(QEMU, root / "qemu")
    return root


def test_a_package_for_arm64_starts_and_answers(root: Path) -> None:
    within = ("chroot", str(root), "/qemu", "/opt/iskra-server/bin/python", "-I")
    command = Path("/opt/iskra-server/bin/iskra-server")
    done = subprocess.run(
        [*within, command, "--version"], env=os.environ | CPU, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == (f"iskra-server {__version__} (commit 0123456789ab, 2026-11-27)\n", "")
    # the bytecode that postinst makes: to compile takes most of an emulated start
    modules = "iskra_server.cli.commands.serve, iskra_server.history.recording.archive, iskra_server.web.app"
    subprocess.run([*within, "-c", f"import {modules}"], env=os.environ | CPU, check=True)
    with serving("serve", "simulator:MT175", environ=CPU, within=within, command=command) as server:
        meter = server.status()
        assert meter["simulated"]
        assert server.get("/").status_code == 200
