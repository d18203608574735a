"""What a reader says beside its quarters: live values, and the state of its sources."""

import time
from collections.abc import Iterable

from iskra_server.diagnosis.status import Status
from iskra_server.fleet import protocol
from iskra_server.fleet.edge.uplink_summary import UplinkSummary
from iskra_server.history.model.power_ledger import power_mw
from iskra_server.meter.counter_rules import is_energy_counter
from iskra_server.meter.lists import current_reading
from iskra_server.meter.reading import Sample


def live(sample: Sample) -> protocol.LiveValues:
    """The power and counters of a sample, exact."""
    reading = sample.reading
    counters = {
        str(register.obis): (int(register.raw), register.scaler or 0)
        for register in reading.registers
        if is_energy_counter(register)
    }
    power = power_mw(current_reading(sample).registers)
    return protocol.LiveValues(protocol.VERSION, reading.meter_id, int(sample.received_at.timestamp()), power, counters)


def sources(statuses: Iterable[Status]) -> list[protocol.ReaderSource]:
    return [
        protocol.ReaderSource(
            status.source,
            status.meter_id,
            status.ok,
            status.failed_check,
            status.sentence,
            "" if status.ok else str(status.advice.de),
        )
        for status in statuses
    ]


def reader_status(version: str, sources: list[protocol.ReaderSource], summary: UplinkSummary) -> protocol.ReaderStatus:
    return protocol.ReaderStatus(
        protocol.VERSION,
        int(time.time()),
        version,
        sources,
        summary.waiting,
        summary.refused,
        summary.oldest_s,
    )
