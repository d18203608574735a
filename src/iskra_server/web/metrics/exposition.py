"""How metrics are written: the Prometheus text format 0.0.4, or OpenMetrics 1.0 for who asks for it.

    # HELP iskra_power_watts Active power that the meter sends.
    # TYPE iskra_power_watts gauge
    iskra_power_watts{meter="1 ISK 00 12345678",obis="1-0:16.7.0",name="power"} 321.5

They differ in how a counter's family is called, in units, and in the mark at the end.
"""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Generic, Literal, NamedTuple, TypeVar

from msgspec import Struct

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
Thing = TypeVar("Thing")
Number = Decimal | int | float | bool
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class Series(Struct, frozen=True):
    """One number and the labels that tell it from the others of its family; an empty label is left out."""

    value: Number
    labels: dict[str, str] = {}


class Family(Struct, frozen=True):
    """Series of one kind. `name` ends with its unit, and without `_total`; `help` is one plain sentence."""

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    series: list[Series]
    unit: str = ""


class Row(NamedTuple, Generic[Thing]):
    """One family of a table: `value` gives the number of a thing, None where it has none."""

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    value: Callable[[Thing], Number | None]
    unit: str = ""


def table(
    prefix: str, rows: Iterable[Row[Thing]], things: Iterable[Thing], labels: Callable[[Thing], dict[str, str]]
) -> Iterator[Family]:
    """A family for each row, with a series for each thing."""
    labelled = [(thing, labels(thing)) for thing in things]
    for name, kind, sentence, value, unit in rows:
        values = ((value(thing), own) for thing, own in labelled)
        series = [Series(number, own) for number, own in values if number is not None]
        yield Family(f"{prefix}_{name}", kind, sentence, series, unit)


def media_type(accept: str) -> str:
    """What to answer with: OpenMetrics where it is asked for by name and not liked less than plain text."""
    liked = {name: q for part in accept.lower().split(",") for name, q in [_liked(part)]}
    open_metrics = liked.get("application/openmetrics-text", 0.0)
    return OPEN_METRICS if open_metrics > 0 and open_metrics >= liked.get("text/plain", 0.0) else TEXT


def write(families: Iterable[Family], form: str) -> bytes:
    """The families that have a series, in one of the two forms."""
    is_open = form == OPEN_METRICS
    lines = [line for family in families if family.series for line in _family(family, is_open)]
    if is_open:
        lines.append("# EOF")
    return "".join(f"{line}\n" for line in lines).encode()


def _family(family: Family, is_open: bool) -> Iterator[str]:
    sample = f"{family.name}_total" if family.kind == "counter" else family.name
    name = family.name if is_open else sample
    yield f"# HELP {name} {family.help}"
    yield f"# TYPE {name} {family.kind}"
    if is_open and family.unit:
        yield f"# UNIT {name} {family.unit}"
    for series in family.series:
        yield f"{sample}{_labels(series.labels)} {_number(series.value)}"


def _labels(labels: dict[str, str]) -> str:
    pairs = ",".join(f'{name}="{text.translate(_ESCAPES)}"' for name, text in labels.items() if text)
    return f"{{{pairs}}}" if pairs else ""


def _number(value: Number) -> str:
    """Every digit of a Decimal, in plain notation."""
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(int(value)) if isinstance(value, bool) else str(value)


def _liked(part: str) -> tuple[str, float]:
    """One part of an Accept header: the media type, and how much it is liked (0..1)."""
    name, *parameters = (word.strip() for word in part.split(";"))
    q = next((word[2:] for word in parameters if word.startswith("q=")), "1")
    try:
        return name, float(q)
    except ValueError:
        return name, 0.0
