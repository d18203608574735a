"""Server-sent events from the bytes of a stream. Pure.

id: 1795255200123456
event: reading
data: {"id":"1 ISK 00 70347617", ...}

:                                       a comment: the server's heartbeat
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

# one of a meter has 2 to 20 kB, the status of a thousand sources 5 MB
MAX_EVENT_BYTES = 32_000_000


class Event(NamedTuple):
    """`id` is "" where the event has none."""

    name: str
    id: str
    data: str


class EventParser:
    """`feed` yields the events that these bytes complete. Raises ValueError for one without end."""

    def __init__(self) -> None:
        # the beginning of a line, in the pieces that came
        self._rest: list[bytes] = []
        self._size = 0
        self._fields: dict[str, str] = {}

    def feed(self, data: bytes) -> Iterator[Event]:
        first, *more = data.split(b"\n")
        self._rest.append(first)
        self._size += len(first)
        for following in more:
            line, self._rest = b"".join(self._rest), [following]
            self._size += len(following)
            text = line.removesuffix(b"\r").decode("utf-8", "replace")
            if text:
                self._add(text)
                continue
            fields, self._fields, self._size = self._fields, {}, len(following)
            if "data" in fields:
                yield Event(fields.get("event", "message"), fields.get("id", ""), fields["data"])

        if self._size > MAX_EVENT_BYTES:
            raise ValueError(f"an event of more than {MAX_EVENT_BYTES} bytes")

    def _add(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data" and "data" in self._fields:
            value = f"{self._fields['data']}\n{value}"
        # a comment has no name
        if name:
            self._fields[name] = value
