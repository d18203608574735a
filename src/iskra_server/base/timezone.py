"""The time zone in which days and months begin: the configured one, else that of this machine, and how it is known."""

import os
from collections.abc import Iterator
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Literal, NamedTuple
from zoneinfo import TZPATH, ZoneInfo, ZoneInfoNotFoundError, available_timezones

# by server.time_zone, by $TZ, by where /etc/localtime leads, by what it is a copy of, by nothing: then UTC
Reason = Literal["configured", "variable", "link", "copy", "none"]

_LOCALTIME, _TIMEZONE = Path("/etc/localtime"), Path("/etc/timezone")
_FOLDER = "zoneinfo/"
# of zones that are the same, this one is named first
_FIRST = "Europe/Berlin"
_LARGEST = 1 << 16


class DetectedZone(NamedTuple):
    """A zone, and how it was found."""

    zone: ZoneInfo
    reason: Reason


def zone(name: str) -> ZoneInfo:
    """The zone of a name, the machine's for "". Raises ValueError with a sentence for a name that is none."""
    return detect_zone(name).zone


def detect_zone(name: str) -> DetectedZone:
    """As `zone`, with the reason."""
    if not name:
        return _machine()
    try:
        return DetectedZone(ZoneInfo(name), "configured")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"'{name}' is not a time zone; expected a name such as Europe/Berlin or UTC") from None


def _machine() -> DetectedZone:
    found = _named(os.environ.get("TZ", "").lstrip(":"), "variable")
    found = found or _named(str(_LOCALTIME.resolve()).partition(_FOLDER)[2], "link")
    return found or _named(_copied(), "copy") or DetectedZone(ZoneInfo("UTC"), "none")


def _named(name: str, reason: Reason) -> DetectedZone | None:
    try:
        return DetectedZone(ZoneInfo(name), reason) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _copied() -> str:
    """The name of the zone that /etc/localtime is a copy of: the same file, else the same rules from now on."""
    try:
        copy = _LOCALTIME.read_bytes()[:_LARGEST]
    except OSError:
        return ""
    if not copy.startswith(b"TZif"):
        return ""
    candidates = list(_candidates())
    same = (name for name in candidates if _content(name) == copy)
    alike = (name for name in candidates if (rules := _rules(_content(name))) and rules == _rules(copy))
    return next(same, "") or next(alike, "")


def _candidates() -> Iterator[str]:
    """Names, the likely ones first: many zones are the same."""
    with suppress(OSError, UnicodeDecodeError):
        yield _TIMEZONE.read_text().strip()
    yield _FIRST
    table = _content("zone1970.tab").decode(errors="replace")
    yield from (line.split("\t")[2] for line in table.splitlines() if line.count("\t") > 1 and line[0] != "#")
    yield from sorted(available_timezones())


def _content(name: str) -> bytes:
    """A file of the time zone database: that of the system, else that of the package."""
    if not name or ".." in name or name.startswith("/"):
        return b""
    for folder in (*map(Path, TZPATH), files("tzdata") / "zoneinfo"):
        try:
            return (folder / name).read_bytes()
        except (OSError, ValueError):
            continue
    return b""


def _rules(content: bytes) -> bytes:
    """What a zone file ends with: CET-1CEST,M3.5.0,M10.5.0/3."""
    return content.rstrip(b"\n").rpartition(b"\n")[2] if content.endswith(b"\n") else b""
