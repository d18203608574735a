"""Which form a file has, told by its beginning, and the rows that it holds."""

import re
from collections.abc import Iterable, Iterator
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.history.model.records import Quality
from iskra_server.history.transfer import homeassistant, own, readings
from iskra_server.history.transfer.rows import Bad, CounterReading, Kept, Unit
from iskra_server.history.transfer.times import moments

Form = Literal["iskra", "vzlogger", "kwh", "homeassistant"]
FORMS: tuple[Form, ...] = get_args(Form)

_BUCKETS = "begin,end,"
_VZLOGGER = re.compile(r"\d{12,13};")
_UTC = ZoneInfo("UTC")


class UnknownForm(Exception):
    """Why a file cannot be read as a whole, as a predicate."""


class Wanted(Struct, frozen=True):
    """What a file does not say of itself; None is the form's own default."""

    tz: ZoneInfo
    unit: Unit | None = None
    statistic: str | None = None


def recognise(beginning: list[str]) -> Form:
    """The form of a file that begins with these lines. Raises UnknownForm."""
    lines = [line.strip() for line in beginning if line.strip()]
    if not lines:
        raise UnknownForm("is empty")
    first = lines[0]
    if first.startswith(",".join(own.HEADER)):
        return "iskra"
    if first.startswith(_BUCKETS):
        raise UnknownForm("holds energy per bucket, which is not what a counter showed; export with --bucket none")
    if "statistic_id" in first or first.startswith("["):
        return "homeassistant"
    if any(_VZLOGGER.match(line) for line in lines) and all(line[0] == "#" or ";" in line for line in lines):
        return "vzlogger"
    if any(map(_has_a_time, lines)):
        return "kwh"
    raise UnknownForm(f"has no form that is known; name one with --form: {', '.join(FORMS)}")


def is_simulated(beginning: list[str]) -> bool:
    """Whether our own export says that its meter does not exist."""
    return bool(beginning) and own.SIMULATED in beginning[0].strip().split(",")


def kept(lines: Iterable[str], meter_id: str) -> Iterator[Kept | Bad]:
    """The records in a file of our own form."""
    return own.read(lines, meter_id)


def counter_readings(form: Form, lines: Iterable[str], wanted: Wanted) -> Iterator[CounterReading | Bad]:
    """The readings in a file of another form, in order of time. Raises UnknownForm."""
    match form:
        case "vzlogger":
            return readings.read_vzlogger(lines, wanted.unit)
        case "homeassistant":
            return _statistics(lines, wanted)
        case _:
            return readings.read_kwh(lines, wanted.unit, wanted.tz)


def best_quality(form: Form) -> Quality:
    """Home Assistant keeps the last value of an hour, which may be minutes older than its end."""
    return "interpolated" if form == "homeassistant" else "measured"


def _statistics(lines: Iterable[str], wanted: Wanted) -> Iterator[CounterReading | Bad]:
    try:
        yield from homeassistant.read(homeassistant.rows_of(lines), wanted.statistic, wanted.unit, wanted.tz)
    except homeassistant.NotStatistics as error:
        raise UnknownForm(str(error)) from None


def _has_a_time(line: str) -> bool:
    try:
        moments(line.partition(readings.delimiter_of(line))[0].strip('"'), _UTC)
    except ValueError:
        return False
    return True
