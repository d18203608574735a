"""What lies in dist/: the files of a release with size and SHA-256, written to SHA256SUMS as sha256sum reads it."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

from checkout import ROOT

DIST = ROOT / "dist"
SUMS = "SHA256SUMS"
NOTES = "RELEASE-NOTES.md"


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def artefacts(dist: Path = DIST) -> Iterator[tuple[Path, str]]:
    """Each file that a release publishes, and its SHA-256."""
    for file in sorted(dist.iterdir()):
        if file.is_file() and file.name not in (SUMS, NOTES):
            yield file, sha256(file)


def write_sums(dist: Path = DIST) -> int:
    """How many files are listed."""
    lines = [f"{digest}  {file.name}\n" for file, digest in artefacts(dist)]
    (dist / SUMS).write_text("".join(lines))
    return len(lines)


def table(dist: Path = DIST) -> Iterator[str]:
    rows = [(file.name, f"{file.stat().st_size:,}", digest) for file, digest in artefacts(dist)]
    name_width = max((len(name) for name, _, _ in rows), default=0)
    for name, size, digest in rows:
        yield f"{name:{name_width}}  {size:>12} bytes  {digest}"


if __name__ == "__main__":
    sys.exit(None if write_sums() else f"{DIST} is empty; make dist comes first.")
