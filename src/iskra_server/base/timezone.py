"""The time zone of days and months: the configured one, else that of this machine; and where it was found."""

import os
from collections.abc import Iterator
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Literal, NamedTuple
from zoneinfo import TZPATH, ZoneInfo, ZoneInfoNotFoundError, available_timezones

# server.time_zone; $TZ; the link /etc/localtime; the zone it is a copy of; none found: UTC
Reason = Literal["configured", "variable", "link", "copy", "none"]

_LOCALTIME, _TIMEZONE = Path("/etc/localtime"), Path("/etc/timezone")
_FOLDER = "zoneinfo/"
# preferred among zones with the same rules
_FIRST = "Europe/Berlin"
_MAX_BYTES = 1 << 16


class DetectedZone(NamedTuple):
    """A zone and where it was found."""

    zone: ZoneInfo
    reason: Reason


def zone(name: str) -> ZoneInfo:
    """The zone of a name, the machine's for "". Raises ValueError with a sentence for an unknown name."""
    return detect_zone(name).zone


def detect_zone(name: str) -> DetectedZone:
    """As `zone`, and where it was found."""
    if not name:
        return _machine()
    try:
        return DetectedZone(ZoneInfo(name), "configured")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"'{name}' is not a time zone; expected a name such as Europe/Berlin or UTC") from None


def _machine() -> DetectedZone:
    return (
        _named(os.environ.get("TZ", "").lstrip(":"), "variable")
        or _named(str(_LOCALTIME.resolve()).partition(_FOLDER)[2], "link")
        or _named(_copied_zone(), "copy")
        or DetectedZone(ZoneInfo("UTC"), "none")
    )


def _named(name: str, reason: Reason) -> DetectedZone | None:
    try:
        return DetectedZone(ZoneInfo(name), reason) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _copied_zone() -> str:
    """The name of the zone that /etc/localtime is a copy of: equal file, else equal rules for the future."""
    try:
        copy = _LOCALTIME.read_bytes()[:_MAX_BYTES]
    except OSError:
        return ""
    if not copy.startswith(b"TZif"):
        return ""
    candidates = list(_candidates())
    same_file = (name for name in candidates if _content(name) == copy)
    same_rules = (name for name in candidates if (rules := _rules(_content(name))) and rules == _rules(copy))
    return next(same_file, "") or next(same_rules, "")


def _candidates() -> Iterator[str]:
    """Zone names, likely ones first: many zones are equal."""
    with suppress(OSError, UnicodeDecodeError):
        yield _TIMEZONE.read_text().strip()
    yield _FIRST
    table = _content("zone1970.tab").decode(errors="replace")
    yield from (line.split("\t")[2] for line in table.splitlines() if line.count("\t") > 1 and line[0] != "#")
    yield from sorted(available_timezones())


def _content(name: str) -> bytes:
    """A file of the time zone database: of the system, else of the package tzdata."""
    if not name or ".." in name or name.startswith("/"):
        return b""
    for folder in (*map(Path, TZPATH), files("tzdata") / "zoneinfo"):
        try:
            return (folder / name).read_bytes()
        except (OSError, ValueError):
            continue
    return b""


def _rules(content: bytes) -> bytes:
    """The last line of a zone file, its rules for the future: CET-1CEST,M3.5.0,M10.5.0/3 (RFC 8536, 3.3)."""
    return content.rstrip(b"\n").rpartition(b"\n")[2] if content.endswith(b"\n") else b""
