"""What commit this program was built from; hatch_build.py writes it into the package, where the build knows it."""

from pathlib import Path

import msgspec
from msgspec import Struct

from iskra_server import __version__

FILE = Path(__file__).with_name("build.json")
# digits of a commit that are shown; git itself shows fewer in a repository of this size
_SHOWN = 12


class Build(Struct, frozen=True):
    """`commit` is the whole hash, `date` its time (ISO 8601, UTC); `changed`: built from more than this commit."""

    commit: str
    date: str | None = None
    changed: bool = False

    def __str__(self) -> str:
        """ "commit d7dd917cd750, 2026-11-27" """
        day = f", {self.date[:10]}" if self.date else ""
        return f"commit {self.commit[:_SHOWN]}{day}{', changed' if self.changed else ''}"


def read_build(file: Path = FILE) -> Build | None:
    """None where the build did not know it, as in an editable install."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Build)
    except (OSError, msgspec.MsgspecError):
        return None


def full_version(build: Build | None) -> str:
    """ "0.1.0 (commit d7dd917cd750, 2026-11-27)" """
    return f"{__version__} ({build})" if build else __version__
