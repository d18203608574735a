"""Reads windows of prices: times of the local clock, days of the week and months. Two that overlap are a mistake.

A mistake is appended to `problems`, so that one check finds all of them; what is returned then is of no use.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import combinations

from iskra_server.base.language import Bilingual
from iskra_server.config import ConfigError, WindowConfig
from iskra_server.cost.contract_sentences import mistake
from iskra_server.cost.tariffs import PriceWindow
from iskra_server.history.model.periods import QUARTERS_OF_DAY

_MONTHS = 12
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_PLACES = 12
# each is compared with each; the price sheets of grid operators have a dozen
_MAX_WINDOWS = 48
_TIMES = (
    "a time in steps of 15 minutes, such as 17:00 or 21:15",
    "eine Uhrzeit in Schritten von 15 Minuten, etwa 17:00 oder 21:15,",
)
_TIME = re.compile(r"([01]?[0-9]|2[0-4]):(00|15|30|45)")

Problems = list[ConfigError]


def windows_of(configured: Sequence[WindowConfig], path: str, problems: Problems) -> tuple[PriceWindow, ...]:
    """In the order of the file. Two that overlap are a mistake."""
    if not configured:
        problems.append(mistake("no_windows", path, path=path))
    if len(configured) > _MAX_WINDOWS:
        problems.append(mistake("many_windows", path, path=path, count=len(configured), most=_MAX_WINDOWS))
        return ()
    numbered = [(f"{path}.{number}", window) for number, window in enumerate(configured, 1)]
    before = len(problems)
    windows = [_window(window, place, problems) for place, window in numbered]
    if len(problems) == before:
        for (first, (one, _)), (second, (other, _)) in combinations(zip(windows, numbered, strict=True), 2):
            if overlap(first, second):
                names = {"first": first.name or one, "second": second.name or other}
                problems.append(mistake("overlap", other, path=path, **names))
    return tuple(windows)


def overlap(first: PriceWindow, second: PriceWindow) -> bool:
    """Whether some quarter of some year lies in both."""
    return any(
        _meet(early, late, days) for early, late, days in ((first, second, 0), (first, second, 1), (second, first, 1))
    )


def _meet(early: PriceWindow, late: PriceWindow, days: int) -> bool:
    """Whether `early` is still open in `late`, which begins on the same day or on the next."""
    shift = days * QUARTERS_OF_DAY
    if early.begin >= late.end + shift or late.begin + shift >= early.end:
        return False
    weekdays = {(day + days) % len(_DAYS) for day in early.days}
    # the next day may lie in the next month
    months = early.months | {month % _MONTHS + 1 for month in early.months} if days else early.months
    return bool(weekdays & late.days and months & late.months)


def exact(price: float) -> Decimal:
    """The decimal digits that the float was written with, rounded to 12 places: more than any bill has."""
    decimal = Decimal(repr(price))
    return decimal if decimal == round(decimal, _PLACES) else round(decimal, _PLACES)


def _window(configured: WindowConfig, path: str, problems: Problems) -> PriceWindow:
    before = len(problems)
    begin = _slot(configured.from_, f"{path}.from", problems)
    end = _slot(configured.to, f"{path}.to", problems)
    if len(problems) == before and begin in (end, QUARTERS_OF_DAY):
        times = {"begin": configured.from_, "end": configured.to}
        problems.append(mistake("no_length", f"{path}.to", path=path, **times))
    return PriceWindow(
        configured.name,
        frozenset(_months(configured.months, f"{path}.months", problems)),
        frozenset(_weekdays(configured.days, f"{path}.days", problems)),
        begin,
        end if end > begin else end + QUARTERS_OF_DAY,
        exact(configured.price),
    )


def _slot(text: str, key: str, problems: Problems) -> int:
    match = _TIME.fullmatch(text)
    hour, minute = map(int, match.groups()) if match else (0, 0)
    slot = hour * 4 + minute // 15
    if not match or slot > QUARTERS_OF_DAY:
        problems.append(mistake("must_be", key, _TIMES, text=text[:40]))
    return slot


def _months(text: str, key: str, problems: Problems) -> set[int]:
    months = {str(month): month for month in range(1, _MONTHS + 1)}
    return _ranges(text, months, key, ("months, such as 1-3,10-12", "eine Angabe von Monaten wie 1-3,10-12"), problems)


def _weekdays(text: str, key: str, problems: Problems) -> set[int]:
    days = {name: day for day, name in enumerate(_DAYS)}
    expected = "days, such as mon-fri or sat,sun", "eine Angabe von Tagen wie mon-fri oder sat,sun"
    return _ranges(text.lower(), days, key, expected, problems)


def _ranges(text: str, values: Mapping[str, int], key: str, expected: Bilingual, problems: Problems) -> set[int]:
    """The values of "1-3,10-12"; a range may go over the end, as 10-3 does."""
    ordered = list(values.values())
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        if first not in values or (dash and last not in values):
            problems.append(mistake("must_be", key, expected, text=text[:40]))
            return set()
        start, stop = ordered.index(values[first]), ordered.index(values[last if dash else first])
        found |= {*ordered[start : stop + 1]} if start <= stop else {*ordered[start:], *ordered[: stop + 1]}
    return found
