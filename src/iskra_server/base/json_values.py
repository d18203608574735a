"""Exact numbers and moments as JSON: a Decimal is printed with every digit it has, never through a float."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

Number = Annotated[Raw, Meta(extra_json_schema={"type": "number"})]
Value = Annotated[Raw, Meta(extra_json_schema={"type": ["number", "string", "boolean"]})]
NumberColumn = list[Annotated[Number | None, Meta(extra_json_schema={"type": ["number", "null"]})]]
Instant = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


def number(value: Decimal) -> Raw:
    """The JSON number of a Decimal in plain notation: 10732.3090 stays 10732.3090."""
    return Raw(format(value, "f").encode())


def optional(value: Decimal | None) -> Raw | UnsetType:
    """As `number`; a value that is not there is left out."""
    return UNSET if value is None else number(value)


def text_or_flag(value: str | bool) -> Raw:
    """The JSON of a value that is not a number."""
    return Raw(msgspec.json.encode(value))


def instant(moment: datetime) -> str:
    """UTC to the millisecond: 2026-11-22T10:00:00.123Z."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def utc(unix_s: float) -> str:
    """By UTC, to the second: 2026-11-22T10:00:00Z."""
    return f"{datetime.fromtimestamp(unix_s, UTC):%Y-%m-%dT%H:%M:%SZ}"


def local(unix_s: int, tz: ZoneInfo) -> str:
    """A moment by the clock on the wall, with its offset: 2026-11-22T11:00:00+01:00."""
    return datetime.fromtimestamp(unix_s, tz).isoformat()
