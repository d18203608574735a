"""Where to look for the nearest row of a meter: first in a month in which it has rows, then in all the others.

PostgreSQL plans and opens every partition that a query may need, 0.1 ms each: the last reading among 20 years of months
would take 60 ms. Here a question becomes several, each of a bounded period; the first usually has the answer.
"""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, and_, true

# in days, from where a meter was last heard, or first: what is farther away is searched whole
_SPANS = (31, 366, 4 * 366)
Window = tuple[int | None, int | None]


def windows_before(moment: int, last: int, day: int) -> Iterator[Window]:
    """Half-open periods that together hold all before `moment`, the latest first.

    The meter was heard at `last`, perhaps a day later; `day` is a day in the unit of all these.
    """
    end = min(moment, last + 2 * day)
    if end < moment:
        yield end, moment
    for span in _SPANS:
        first = end - span * day
        yield first, end
        end = first
    yield None, end


def windows_from(moment: int, first: int, day: int) -> Iterator[Window]:
    """Half-open periods that together hold all rows of a meter from `moment` on, the earliest first.

    It was heard first at `first`: no row lies before that, as their writers see to (records.seen_by).
    """
    begin = max(moment, first - day)
    for span in _SPANS:
        yield begin, begin + span * day
        begin += span * day
    yield begin, None


def within(column: ColumnElement[int], window: Window) -> ColumnElement[bool]:
    first, end = window
    bounds = [] if first is None else [column >= first]
    return and_(true(), *bounds, *([] if end is None else [column < end]))
