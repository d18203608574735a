"""How metrics are written: the Prometheus text format 0.0.4, or OpenMetrics 1.0 for clients that ask for it.

    # HELP iskra_power_watts Active power that the meter sends.
    # TYPE iskra_power_watts gauge
    iskra_power_watts{meter="1 ISK 00 12345678",obis="1-0:16.7.0",name="power"} 321.5

They differ in the family name of counters (OpenMetrics: without `_total`), in units, and in the mark at the end.
"""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Generic, Literal, NamedTuple, TypeVar

from msgspec import Struct

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
Kind = Literal["counter", "gauge"]
Item = TypeVar("Item")
Value = Decimal | int | float | bool
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class Series(Struct, frozen=True):
    """A value and its labels; empty labels are left out."""

    value: Value
    labels: dict[str, str] = {}


class Family(Struct, frozen=True):
    """Series of one metric. `name` ends with the unit and lacks the `_total` of counters; `help` is one sentence."""

    name: str
    kind: Kind
    help: str
    series: list[Series]
    unit: str = ""


class Metric(NamedTuple, Generic[Item]):
    """A metric of a kind of item, such as sources: `value` returns None for an item that has none."""

    name: str
    kind: Kind
    help: str
    value: Callable[[Item], Value | None]
    unit: str = ""


def families(
    prefix: str, metrics: Iterable[Metric[Item]], items: Iterable[Item], labels: Callable[[Item], dict[str, str]]
) -> Iterator[Family]:
    """A family for each metric, with a series for each item."""
    labelled = [(item, labels(item)) for item in items]
    for name, kind, sentence, value_of, unit in metrics:
        values = ((value_of(item), item_labels) for item, item_labels in labelled)
        series = [Series(value, item_labels) for value, item_labels in values if value is not None]
        yield Family(f"{prefix}_{name}", kind, sentence, series, unit)


def media_type(accept: str) -> str:
    """OpenMetrics if the Accept header names it with a quality that is not lower than that of plain text."""
    qualities = dict(_accept_quality(part) for part in accept.lower().split(","))
    open_metrics = qualities.get("application/openmetrics-text", 0.0)
    return OPEN_METRICS if open_metrics > 0 and open_metrics >= qualities.get("text/plain", 0.0) else TEXT


def _accept_quality(part: str) -> tuple[str, float]:
    """A media range of an Accept header and its quality, 0..1 (RFC 9110, 12.4.2)."""
    name, *parameters = (word.strip() for word in part.split(";"))
    quality = next((word[2:] for word in parameters if word.startswith("q=")), "1")
    try:
        return name, float(quality)
    except ValueError:
        return name, 0.0


def write(families: Iterable[Family], form: str) -> bytes:
    """The families that have series, as TEXT or OPEN_METRICS."""
    is_open = form == OPEN_METRICS
    lines = [line for family in families if family.series for line in _lines(family, is_open)]
    if is_open:
        lines.append("# EOF")
    return "".join(f"{line}\n" for line in lines).encode()


def _lines(family: Family, is_open: bool) -> Iterator[str]:
    sample = f"{family.name}_total" if family.kind == "counter" else family.name
    name = family.name if is_open else sample
    yield f"# HELP {name} {family.help}"
    yield f"# TYPE {name} {family.kind}"
    if is_open and family.unit:
        yield f"# UNIT {name} {family.unit}"
    for series in family.series:
        yield f"{sample}{_labels(series.labels)} {_text(series.value)}"


def _labels(labels: dict[str, str]) -> str:
    pairs = ",".join(f'{name}="{text.translate(_ESCAPES)}"' for name, text in labels.items() if text)
    return f"{{{pairs}}}" if pairs else ""


def _text(value: Value) -> str:
    """All digits of a Decimal, in plain notation."""
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(int(value)) if isinstance(value, bool) else str(value)
