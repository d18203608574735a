"""Server-sent events from the bytes of a stream. Pure.

id: 1795255200123456
event: reading
data: {"id":"1 ISK 00 70347617", ...}

:                                       a comment: the server's heartbeat
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

# an event of a meter has 2 to 20 kB, the status of a thousand sources 5 MB
MAX_LINE_BYTES = 32_000_000


class Event(NamedTuple):
    """`id` is "" where the event has none."""

    name: str
    id: str
    data: str


class EventParser:
    """`feed` yields the events that these bytes complete. Raises ValueError for a line without end."""

    def __init__(self) -> None:
        self._rest = b""
        self._fields: dict[str, str] = {}

    def feed(self, data: bytes) -> Iterator[Event]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > MAX_LINE_BYTES:
            raise ValueError(f"a line of more than {MAX_LINE_BYTES} bytes")
        for line in lines:
            text = line.removesuffix(b"\r").decode("utf-8", "replace")
            if text:
                self._add(text)
                continue
            fields, self._fields = self._fields, {}
            if "data" in fields:
                yield Event(fields.get("event", "message"), fields.get("id", ""), fields["data"])

    def _add(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data" and "data" in self._fields:
            value = f"{self._fields['data']}\n{value}"
        # a comment has no name
        if name:
            self._fields[name] = value
