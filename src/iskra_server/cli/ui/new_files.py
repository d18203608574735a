"""Files that get their names once they are complete."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO

from iskra_server.cli.ui.usage_error import UsageError


@contextmanager
def new_file(file: Path, *, make_folder: bool = False) -> Iterator[BinaryIO]:
    """Raises UsageError where it cannot be written."""
    part = file.with_name(f"{file.name}.part")
    try:
        if make_folder:
            file.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as opened:
            yield opened
        part.replace(file)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}.", 1) from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


@contextmanager
def new_text_file(file: Path) -> Iterator[TextIO]:
    """In UTF-8, without a change of line ends; its folder is created. Raises UsageError."""
    with new_file(file, make_folder=True) as opened, TextIOWrapper(opened, "utf-8", newline="") as text:
        yield text
