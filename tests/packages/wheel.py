"""Wheels and source distributions of this checkout, built by the locked hatchling, as every release is."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
COMMIT_DATE = "2026-11-27T16:29:23+01:00"
KNOWN = {"ISKRA_COMMIT": COMMIT, "ISKRA_COMMIT_DATE": COMMIT_DATE, "SOURCE_DATE_EPOCH": "1795796963"}


def tracked() -> list[str]:
    """The files that a checkout has, those that are still to be committed included."""
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file() and not (ROOT / name).is_symlink()]


def copy_checkout(folder: Path) -> Path:
    """What git would check out, without a repository."""
    for name in tracked():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    return folder


def build(
    folder: Path,
    output: Path,
    targets: Sequence[str] = ("sdist", "wheel"),
    *,
    environ: dict[str, str] | None = None,
    umask: int = 0o022,
) -> dict[str, Path]:
    """The files that were built, by target; what the caller's environment says of a commit does not count."""
    plain = {name: value for name, value in os.environ.items() if name not in (*KNOWN, "PYTHONPATH")}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "hatchling",
            "build",
            "--directory",
            output,
            *(f"-t{name}" for name in targets),
        ],
        cwd=folder,
        env=plain | (environ or {}),
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    suffixes = {"sdist": ".tar.gz", "wheel": ".whl"}
    return {name: next(output.glob(f"*{suffixes[name]}")) for name in targets}
