"""Reports of a central server on the command line: which group and period, and files that replace no others."""

import sys
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from iskra_server.cli.ui.new_files import new_text_file
from iskra_server.cli.ui.usage_error import UsageError, usage_errors
from iskra_server.history.model.periods import Period, parse_span

if TYPE_CHECKING:
    # for its type alone: it imports the database library
    from iskra_server.fleet.central.label_periods import Group


def group_of(text: str) -> "Group":
    """kind:value. Raises UsageError."""
    from iskra_server.fleet.central.label_periods import parse_group  # noqa: PLC0415

    if (group := parse_group(text)) is None:
        raise UsageError(f"'{text}' is not a group; write it like tenant:Meyer or building:7.")
    return group


def parse_report_period(text: str, now: datetime, tz: ZoneInfo) -> Period:
    """A period that has begun, or FIRST..LAST. Raises UsageError."""
    first, dots, last = text.partition("..")
    with usage_errors():
        period = parse_span(first, last if dots else None, now, tz)
    if period[0] > now:
        raise UsageError(f"The period {text} has not begun yet.")
    return period


def check_new(files: Collection[Path], *, overwrite: bool) -> None:
    """Raises UsageError where two files have one name, or where one exists that may not be replaced."""
    names = [str(file).lower() for file in files]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"Two of the files would be {twice}; the names of the groups differ too little.")
    if not overwrite and (existing := [str(file) for file in files if file.exists()]):
        is_one = len(existing) == 1
        which = f"{existing[0]} exists" if is_one else f"{existing[0]} and {len(existing) - 1} more exist"
        them = "it" if is_one else "them"
        raise UsageError(f"{which} already; add --overwrite to replace {them}, or name another place.")


def write_text(file: Path, text: str) -> None:
    with new_text_file(file) as opened:
        opened.write(text)


def write_report(output: str, text: str, *, overwrite: bool) -> None:
    """To a new file, or to stdout for "-"."""
    if output == "-":
        sys.stdout.write(text)
        return
    check_new([Path(output)], overwrite=overwrite)
    write_text(Path(output), text)
