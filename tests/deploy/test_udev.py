"""The udev rules, checked by the udevadm that knows how to (Debian trixie's)."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from deploy.engine import ROOT, fetch

RULES = ROOT / "deploy" / "udev" / "60-iskra-head.rules"
CACHE = ROOT / ".cache" / "udev"


@pytest.fixture(scope="module")
def trixie() -> Path:
    if os.geteuid() != 0 or not shutil.which("mmdebstrap"):
        pytest.skip("needs root and the Debian package mmdebstrap")
    if not CACHE.exists():
        CACHE.parent.mkdir(exist_ok=True)
        with TemporaryDirectory(dir=CACHE.parent) as name:
            root = Path(name, "root")
            fetch(["mmdebstrap", "--quiet", "--variant=extract", "--include=udev", "trixie", root], name)
            for link in ("bin", "lib", "lib64"):
                if not (root / link).exists():
                    (root / link).symlink_to(f"usr/{link}")
            (root / "etc" / "group").write_text("root:x:0:\ndialout:x:20:\n")
            root.rename(CACHE)
    return CACHE


@pytest.fixture
def rules(trixie: Path) -> Iterator[Path]:
    copy = trixie / RULES.name
    shutil.copy(RULES, copy)
    yield copy
    copy.unlink()


def verify(trixie: Path, rules: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["chroot", trixie, "/usr/bin/udevadm", "verify", f"/{rules.name}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_rules_are_valid(trixie: Path, rules: Path) -> None:
    done = verify(trixie, rules)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wrong_key_would_be_seen(trixie: Path, rules: Path) -> None:
    rules.write_text(rules.read_text().replace("KERNEL==", "COLONEL=="))
    assert verify(trixie, rules).returncode != 0
