"""Builds sdist and wheel of the commit twice, and keeps them only if both builds are equal byte by byte.

Each build has a folder, an umask and a time zone of its own. Changed files that are not committed are not in them.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from artefacts import DIST, sha256
from checkout import REFUSED, ROOT, ReleaseError, build_environment, changed_files, commit, export

# name of the folder, umask, time zone
CIRCUMSTANCES = (("a", 0o022, "UTC"), ("a-longer-name/below", 0o077, "Asia/Kathmandu"))


def build_twice(output: Path, root: Path = ROOT) -> list[Path]:
    """The files written to `output`; raises ReleaseError, and writes nothing, if the two builds differ."""
    with TemporaryDirectory() as name:
        builds = [build(Path(name) / folder, umask, time_zone, root) for folder, umask, time_zone in CIRCUMSTANCES]
        if differences := compare(*builds):
            raise ReleaseError(f"Two builds of the same commit differ: {'; '.join(differences)}")
        output.mkdir(parents=True, exist_ok=True)
        return [Path(shutil.copyfile(file, output / file.name)) for file in sorted(builds[0].iterdir())]


def build(folder: Path, umask: int, time_zone: str, root: Path) -> Path:
    """The folder with one sdist and one wheel."""
    before = os.umask(umask)
    try:
        export(folder / "source", root)
        done = subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "--directory", str(folder / "dist")],
            cwd=folder / "source",
            env=os.environ | build_environment(root) | {"TZ": time_zone},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.umask(before)
    if done.returncode:
        raise ReleaseError(f"hatchling cannot build the package: {(done.stderr or done.stdout).strip()}")
    return folder / "dist"


def compare(first: Path, second: Path) -> list[str]:
    """What differs between two folders of files, in words; empty if nothing does."""
    one, other = sums(first), sums(second)
    return [
        f"{name} is {one.get(name, 'missing')[:16]} and {other.get(name, 'missing')[:16]}"
        for name in sorted(one.keys() | other.keys())
        if one.get(name) != other.get(name)
    ]


def sums(folder: Path) -> dict[str, str]:
    """File name and SHA-256."""
    return {file.name: sha256(file) for file in folder.iterdir()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=DIST)
    output = parser.parse_args().output
    try:
        files = build_twice(output)
        if changed := changed_files():
            print(f"Not in them: {len(changed)} changed files that are not committed, {changed[0]} among them.")
    except ReleaseError as error:
        print(error, file=sys.stderr)
        return REFUSED
    for file in files:
        print(f"{sha256(file)}  {file.name}")
    print(f"Built twice from commit {commit()[:12]}, equal byte by byte.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
