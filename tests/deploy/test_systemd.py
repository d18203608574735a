"""The systemd units: every key is known, and the score is 2.0 at most (2.1 with the privilege for ports below 1024)."""

import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.engine import ROOT

UNIT = ROOT / "deploy" / "systemd" / "iskra-server.service"
DROP_IN = UNIT.with_name("emulation.conf")
PROGRAM = "/opt/iskra-server/bin/iskra-server"
# systemd-analyze counts the score in tenths
WORST_SCORE = 20
PRIVILEGE_SCORE = 1

pytestmark = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs the Debian package systemd")


# an instance of a template has a name
CENTRAL = {"iskra-collect@.service": "iskra-collect@1.service", "iskra-prepare.service": "iskra-prepare.service"}


@pytest.fixture(params=["alone", "with ports below 1024", *CENTRAL])
def unit(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The unit with a program that exists on this machine: its path is checked too."""
    name = str(request.param) if request.param in CENTRAL else UNIT.name
    path = tmp_path / CENTRAL.get(name, name)
    path.write_text(UNIT.with_name(name).read_text().replace(PROGRAM, shutil.which("true") or ""))
    if request.param == "with ports below 1024":
        drop_in(path).parent.mkdir()
        shutil.copy(DROP_IN, drop_in(path))
    return path


def drop_in(unit: Path) -> Path:
    return unit.with_name(f"{unit.name}.d") / DROP_IN.name


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_every_key_of_the_unit_is_known(unit: Path) -> None:
    done = analyze("verify", "--man=no", "--recursive-errors=yes", unit)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_unknown_key_would_be_seen(unit: Path) -> None:
    changed = drop_in(unit) if drop_in(unit).exists() else unit
    changed.write_text(changed.read_text().replace("CapabilityBoundingSet=", "CapabilityBoundSet="))
    assert analyze("verify", "--man=no", "--recursive-errors=yes", unit).returncode != 0


def test_the_unit_is_hardened(unit: Path) -> None:
    worst = WORST_SCORE + PRIVILEGE_SCORE * drop_in(unit).exists()
    done = analyze("security", "--offline=true", f"--threshold={worst}", unit)
    assert done.returncode == 0, done.stdout


def test_the_timer_of_the_months_is_understood(tmp_path: Path) -> None:
    for name in ("iskra-prepare.timer", "iskra-prepare.service"):
        text = UNIT.with_name(name).read_text()
        (tmp_path / name).write_text(text.replace(PROGRAM, shutil.which("true") or ""))
    done = analyze("verify", "--man=no", "--recursive-errors=yes", tmp_path / "iskra-prepare.timer")
    assert (done.returncode, done.stderr) == (0, "")
