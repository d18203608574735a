"""A small repository with all that a release is checked by (fixture `repository` in tests/release)."""

import shutil
from pathlib import Path

import guard
from checkout import git

ROOT = Path(__file__).parent.parent
CHANGELOG = """# Changelog

## [0.1.0] - 2026-12-24

### New

- Reads meters.

## [0.0.9] - 2026-11-01

- Less.
"""


def make_repository(root: Path) -> None:
    """Version 0.1.0 on the branch main, one commit, as it should be before the tag."""
    for name in guard.PLACES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
        set_version(root, name, "0.1.0")
    for name in guard.FROZEN:
        (root / name.format(version="0.1.0")).parent.mkdir(parents=True, exist_ok=True)
        (root / name.format(version="0.1.0")).touch()
    (root / guard.CHANGELOG).write_text(CHANGELOG)
    shutil.copytree(ROOT / "release", root / "release", ignore=shutil.ignore_patterns("__pycache__"))
    (root / ".gitignore").write_text("/dist/\n__pycache__/\n")
    git("init", "--quiet", "--initial-branch=main", root=root)
    for key, value in (("name", "Test"), ("email", "test@localhost")):
        git("config", f"user.{key}", value, root=root)
    commit(root)


def set_version(root: Path, name: str, version: str) -> None:
    lines = (root / name).read_text().splitlines()
    start = next(line.partition('"')[0] for line in lines if line.startswith(("version:", "__version__")))
    changed = [f'{start}"{version}"' if line.startswith(start) else line for line in lines]
    (root / name).write_text("\n".join(changed) + "\n")


def commit(root: Path) -> None:
    git("add", "--all", root=root)
    git("commit", "--quiet", "--allow-empty", "--message=change", root=root)
