"""A reader without heads: its ledger is written by the test, its uplink is the real one. And a collector's process."""

import asyncio
import os
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

from sqlalchemy import select, text

from iskra_server.base.address import Address
from iskra_server.config import UplinkConfig
from iskra_server.fleet.central.tables import Refusal
from iskra_server.fleet.edge.uplink import Uplink
from iskra_server.fleet.edge.uplink_health import SILENT_S
from iskra_server.fleet.edge.uplink_queue import UplinkQueue
from iskra_server.fleet.edge.uplink_summary import UplinkSummary, uplink_summary
from iskra_server.history.model.records import (
    QUARTER_S,
    EpochStart,
    Exact,
    MeterInfo,
    PowerQuarter,
    QuarterReading,
    Record,
)
from iskra_server.history.store.schema import refused
from iskra_server.history.store.store import Store
from iskra_server.outputs.mqtt.broker_settings import BrokerSettings, broker_settings
from iskra_server.outputs.state import OutputState
from iskra_server.reading.hub import Hub
from running import COMMAND, DEADLINE_S, until
from samples import EXPORT, IMPORT

RESEND_S = 1.0
# what came before the collector listened is sent again after pauses that double
PATIENCE_S = 2 * DEADLINE_S
FIRST = 1_990_000
Row = tuple[object, ...]


def settings_for(url: str, ca_file: str = "") -> BrokerSettings:
    return broker_settings("uplink", UplinkConfig(url=Address(url), ca_file=ca_file))


class FieldReader:
    """`meters` meters with two registers and power; `clock_s` is how far its clock is wrong."""

    def __init__(
        self,
        folder: Path,
        name: str,
        url: str,
        *,
        meters: int = 1,
        clock_s: float = 0,
        live_every_s: float = 0,
        ca_file: str = "",
        silent_s: float = SILENT_S,
        spread_s: float = 0.0,
        resend_s: float = RESEND_S,
        first_meter: int | None = None,
    ) -> None:
        self.name = name
        self.store_file = folder / f"{name}.sqlite"
        self.store = Store(f"sqlite:///{self.store_file}")
        # as the uplink does once it is connected: what waits is known from here on
        UplinkQueue(self.store).enable(name)
        # whether the uplink is given the history
        self.is_open = True
        self.hub = Hub()
        self.quarter = FIRST + int(clock_s // QUARTER_S)
        number = sum(name.encode()) * 1000 if first_meter is None else first_meter
        self.meters = [f"1 ISK 00 {number + place:08}" for place in range(meters)]
        self.uplink: Uplink | None = None
        self._url, self._live_every_s, self._ca_file = url, live_every_s, ca_file
        self._silent_s, self._spread_s, self._resend_s = silent_s, spread_s, resend_s
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Task[None]] | None = None
        self._thread.start()

    def stop(self) -> None:
        """As a computer that is switched off: nobody is told."""
        while self._thread and self._thread.is_alive():
            if self._running:
                loop, task = self._running
                # it may have ended meanwhile
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(task.cancel)
            self._thread.join(0.2)
        self._thread = None

    def close(self) -> None:
        self.stop()
        self.store.close()

    def live_through(self, quarters: int) -> None:
        """So many quarters close, one after the other, each in a transaction of its own."""
        for _ in range(quarters):
            self.quarter += 1
            self.store.write(
                [record for meter in self.meters for record in _closed(meter, self.quarter)],
                [MeterInfo(meter, "0901", False, FIRST * 900, self.quarter * 900) for meter in self.meters],
            )

    @property
    def waiting(self) -> int:
        return UplinkQueue(self.store).count()

    @property
    def state(self) -> OutputState:
        return self.uplink.health.state() if self.uplink else OutputState("uplink", ok=True)

    @property
    def summary(self) -> UplinkSummary:
        return uplink_summary(self.store)

    @property
    def rows(self) -> set[Row]:
        return rows(self.store, self.meters)

    async def _run(self) -> None:
        task = asyncio.current_task()
        assert task
        self._running = asyncio.get_running_loop(), task
        self.uplink = Uplink(
            settings=settings_for(self._url, self._ca_file),
            reader=self.name,
            store=lambda: self.store if self.is_open else None,
            hub=self.hub,
            statuses=list,
            version="1",
            live_every_s=self._live_every_s,
            silent_s=self._silent_s,
            resend_s=self._resend_s,
            spread_s=self._spread_s,
        )
        with suppress(asyncio.CancelledError):
            await self.uplink.run()


def _closed(meter: str, quarter: int) -> list[Record]:
    records: list[Record] = [
        QuarterReading(meter, IMPORT, quarter, Exact(quarter * 37, -1), "measured", quarter // 500),
        QuarterReading(meter, EXPORT, quarter, Exact(quarter, 0), "interpolated"),
        PowerQuarter(meter, quarter, -5, quarter % 1000, 10_000, 900),
    ]
    if quarter % 500 == 0:
        before = Exact(quarter * 37 - 37, -1)
        records.append(EpochStart(meter, IMPORT, quarter // 500, quarter * 900, before, Exact(5, 3)))
    return records


def rows(store: Store, meters: list[str]) -> set[Row]:
    """Every row of the ledger of some meters."""
    found: set[Row] = set()
    for meter in meters:
        for obis in store.series(meter):
            for each in store.quarter_readings_between(meter, obis, 0, 2**31 - 1):
                found.add((meter, str(obis), each.quarter, each.value.raw, each.value.scaler, each.quality, each.epoch))
            found |= {("epoch", repr(each)) for each in store.epochs(meter, obis)}
        found |= {("power", repr(each)) for each in store.power_between(meter, 0, 2**31 - 1)}
    return found


def refusals(store: Store) -> list[Refusal]:
    """What the central server could not store, the oldest first."""
    with store.transaction(write=False) as connection:
        rows = connection.execute(select(refused).order_by(refused.c.id)).all()
    return [Refusal(row.at_s, row.topic, row.reason, bytes(row.octets)) for row in rows]


def counted(store: Store, table: str) -> int:
    with store.transaction(write=False) as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def arrive(central: Store, *readers: FieldReader) -> None:
    """Wait until nothing waits, and compare row by row."""
    until(lambda: sum(reader.waiting for reader in readers) == 0, PATIENCE_S)
    for reader in readers:
        assert rows(central, reader.meters) == reader.rows
    meters = sum(len(reader.meters) for reader in readers)
    assert counted(central, "meter") == meters
    assert counted(central, "boundary") == sum(row[0] not in ("epoch", "power") for r in readers for row in r.rows)


class Collecting:
    """`iskra-server collect` in a process of its own."""

    def __init__(self, broker: str, database: str, **more: str) -> None:
        environ = os.environ | {"IES_COLLECT_URL": broker, "IES_DATABASE_URL": database} | more
        self.process = subprocess.Popen(
            [COMMAND, "collect"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=environ,
        )
        self._lines: list[str] = []
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    @property
    def log(self) -> str:
        return "".join(self._lines)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.process.kill()
        self.process.wait()
        self._reading.join()

    def _read(self) -> None:
        assert self.process.stderr
        with self.process.stderr as lines:
            self._lines.extend(lines)
