"""What git knows of this checkout: the commit that is built, its time, and what is not part of it."""

import io
import re
import subprocess
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# the one place of the version, and how it stands there
VERSION_FILE = "src/iskra_server/__init__.py"
VERSION_LINE = r'^__version__ = "(.+)"$'
# exit statuses, also those of the scripts that release-check runs through make
REFUSED = 2
# EX_UNAVAILABLE of sysexits.h: a program or a service is missing here, and nothing is wrong with the checkout
NOT_POSSIBLE_HERE = 69


class ReleaseError(Exception):
    """One sentence: what is wrong, where, and what to do."""


def git(*arguments: str, root: Path = ROOT) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseError(f"git {arguments[0]} in {root}: {done.stderr.strip() or 'failed'}")
    return done.stdout.rstrip()


def code_version(root: Path = ROOT) -> str:
    found = re.search(VERSION_LINE, (root / VERSION_FILE).read_text(), re.MULTILINE)
    if not found:
        raise ReleaseError(f"{VERSION_FILE} has no line __version__ = ...")
    return found[1]


def commit(root: Path = ROOT) -> str:
    return git("rev-parse", "HEAD", root=root)


def changed_files(root: Path = ROOT) -> list[str]:
    """Files that differ from the commit, or that it does not know."""
    return [line[3:] for line in git("status", "--porcelain", root=root).splitlines()]


def build_environment(root: Path = ROOT) -> dict[str, str]:
    """Which commit is built (hatch_build.py), and when; all time stamps in what is built are that of the commit."""
    full, seconds, date = git("show", "--no-patch", "--format=%H%n%ct%n%cI", root=root).splitlines()
    return {"ISKRA_COMMIT": full, "ISKRA_COMMIT_DATE": date, "SOURCE_DATE_EPOCH": seconds}


def export(folder: Path, root: Path = ROOT) -> None:
    """Writes the files of the commit, and nothing else, into a new folder."""
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=root, capture_output=True, check=True).stdout
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
