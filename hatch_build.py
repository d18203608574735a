"""Writes into wheel and sdist what commit they are built from: iskra_server/base/build.json, which base/build.py reads.

ISKRA_COMMIT and ISKRA_COMMIT_DATE name it; else the file that an sdist brings along; else git, where this folder is the
top of a checkout. Otherwise nothing is written: a commit is never guessed.
"""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FILE = "iskra_server/base/build.json"
# SHA-1, or SHA-256 in repositories that use it
_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class CommitHook(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        # an editable install outlives its commit, and what an sdist brings along is a file of the package already
        if version == "editable" or Path(self.root, "src", FILE).exists():
            return
        try:
            commit = from_environment(os.environ) or from_git(Path(self.root))
        except ValueError as error:
            self.app.abort(str(error))
        if commit:
            self._folder = TemporaryDirectory()
            written = Path(self._folder.name, "build.json")
            written.write_text(json.dumps(commit) + "\n")
            build_data["force_include"][str(written)] = f"src/{FILE}" if self.target_name == "sdist" else FILE

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if folder := vars(self).get("_folder"):
            folder.cleanup()


def from_environment(environ: Mapping[str, str]) -> dict[str, Any] | None:
    """Raises ValueError. A build with `docker build` passes on what is not set as an empty text."""
    commit, date = environ.get("ISKRA_COMMIT", ""), environ.get("ISKRA_COMMIT_DATE", "")
    if not commit:
        return None
    if not _HASH.fullmatch(commit):
        raise ValueError(
            f"ISKRA_COMMIT is '{commit}'; it must be the whole hash of a commit, as git rev-parse HEAD has it."
        )
    return _built_from(commit, date)


def from_git(root: Path) -> dict[str, Any] | None:
    """The commit that is checked out, None where `root` lies in no repository or in that of another project."""
    top = _git(root, "rev-parse", "--show-toplevel")
    if not top or not root.samefile(top):
        return None
    commit, date = _git(root, "rev-parse", "HEAD"), _git(root, "log", "-1", "--no-show-signature", "--format=%cI")
    if not commit:
        return None
    return _built_from(commit, date, changed=_git(root, "status", "--porcelain") != "")


def _built_from(commit: str, date: str, *, changed: bool = False) -> dict[str, Any]:
    built: dict[str, Any] = {"commit": commit}
    if date:
        moment = datetime.fromisoformat(date)
        if moment.tzinfo is None:
            raise ValueError(
                f"ISKRA_COMMIT_DATE is '{date}'; it must have a time zone, as git show -s --format=%cI has it."
            )
        built["date"] = moment.astimezone(UTC).isoformat()
    return built | ({"changed": True} if changed else {})


def _git(root: Path, *arguments: str) -> str:
    """What git prints; empty where there is no git, or where it refuses."""
    try:
        return subprocess.run(
            ["git", "-C", root, *arguments], capture_output=True, text=True, check=True, env=_environment()
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _environment() -> dict[str, str]:
    """Without the variables with which a git hook points at its own repository."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
