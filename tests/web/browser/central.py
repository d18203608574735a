"""The database of a central server: 120 meters, six tenants, three buildings, one silent meter, two readers."""

import time
from datetime import UTC, datetime
from pathlib import Path

from fleet.batches import batch_of
from iskra_server.diagnosis.advice import advise
from iskra_server.fleet.central import queries as fleet
from iskra_server.fleet.central.label_periods import LabelPeriod
from iskra_server.fleet.central.reader_state import ReaderState
from iskra_server.fleet.central.tables import LastContact, write_batch
from iskra_server.fleet.protocol import ReaderSource, encode
from iskra_server.history.model.records import QUARTER_S, Exact, MeterInfo, QuarterReading
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import Obis
from samples import EXPORT, IMPORT

METERS = 120
# their quarter readings
BEGIN, DAYS, MONTH = datetime(2026, 2, 10, tzinfo=UTC), 12, "2026-02"
SILENT = 77
# in no group that has a page
ALONE = 118
# what the reader cellar-1 reports
NOTHING = advise("unplugged", {"port": "/dev/ttyUSB0"})
# a head that was off from ten in the evening of the fifth day until two in the morning
OFF, OFF_QUARTERS = 30, (96 * 5 - 8, 96 * 5 + 8)


def name(number: int) -> str:
    return f"1 ISK 00 {70_000_000 + number}"


def write(folder: Path) -> None:
    store = Store(f"sqlite:///{folder}/iskra.sqlite")
    now_s = int(time.time())
    first = int(BEGIN.timestamp()) // QUARTER_S
    last = first + 96 * DAYS
    infos = [MeterInfo(name(number), f"0901{number:016x}", False, first * QUARTER_S, now_s) for number in range(METERS)]
    rows = [
        QuarterReading(name(number), obis, quarter, Exact(10 * (quarter - first) * step, -1), "measured")
        for number in range(METERS)
        # meter 5 has no head on the last day, and only every tenth meter has an export counter
        for obis, step in _counters(number)
        for quarter in range(first, last - 96 if number == 5 else last + 1)
        if number != OFF or not OFF_QUARTERS[0] < quarter - first < OFF_QUARTERS[1]
    ]
    contacts = [
        LastContact(
            name(number), f"cellar-{number % 2}", now_s - (86_400 if number == SILENT else number), 1000 * number
        )
        for number in range(METERS)
    ]
    source = ReaderSource("/dev/ttyUSB0", None, False, "data", str(NOTHING.en), str(NOTHING.de))
    states = [
        ReaderState("cellar-0", now_s, True, str(advise("reader_well").en), "[]"),
        ReaderState("cellar-1", now_s, False, str(NOTHING.en), encode([source]).decode()),
    ]
    write_batch(store, batch_of([*rows], infos, contacts, states))
    labels: dict[str, dict[str, str | list[LabelPeriod]]] = {
        name(number): {"building": str(number % 3 + 7), "tenant": f"Tenant {number % 6}"} for number in range(METERS)
    }
    # of meter 8: another tenant until three days after the beginning
    move = first + 96 * 3
    labels[name(8)] |= {"tenant": [LabelPeriod("Moved out", 0, move), LabelPeriod("Tenant 2", move)]}
    labels[name(ALONE)] = {"owner": "Lang"}
    fleet.set_labels(store, labels)
    store.close()


def _counters(number: int) -> list[tuple[Obis, int]]:
    return [(IMPORT, 5 + number), *([(EXPORT, 3)] if number % 10 == 0 else [])]
