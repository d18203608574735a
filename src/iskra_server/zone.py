"""The time zone in which days and months begin: the configured one, else that of this machine."""

import os
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_LOCALTIME = Path("/etc/localtime")
_FOLDER = "zoneinfo/"


def zone(name: str) -> ZoneInfo:
    """The zone of a name, the machine's for "". Raises ValueError with a sentence for a name that is none."""
    if not name:
        return _machine()
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"'{name}' is not a time zone; expected a name such as Europe/Berlin or UTC") from None


def _machine() -> ZoneInfo:
    """By $TZ, else by where /etc/localtime leads, else UTC."""
    for name in (os.environ.get("TZ", "").lstrip(":"), str(_LOCALTIME.resolve()).partition(_FOLDER)[2]):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return ZoneInfo("UTC")
