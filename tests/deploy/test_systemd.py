"""The systemd unit: every key is known, and it scores at most 2.0."""

import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.engine import ROOT

UNIT = ROOT / "deploy" / "systemd" / "iskra-server.service"
PROGRAM = "/opt/iskra-server/bin/iskra-server"
# systemd-analyze counts the score in tenths
WORST_SCORE = 20

pytestmark = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs the Debian package systemd")


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that exists on this machine: its path is checked too."""
    path = tmp_path / UNIT.name
    path.write_text(UNIT.read_text().replace(PROGRAM, shutil.which("true") or ""))
    return path


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=30, check=False)


def test_every_key_of_the_unit_is_known(unit: Path) -> None:
    done = analyze("verify", "--man=no", "--recursive-errors=yes", unit)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_unknown_key_would_be_seen(unit: Path) -> None:
    unit.write_text(unit.read_text().replace("WatchdogSec=", "WatchdogSecs="))
    assert analyze("verify", "--man=no", "--recursive-errors=yes", unit).returncode != 0


def test_the_unit_is_hardened(unit: Path) -> None:
    done = analyze("security", "--offline=true", f"--threshold={WORST_SCORE}", unit)
    assert done.returncode == 0, done.stdout
