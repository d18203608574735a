"""GET /metrics: everything that is known now, for Prometheus; made at each scrape, nothing is kept for it.

A meter that is not fresh has no reading here, but its age and `iskra_meter_up 0`. A simulated one says so in a label.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from starlette.requests import Request
from starlette.responses import Response

from iskra_server.base.clock import boottime_s
from iskra_server.diagnosis.status import Status
from iskra_server.meter import identity
from iskra_server.meter.guard import is_counter
from iskra_server.meter.lock import sends_locked
from iskra_server.meter.reading import FaultKind, Sample, scaled
from iskra_server.meter.registers import key_of
from iskra_server.outputs.state import OutputState
from iskra_server.reading.hub import Hub
from iskra_server.web.http.headers import NO_STORE
from iskra_server.web.metrics.exposition import Family, Row, Series, media_type, table, write
from iskra_server.web.metrics.process import Process

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.history.recording.writer_state import WriterState

_VARY = {"vary": "accept"}


class Quantity(NamedTuple):
    name: str
    unit: str
    help: str


# by the unit of a register, and whether it is a counter; those of other units are called _OTHER
_QUANTITIES = {
    ("Wh", True): Quantity("energy_watthours", "watthours", "Active energy, as the counter shows it."),
    ("Wh", False): Quantity("energy_balance_watthours", "watthours", "Active energy that may rise and fall."),
    ("varh", True): Quantity("reactive_energy_varhours", "varhours", "Reactive energy, as the counter shows it."),
    ("VAh", True): Quantity("apparent_energy_voltamperehours", "voltamperehours", "Apparent energy by the counter."),
    ("W", False): Quantity("power_watts", "watts", "Active power, positive for import where it is signed."),
    ("var", False): Quantity("reactive_power_vars", "vars", "Reactive power."),
    ("VA", False): Quantity("apparent_power_voltamperes", "voltamperes", "Apparent power."),
    ("A", False): Quantity("current_amperes", "amperes", "Current."),
    ("V", False): Quantity("voltage_volts", "volts", "Voltage."),
    ("Hz", False): Quantity("frequency_hertz", "hertz", "Frequency of the grid."),
    ("°", False): Quantity("phase_angle_degrees", "degrees", "Angle between two phases."),
}
_OTHER = {
    True: Quantity("register_events", "", "A counter of another unit, which its label names."),
    False: Quantity("register_value", "", "A register of another unit, which its label names."),
}


class Metrics:
    """The endpoint. `writer` is how history is written, None where none is kept."""

    def __init__(
        self,
        *,
        hub: Hub,
        statuses: Callable[[], Sequence[Status]],
        version: str,
        writer: "Callable[[], WriterState | None]",
        outputs: Callable[[], Sequence[OutputState]],
        dropped_lines: Callable[[], int] = int,
    ) -> None:
        self._hub = hub
        self._statuses = statuses
        self._version = version
        self._writer = writer
        self._outputs = outputs
        self._dropped_lines = dropped_lines
        self._process = Process()

    async def answer(self, request: Request) -> Response:
        form = media_type(request.headers.get("accept", ""))
        return Response(write(self._families(boottime_s()), form), headers={**NO_STORE, **_VARY, "content-type": form})

    def _families(self, now_s: float) -> Iterator[Family]:
        shown = [
            Shown(sample, self._hub.is_fresh(meter_id, now_s), round(self._hub.age_s(meter_id, now_s) or 0.0, 3))
            for meter_id, sample in self._hub.newest.items()
        ]
        writer = self._writer()
        yield Family(
            "iskra_server_info", "gauge", "The version of this server.", [Series(1, {"version": self._version})]
        )
        yield from _readings(each.sample for each in shown if each.fresh)
        yield Family("iskra_meter_info", "gauge", "Who a meter is, and where it hangs.", list(map(_about, shown)))
        yield from table("iskra_meter", METERS, shown, lambda each: _meter(each.sample))
        yield from table("iskra_source", SOURCES, self._statuses(), lambda status: {"source": status.source})
        yield from _faults(self._statuses())
        yield from _checks(self._statuses())
        yield Family("iskra_hub_samples", "counter", "Readings that were published.", [Series(self._hub.published)])
        dropped = [Series(count, {"subscriber": name}) for name, count in self._hub.dropped().items()]
        yield Family("iskra_hub_dropped", "counter", "Readings that a subscriber was too slow for.", dropped)
        yield from table("iskra_history", HISTORY, [writer] if writer else [], lambda _: {})
        yield from table("iskra_output", OUTPUTS, self._outputs(), lambda state: {"output": state.name})
        lost = [Series(self._dropped_lines())]
        yield Family("iskra_log_dropped", "counter", "Log lines that nobody took, and that were dropped.", lost)
        tasks = [Series(len(asyncio.all_tasks()))]
        yield Family("iskra_server_tasks", "gauge", "What the server is at; a number that only grows is a leak.", tasks)
        yield from self._process.families()


class Shown(NamedTuple):
    """A meter by its newest sample."""

    sample: Sample
    fresh: bool
    age_s: float


METERS = (
    Row[Shown]("up", "gauge", "1 while the reading of a meter is fresh.", lambda each: each.fresh),
    Row[Shown]("age_seconds", "gauge", "How old its last telegram is.", lambda each: each.age_s, "seconds"),
    Row[Shown]("locked", "gauge", "1 for whole kWh and no power.", lambda each: sends_locked(each.sample)),
    Row[Shown]("epoch", "gauge", "Grows when a counter began anew.", lambda each: each.sample.epoch),
)
SOURCES = (
    Row[Status]("up", "gauge", "1 while a source delivers fresh values.", lambda status: status.ok),
    Row[Status]("open", "gauge", "1 while its port is open.", lambda status: status.facts.is_open),
    Row[Status]("bytes", "counter", "Bytes that arrived.", lambda status: status.facts.byte_count),
    Row[Status](
        "data_age_seconds",
        "gauge",
        "How old the last byte is.",
        lambda status: None if status.facts.data_age_s is None else round(status.facts.data_age_s, 3),
        "seconds",
    ),
    Row[Status]("telegrams", "counter", "Whole telegrams.", lambda status: status.facts.telegrams),
    Row[Status]("held_back", "counter", "Readings that the guard held back.", lambda status: status.facts.quarantined),
    Row[Status](
        "rejected_registers",
        "counter",
        "Registers without a clear value.",
        lambda status: status.facts.rejected_registers,
    ),
    Row[Status](
        "ignored_telegrams",
        "counter",
        "Telegrams of ids too rare for a meter.",
        lambda status: status.facts.ignored_telegrams,
    ),
)


def _waiting_telegrams(state: "WriterState") -> int:
    return state.pending_points + state.pending_samples


HISTORY: tuple[Row["WriterState"], ...] = (
    Row("up", "gauge", "1 while history is written.", lambda state: state.ok),
    Row("waiting_records", "gauge", "Counter values that wait to be written.", lambda state: state.pending_ledger),
    Row("waiting_telegrams", "gauge", "Telegrams that wait to be written.", _waiting_telegrams),
    Row("dropped_records", "counter", "Counter values that history lost.", lambda state: state.dropped_ledger),
    Row("dropped_telegrams", "counter", "Telegrams that history lost.", lambda state: state.dropped_points),
    Row("refused_records", "counter", "Values that no column can hold.", lambda state: state.refused),
    Row(
        "last_write_seconds",
        "gauge",
        "When history was last written, in Unix seconds.",
        lambda state: round(state.last_flush.timestamp(), 3) if state.last_flush else None,
        "seconds",
    ),
)
OUTPUTS = (
    Row[OutputState]("up", "gauge", "1 while an output delivers.", lambda state: state.ok),
    Row[OutputState]("delivered", "counter", "Points that were taken.", lambda state: state.delivered),
    Row[OutputState]("refused", "counter", "Points that were refused and set aside.", lambda state: state.refused),
    Row[OutputState]("dropped", "counter", "Points that were lost for want of room.", lambda state: state.dropped),
    Row[OutputState]("waiting", "gauge", "Points that wait to be delivered.", lambda state: state.waiting),
    Row[OutputState]("waiting_bytes", "gauge", "Disk that they take.", lambda state: state.waiting_bytes, "bytes"),
)


def _readings(samples: Iterable[Sample]) -> Iterator[Family]:
    """The registers of fresh meters that are numbers, by quantity."""
    found: dict[tuple[Quantity, bool], list[Series]] = {}
    for sample in samples:
        for register in sample.reading.numbers():
            counts, unit = is_counter(register), (register.unit.symbol if register.unit is not None else None) or ""
            quantity = _QUANTITIES.get((unit, counts), _OTHER[counts])
            labels = _meter(sample) | {"obis": register.obis.short, "name": key_of(register.obis)}
            if not quantity.unit:
                labels["unit"] = unit
            series = Series(scaled(int(register.raw), register.scaler or 0), labels)
            found.setdefault((quantity, counts), []).append(series)
    for (quantity, counts), series_of in found.items():
        kind: Literal["counter", "gauge"] = "counter" if counts else "gauge"
        yield Family(f"iskra_{quantity.name}", kind, quantity.help, series_of, quantity.unit)


def _meter(sample: Sample) -> dict[str, str]:
    return {"meter": sample.reading.meter_id, "simulated": "true" if sample.simulated else ""}


def _about(shown: Shown) -> Series:
    reading = shown.sample.reading
    about = {
        "server_id": reading.server_id.hex(),
        "maker": identity.maker(reading) or "",
        "family": identity.family(reading) or "",
        "protocol": reading.protocol,
        "source": shown.sample.source,
    }
    return Series(1, _meter(shown.sample) | about)


def _faults(statuses: Sequence[Status]) -> Iterator[Family]:
    """Every kind from the start on, so that its rate is known when the first one comes."""
    series = [
        Series(status.facts.faults.get(kind, 0), {"source": status.source, "kind": kind})
        for status in statuses
        for kind in get_args(FaultKind)
    ]
    yield Family("iskra_source_faults", "counter", "Damage; after cut and noise the next start was found.", series)


def _checks(statuses: Sequence[Status]) -> Iterator[Family]:
    """The checks of the diagnosis; a check with an unknown result has no number."""
    series = [
        Series(int(check.state == "passed"), {"source": status.source, "check": check.name})
        for status in statuses
        for check in status.checks
        if check.state != "unknown"
    ]
    yield Family("iskra_source_check", "gauge", "1 while a check passes, 0 while it fails.", series)
