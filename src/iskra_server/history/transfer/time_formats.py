"""The times that files use: Unix seconds or milliseconds, ISO 8601, or 31.12.2026 23:45.

A time without an offset is local; where summer time ends, it may be one of two moments.
"""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from iskra_server.history.model.periods import FIRST_YEAR, LAST_YEAR
from iskra_server.history.transfer.file_rows import quote_cell

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND_US, _MILLISECOND_US = 1_000_000, 1_000
_SECONDS = re.compile(r"(\d{9,10})(?:\.(\d{1,9}))?", re.ASCII)
_MILLISECONDS = re.compile(r"\d{12,13}", re.ASCII)
_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)? ?([Zz]|[+-][01]\d:?[0-5]\d)?", re.ASCII
)
_DATE = re.compile(r"\d{4}-\d\d?-\d\d?(?!\d)|\d\d?\.\d\d?\.\d{4}(?!\d)", re.ASCII)
_GERMAN = re.compile(r"(\d\d?)\.(\d\d?)\.(\d{4}),? (\d\d?):(\d\d)(?::(\d\d))?", re.ASCII)


def is_like_a_time(text: str) -> bool:
    """Whether a text is a time or was meant as one: a date alone, or a day that no calendar has."""
    text = text.strip()
    return bool(_SECONDS.fullmatch(text) or _MILLISECONDS.fullmatch(text) or _DATE.match(text))


def parse_time(text: str, tz: ZoneInfo) -> tuple[int, ...]:
    """The one or two moments that a text may mean, in Unix microseconds. Raises ValueError."""
    text = text.strip()
    if seconds := _SECONDS.fullmatch(text):
        return (int(seconds[1]) * _SECOND_US + _microseconds(seconds[2]),)
    if _MILLISECONDS.fullmatch(text):
        return (int(text) * _MILLISECOND_US,)
    try:
        local, offset = _parsed(text)
    except ValueError:
        raise ValueError(
            f"{quote_cell(text)} is not a time; expected one like 2026-11-22T10:00:00+01:00, 22.11.2026 10:00 or "
            "1795338000"
        ) from None
    if offset is not None:
        return (_since_epoch(datetime.fromisoformat(f"{local.isoformat()}{offset}")),)
    return _in_zone(local, text, tz)


def _parsed(text: str) -> tuple[datetime, str | None]:
    """The local time, and its offset if it has one."""
    if match := _ISO.fullmatch(text):
        year, month, day, hour, minute, second, fraction, offset = match.groups()
    elif match := _GERMAN.fullmatch(text):
        day, month, year, hour, minute, second = match.groups()
        fraction = offset = None
    else:
        raise ValueError
    if not FIRST_YEAR <= int(year) <= LAST_YEAR:
        raise ValueError
    day_of_month, clock = (int(year), int(month), int(day)), (int(hour), int(minute), int(second or 0))
    local = datetime(*day_of_month, *clock, _microseconds(fraction))  # noqa: DTZ001 (the zone follows)
    return local, offset.upper() if offset else None


def _in_zone(local: datetime, text: str, tz: ZoneInfo) -> tuple[int, ...]:
    earlier, later = (local.replace(tzinfo=tz, fold=fold) for fold in (0, 1))
    if earlier.utcoffset() == later.utcoffset():
        return (_since_epoch(earlier),)
    if earlier.astimezone(UTC).astimezone(tz).replace(tzinfo=None) != local:
        raise ValueError(f"{quote_cell(text)} does not exist in {tz.key}, as summer time began")
    return _since_epoch(earlier), _since_epoch(later)


def _microseconds(fraction: str | None) -> int:
    return int((fraction or "0").ljust(6, "0")[:6])


def _since_epoch(moment: datetime) -> int:
    return (moment.astimezone(UTC) - _EPOCH) // _MICROSECOND
