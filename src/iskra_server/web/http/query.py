"""The query parameters of a request to history, validated. Every error is a sentence that names the parameter.

history/model/periods.py says how periods are written. Each limit has a name and is part of its endpoint's description.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar, get_args
from zoneinfo import ZoneInfo

from starlette.datastructures import QueryParams

from iskra_server.base.timezone import zone
from iskra_server.history.model.energy import BucketLength, bucket_edges
from iskra_server.history.model.periods import Period, parse_period, parse_span
from iskra_server.history.model.records import quarter_of

_Word = TypeVar("_Word", bound=str)
DEFAULT_FROM = "today"
BUCKET_LENGTHS: tuple[BucketLength, ...] = get_args(BucketLength)
# the default bucket length for periods up to this long: about a hundred buckets fill a screen
_DEFAULT_LENGTHS: tuple[tuple[timedelta, BucketLength], ...] = (
    # two days, one of which may have 25 hours
    (timedelta(hours=49), "15min"),
    (timedelta(hours=14 * 24 + 1), "hour"),
    (timedelta(days=93), "day"),
    (timedelta(days=5 * 366), "month"),
)
_DECIMAL = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,9})?")
_APPROXIMATE: dict[BucketLength, timedelta] = {
    "15min": timedelta(minutes=15),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}


class BadRequest(Exception):
    """A clause that says what is wrong with the request and what is allowed."""


class NotFound(Exception):
    """A clause that says what does not exist; `reason` is the word for programs."""

    def __init__(self, clause: str, reason: str) -> None:
        super().__init__(clause)
        self.reason = reason


class Query:
    """The parameters of a request to an endpoint that takes `names`, at the time `now` (UTC).

    `tz` is the server's time zone, for requests without a `tz` of their own. Every method raises BadRequest.
    """

    def __init__(self, parameters: QueryParams, names: Iterable[str], *, now: datetime, tz: str) -> None:
        allowed = tuple(names)
        for name, value in parameters.multi_items():
            if name not in allowed:
                known = f"allowed are {', '.join(allowed)}" if allowed else "there is none"
                raise BadRequest(f"'{name[:40]}' is not a parameter here; {known}")
            if len(parameters.getlist(name)) > 1:
                raise BadRequest(f"'{name}' is given more than once; give it once")
            # PostgreSQL refuses NUL
            if any(character < " " for character in value):
                raise BadRequest(f"'{name}' contains a control character; leave it out")
        self._parameters: Mapping[str, str] = parameters
        self.now = now
        with _as_bad_request():
            self.tz: ZoneInfo = zone(parameters.get("tz") or tz)

    @property
    def today(self) -> date:
        return self.now.astimezone(self.tz).date()

    @property
    def quarter(self) -> int:
        """The quarter that is running."""
        return quarter_of(self.now.timestamp())

    def get(self, name: str) -> str | None:
        return self._parameters.get(name)

    def period(self, max_days: int | None = None, default: str = DEFAULT_FROM) -> Period:
        """From the beginning of `from` (by default of `default`) to the end of `to` (default: the end of `from`)."""
        with _as_bad_request():
            begin, end = parse_span(self._parameters.get("from", default), self.get("to"), self.now, self.tz)
        if max_days is not None and end - begin > timedelta(days=max_days):
            raise BadRequest(f"the period is longer than {max_days} days; ask for a shorter one")
        return begin, end

    def quarters(self, max_days: int | None = None, default: str = DEFAULT_FROM) -> tuple[int, int]:
        """The quarters in which the period begins and ends."""
        begin, end = self.period(max_days, default)
        return quarter_of(begin.timestamp()), quarter_of(end.timestamp())

    def buckets(self, max_buckets: int) -> tuple[BucketLength, tuple[int, ...]]:
        """The length of the buckets, by default one that suits the period, and the quarters at their edges."""
        begin, end = self.period()
        length = self._bucket_length(end - begin)
        # estimated first: there are 36 million quarters between 1970 and 2999
        if (end - begin) / _APPROXIMATE[length] <= 2 * max_buckets:
            quarters = bucket_edges(begin, end, length, self.tz)
            if len(quarters) - 1 <= max_buckets:
                return length, quarters
        raise BadRequest(
            f"the period has more than {max_buckets:,} buckets of the length '{length}'; "
            "ask for a shorter period or longer buckets"
        )

    def _bucket_length(self, duration: timedelta) -> BucketLength:
        text = self.get("bucket")
        if text is None:
            return next((length for longest, length in _DEFAULT_LENGTHS if duration <= longest), "year")
        for length in BUCKET_LENGTHS:
            if text == length:
                return length
        raise BadRequest(f"'bucket={text[:40]}' is not allowed; allowed are {', '.join(BUCKET_LENGTHS)}")

    def moment(self, name: str) -> datetime:
        """A moment, or the beginning of a period; by default now."""
        text = self.get(name)
        with _as_bad_request():
            return self.now if text is None else parse_period(text, self.now, self.tz)[0]

    def choice(self, name: str, allowed: Iterable[_Word], *, default: _Word) -> _Word:
        """One of these words."""
        words: dict[str, _Word] = {word: word for word in allowed}
        text = self.get(name) or default
        if text not in words:
            raise BadRequest(f"'{name}={text[:40]}' is not allowed; allowed are {', '.join(words)}")
        return words[text]

    def integer(self, name: str, *, default: int, maximum: int) -> int:
        """A whole number from 1 to `maximum`."""
        text = self.get(name)
        if text is None:
            return default
        number = whole_number(text, maximum)
        if not number:
            raise BadRequest(f"'{name}={text[:40]}' is not allowed; give a whole number from 1 to {maximum:,}")
        return number

    def decimal(self, name: str, *, default: Decimal, maximum: int) -> Decimal:
        """A plain number from 0 to `maximum`, exact."""
        text = self.get(name)
        if text is None:
            return default
        if not _DECIMAL.fullmatch(text) or Decimal(text) > maximum:
            raise BadRequest(f"'{name}={text[:40]}' is not allowed; give a number from 0 to {maximum:,} such as 0.0912")
        return Decimal(text)


def whole_number(text: str, maximum: int) -> int | None:
    """A number from 0 to `maximum`, else None. int() accepts digits of any script and fails at 4,300 of them."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(maximum))):
        return None
    number = int(text)
    return number if number <= maximum else None


@contextmanager
def _as_bad_request() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise BadRequest(str(error)) from error
