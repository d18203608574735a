"""GET /metrics: the state of everything for Prometheus, computed at each scrape.

A meter without a current reading has no readings here, only its age and `iskra_meter_up 0`. Simulated meters have a
label that says so.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, get_args

from starlette.requests import Request
from starlette.responses import Response

from iskra_server.base.clock import boottime_s
from iskra_server.diagnosis.facts import Facts
from iskra_server.diagnosis.status import Status
from iskra_server.meter import identity
from iskra_server.meter.counter_rules import is_counter
from iskra_server.meter.lists import current_reading
from iskra_server.meter.lock import sends_locked
from iskra_server.meter.medium import is_electricity, medium
from iskra_server.meter.reading import FaultKind, Sample, scaled
from iskra_server.meter.registers import key_of
from iskra_server.outputs.state import UPLINK, OutputState
from iskra_server.web.http.endpoint import Context, Endpoint, Result
from iskra_server.web.http.responses import NO_STORE
from iskra_server.web.metrics.central import central_families
from iskra_server.web.metrics.exposition import (
    OPEN_METRICS,
    TEXT,
    Family,
    Kind,
    Metric,
    Series,
    families,
    media_type,
    write,
)
from iskra_server.web.metrics.process import process_families
from iskra_server.web.server_view import ServerView

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.history.recording.writer_state import WriterState


class Quantity(NamedTuple):
    name: str
    unit: str
    help: str


# by the unit of a register and whether it is a counter; _OTHER for other units
_QUANTITIES = {
    ("Wh", True): Quantity("energy_watthours", "watthours", "Active energy counter."),
    ("Wh", False): Quantity("energy_balance_watthours", "watthours", "Active energy that may rise and fall."),
    ("varh", True): Quantity("reactive_energy_varhours", "varhours", "Reactive energy counter."),
    ("VAh", True): Quantity("apparent_energy_voltamperehours", "voltamperehours", "Apparent energy counter."),
    ("W", False): Quantity("power_watts", "watts", "Active power; if signed, positive from the grid."),
    ("var", False): Quantity("reactive_power_vars", "vars", "Reactive power."),
    ("VA", False): Quantity("apparent_power_voltamperes", "voltamperes", "Apparent power."),
    ("A", False): Quantity("current_amperes", "amperes", "Current."),
    ("V", False): Quantity("voltage_volts", "volts", "Voltage."),
    ("Hz", False): Quantity("frequency_hertz", "hertz", "Frequency of the grid."),
    ("°", False): Quantity("phase_angle_degrees", "degrees", "Angle between two phases."),
}
# of gas, water and heat meters
_QUANTITIES_OF_OTHERS = {
    ("m³", True): Quantity(
        "volume_cubic_meters", "cubic_meters", "Volume counter of gas and water, see iskra_meter_info."
    ),
    ("Wh", True): Quantity("heat_watthours", "watthours", "Heat counter."),
    ("J", True): Quantity("heat_joules", "joules", "Heat counter."),
}
_OTHER = {
    True: Quantity("register_events", "", "Counter with another unit, see label."),
    False: Quantity("register_value", "", "Register with another unit, see label."),
}


class MeterSample(NamedTuple):
    """The newest sample of a meter."""

    sample: Sample
    fresh: bool
    age_s: float


METERS: tuple[Metric[MeterSample], ...] = (
    Metric("up", "gauge", "1 if the meter has a current reading.", lambda meter: meter.fresh),
    Metric("age_seconds", "gauge", "Age of the last telegram.", lambda meter: meter.age_s, "seconds"),
    Metric("locked", "gauge", "1 if the meter sends whole kWh and no power.", lambda meter: sends_locked(meter.sample)),
    Metric("epoch", "gauge", "Grows when a counter restarts or a meter is replaced.", lambda meter: meter.sample.epoch),
)
SOURCES: tuple[Metric[Facts], ...] = (
    Metric("open", "gauge", "1 if the port is open.", lambda facts: facts.is_open),
    Metric("bytes", "counter", "Bytes received.", lambda facts: facts.byte_count, "bytes"),
    Metric("data_age_seconds", "gauge", "Age of the last byte.", lambda facts: _rounded(facts.data_age_s), "seconds"),
    Metric("telegrams", "counter", "Valid telegrams.", lambda facts: facts.telegrams),
    Metric("quarantined_readings", "counter", "Readings held back as implausible.", lambda facts: facts.quarantined),
    Metric("rejected_registers", "counter", "Registers without a clear value.", lambda facts: facts.rejected_registers),
    Metric("ignored_telegrams", "counter", "Telegrams whose id is too rare.", lambda facts: facts.ignored_telegrams),
)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _pending_telegrams(state: "WriterState") -> int:
    return state.pending_points + state.pending_samples


HISTORY: tuple[Metric["WriterState"], ...] = (
    Metric("up", "gauge", "1 if history is being written.", lambda state: state.ok),
    Metric("pending_records", "gauge", "Counter values not written yet.", lambda state: state.pending_ledger),
    Metric("pending_telegrams", "gauge", "Telegrams not written yet.", _pending_telegrams),
    Metric("dropped_records", "counter", "Counter values lost.", lambda state: state.dropped_ledger),
    Metric("dropped_telegrams", "counter", "Telegrams lost.", lambda state: state.dropped_points),
    Metric("rejected_records", "counter", "Values that no column can hold.", lambda state: state.refused),
    Metric(
        "last_write_timestamp_seconds",
        "gauge",
        "Time of the last write, in Unix time.",
        lambda state: _rounded(state.last_flush.timestamp()) if state.last_flush else None,
        "seconds",
    ),
)


def _clients(state: OutputState) -> int | None:
    return None if state.requests is None else len(state.clients)


def _rejected(state: OutputState) -> int | None:
    return None if state.name == UPLINK else state.refused


def _refused_quarters(state: OutputState) -> int | None:
    """They are fewer after they were sent again: no counter."""
    return state.refused if state.name == UPLINK else None


def _max_age_s(state: OutputState) -> float | None:
    ages_s = [client.max_age_s for client in state.clients if client.max_age_s is not None]
    return _rounded(max(ages_s, default=None))


OUTPUTS: tuple[Metric[OutputState], ...] = (
    Metric("up", "gauge", "1 if the output delivers.", lambda state: state.ok),
    Metric("delivered_points", "counter", "Points delivered.", lambda state: state.delivered),
    Metric("rejected_points", "counter", "Points rejected by the receiver and set aside.", _rejected),
    Metric("refused_quarters", "gauge", "Quarter-hours that the central server refuses, kept here.", _refused_quarters),
    Metric("dropped_points", "counter", "Points lost for lack of space.", lambda state: state.dropped),
    Metric("pending_points", "gauge", "Points not delivered yet.", lambda state: state.waiting),
    Metric(
        "pending_bytes", "gauge", "Disk space of points not delivered yet.", lambda state: state.waiting_bytes, "bytes"
    ),
    Metric(
        "last_confirmed_timestamp_seconds",
        "gauge",
        "When the central server last confirmed anything, in Unix time.",
        lambda state: _rounded(state.confirmed_at.timestamp()) if state.confirmed_at else None,
        "seconds",
    ),
    # of emulated devices alone; no label names a client, because anybody in the network may become one
    Metric("requests", "counter", "Requests to an emulated device.", lambda state: state.requests),
    Metric(
        "answer_age_seconds",
        "counter",
        "Sum of the ages of the readings at its answers; divided by delivered points it is their mean age.",
        lambda state: state.answer_ages_s,
        "seconds",
    ),
    Metric("clients", "gauge", "Clients that asked it within the last hour.", _clients),
    Metric(
        "max_answer_age_seconds", "gauge", "Highest age of a reading that one of them was told.", _max_age_s, "seconds"
    ),
)


async def _metrics(context: Context, request: Request) -> Response:
    form = media_type(request.headers.get("accept", ""))
    body = write(all_families(context.server, context.settings.version), form)
    return Response(body, headers={**NO_STORE, "vary": "accept", "content-type": form})


def all_families(server: ServerView, version: str) -> Iterator[Family]:
    hub, statuses, history, now_s = server.hub, server.statuses(), server.history_state(), boottime_s()
    meters = [
        MeterSample(sample, hub.is_fresh(meter_id, now_s), round(hub.age_s(meter_id, now_s) or 0.0, 3))
        for meter_id, sample in hub.newest.items()
    ]
    yield Family("iskra_server_info", "gauge", "Version of this server.", [Series(1, {"version": version})])
    yield from _readings(meter for meter in meters if meter.fresh)
    yield Family("iskra_meter_info", "gauge", "Identity and source of a meter.", list(map(_meter_info, meters)))
    yield from families("iskra_meter", METERS, meters, lambda meter: _meter_labels(meter.sample))
    up = [Series(status.ok, {"source": status.source}) for status in statuses]
    yield Family("iskra_source_up", "gauge", "1 if the source delivers current readings.", up)
    yield from families(
        "iskra_source", SOURCES, [status.facts for status in statuses], lambda facts: {"source": facts.source}
    )
    yield _faults(statuses)
    yield _checks(statuses)
    yield Family("iskra_hub_published_readings", "counter", "Readings published.", [Series(hub.published)])
    dropped = [Series(count, {"subscriber": name}) for name, count in hub.dropped().items()]
    yield Family("iskra_hub_dropped_readings", "counter", "Readings that a subscriber was too slow for.", dropped)
    yield from families("iskra_history", HISTORY, [history] if history else [], lambda _: {})
    yield from families("iskra_output", OUTPUTS, server.output_states(), lambda state: {"output": state.name})
    if central := server.central_state():
        yield from central_families(central)
    lines = [Series(server.dropped_log_lines())]
    yield Family("iskra_log_dropped_lines", "counter", "Log lines that nobody read in time.", lines)
    tasks = [Series(len(asyncio.all_tasks()))]
    yield Family("iskra_server_tasks", "gauge", "Running asyncio tasks; a number that only grows is a leak.", tasks)
    yield from process_families()


def _readings(meters: Iterable[MeterSample]) -> Iterator[Family]:
    """The numeric registers of fresh meters, by quantity."""
    by_quantity: dict[tuple[Quantity, bool], list[Series]] = {}
    for sample, _, age_s in meters:
        for register in current_reading(sample, age_s).numbers():
            counts, unit = is_counter(register), register.unit.symbol or "" if register.unit is not None else ""
            quantity = _quantity(sample, unit, counts=counts)
            labels = _meter_labels(sample) | {"obis": register.obis.short, "name": key_of(register.obis)}
            if not quantity.unit:
                labels["unit"] = unit
            series = Series(scaled(int(register.raw), register.scaler or 0), labels)
            by_quantity.setdefault((quantity, counts), []).append(series)
    for (quantity, counts), quantity_series in by_quantity.items():
        kind: Kind = "counter" if counts else "gauge"
        yield Family(f"iskra_{quantity.name}", kind, quantity.help, quantity_series, quantity.unit)


def _quantity(sample: Sample, unit: str, *, counts: bool) -> Quantity:
    """Heat in Wh is no electricity: it must not be part of a sum over energy counters."""
    kinds = _QUANTITIES if is_electricity(sample.reading) else _QUANTITIES_OF_OTHERS
    return kinds.get((unit, counts), _OTHER[counts])


def _meter_labels(sample: Sample) -> dict[str, str]:
    return {"meter": sample.reading.meter_id, "simulated": "true" if sample.simulated else ""}


def _meter_info(meter: MeterSample) -> Series:
    reading = meter.sample.reading
    labels = {
        "server_id": reading.server_id.hex(),
        "maker": identity.maker(reading) or "",
        "family": identity.family(reading) or "",
        "medium": medium(reading),
        "protocol": reading.protocol,
        "source": meter.sample.source,
    }
    return Series(1, _meter_labels(meter.sample) | labels)


def _faults(statuses: Sequence[Status]) -> Family:
    """All kinds from the start, so that Prometheus can compute a rate when the first fault occurs."""
    series = [
        Series((status.facts.faults | status.facts.unreadable).get(kind, 0), {"source": status.source, "kind": kind})
        for status in statuses
        for kind in get_args(FaultKind)
    ]
    return Family("iskra_source_faults", "counter", "Damaged and unreadable telegrams and noise, by kind.", series)


def _checks(statuses: Sequence[Status]) -> Family:
    """The checks of the diagnosis, without those whose result is unknown."""
    series = [
        Series(check.state == "passed", {"source": status.source, "check": check.name})
        for status in statuses
        for check in status.checks
        if check.state != "unknown"
    ]
    return Family("iskra_source_check", "gauge", "1 if a check of the diagnosis passes, 0 if it fails.", series)


ENDPOINT = Endpoint(
    "/metrics",
    "metrics",
    "Metrics for Prometheus: exact current readings, their age, reception, history, outputs and the process.",
    {200: Result("text format, or OpenMetrics if `Accept` asks for it", str, TEXT, OPEN_METRICS)},
    _metrics,
)
