"""What a request to history asks for, checked: each misuse has a sentence that names it.

Periods are named as in history/model/periods.py; every limit has a name here and is in the description of its route.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

from starlette.datastructures import QueryParams

from iskra_server.base.timezone import zone
from iskra_server.history.model.periods import Period, parse_period, parse_span

DEFAULT_FROM = "today"


class BadRequest(Exception):
    """A sentence: what was asked, and what can be."""


class Query:
    """The query of a request to a route that knows `names`, at `now` (UTC), in a server of the zone `tz`."""

    def __init__(self, query: QueryParams, names: Iterable[str], *, now: datetime, tz: str) -> None:
        known = tuple(names)
        for name, _ in query.multi_items():
            if name not in known:
                raise BadRequest(f"'{name}' is not known here; known are {', '.join(known)}")
            if len(query.getlist(name)) > 1:
                raise BadRequest(f"'{name}' is given more than once; give it once")
            # no name has one, and PostgreSQL takes no NUL
            if has_control_characters(query[name]):
                raise BadRequest(f"'{name}' holds a control character; leave it out")
        self._given: Mapping[str, str] = query
        self.now = now
        with _misuse():
            self.tz: ZoneInfo = zone(query.get("tz") or tz)

    def get(self, name: str) -> str | None:
        return self._given.get(name)

    def period(self) -> Period:
        """From `from`, today if absent, to `to`, the end of what `from` names if absent."""
        with _misuse():
            return parse_span(self._given.get("from", DEFAULT_FROM), self._given.get("to"), self.now, self.tz)

    def moment(self, name: str) -> datetime:
        """A moment, or the beginning of a period; the present if absent."""
        text = self._given.get(name)
        with _misuse():
            return self.now if text is None else parse_period(text, self.now, self.tz)[0]

    def whole(self, name: str, *, default: int, most: int) -> int:
        """A whole number from 1 to the most that is allowed."""
        text = self._given.get(name)
        if text is None:
            return default
        value = whole_number(text, most)
        if not value:
            raise BadRequest(f"'{name}={text[:40]}' is not allowed; give a whole number from 1 to {most:,}")
        return value


def whole_number(text: str, most: int) -> int | None:
    """A whole number from 0 to `most`, else None. int() takes digits of any script, and fails at 4,300."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most))):
        return None
    value = int(text)
    return value if value <= most else None


def has_control_characters(text: str) -> bool:
    return any(character < " " for character in text)


@contextmanager
def _misuse() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise BadRequest(str(error)) from error
