"""Records what arrives: samples to the ledger and into blocks of points, and both to the writer.

History goes on where it stopped, so the ledger begins when the database has been opened once. Until then the samples
around each boundary wait, which is all that the ledger needs of them.
"""

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain, groupby

from iskra_server.history.blocks import block_of
from iskra_server.history.ledger import Ledger
from iskra_server.history.moment import moment_of
from iskra_server.history.points import MAX_POINTS, Point, point_of, unpack
from iskra_server.history.power import HOLDS_US
from iskra_server.history.reads import Reads
from iskra_server.history.records import Exact, LastCounter, MeterInfo, PointBlock, Record
from iskra_server.history.writer import Resumed, Writer
from iskra_server.meter.guard import is_counter
from iskra_server.meter.reading import Reading, Register, Sample
from iskra_server.meter.units import WATT_HOUR

log = logging.getLogger(__name__)

# ten weeks of the two samples around each boundary
MAX_WAITING = 13_440
_TURNS = 64
_MS = 1000
_HOLDS_MS = HOLDS_US // 1000


class Recorder:
    """One for all meters. `keep_points` says whether every telegram's numbers are kept, or the ledger alone.

    `learn` is told where history stopped, as soon as that is known.
    """

    def __init__(
        self,
        *,
        writer: Writer,
        flush_s: float,
        keep_points: bool,
        simulated: bool,
        learn: Callable[[list[LastCounter]], None] = lambda _: None,
    ) -> None:
        self._learn = learn
        self._writer = writer
        self._flush_ms = flush_s * _MS
        self._keep_points = keep_points
        self._simulated = simulated
        self._ledger: Ledger | None = None
        self._waiting: dict[str, list[Sample]] = {}
        self._points: dict[str, list[Point]] = {}
        self._spans_ms: dict[str, float] = {}
        self._seen: dict[str, MeterInfo] = {}

    async def run(self, samples: AsyncIterator[Sample]) -> None:
        """Endless; simulated samples and real ones are never recorded together."""
        async for sample in samples:
            if sample.simulated is self._simulated:
                self._take(sample)

    @property
    def waiting(self) -> int:
        """Samples that wait here for history to be opened once."""
        return sum(map(len, self._waiting.values()))

    def hand_over_waiting(self) -> None:
        """Let the writer keep what waits here: it can put it on the disk."""
        self._writer.put_samples(self._in_order(self._waiting))
        self._waiting.clear()

    def close(self) -> None:
        """Hand over what is still open; the writer is closed after this."""
        if self.resume():
            assert self._ledger is not None
            for quarter in self._ledger.rest():
                self._writer.put([quarter], self._seen[quarter.meter_id])
        else:
            self.hand_over_waiting()
        for meter_id, points in self._points.items():
            self._writer.put([block_of(meter_id, points)], self._seen[meter_id])

    def resume(self) -> bool:
        """Go on where history stopped, with what has waited; whether that is known."""
        resumed = self._writer.resumed
        if self._ledger is None and resumed is not None:
            self._learn(resumed.counters)
            self._ledger = Ledger.resume(resumed.counters)
            waiting = self._in_order(self._waiting)
            self._waiting.clear()
            for waited in chain(_newer(resumed), waiting):
                self._record_one_of_many(waited)
            self._writer.samples_recorded()
        return self._ledger is not None

    def _record_one_of_many(self, sample: Sample) -> None:
        try:
            self._record(sample)
        except Exception:
            log.exception("a sample that has waited was not recorded")

    def _take(self, sample: Sample) -> None:
        if self.resume():
            self._record(sample)
        else:
            self._wait(sample)

    @staticmethod
    def _in_order(waiting: dict[str, list[Sample]]) -> list[Sample]:
        return sorted(chain.from_iterable(waiting.values()), key=lambda each: each.monotonic_s)

    def _wait(self, sample: Sample) -> None:
        """Keep the first and the last sample of each quarter."""
        waiting = self._waiting.setdefault(sample.reading.meter_id, [])
        if [moment_of(each).quarter for each in waiting[-2:]] == [moment_of(sample).quarter] * 2:
            waiting.pop()
        if len(waiting) < MAX_WAITING:
            waiting.append(sample)

    def _record(self, sample: Sample) -> None:
        assert self._ledger is not None
        reading, at_s = sample.reading, int(sample.received_at.timestamp())
        meter_id = reading.meter_id
        seen = MeterInfo(meter_id, reading.server_id.hex(), sample.simulated, at_s, at_s, port=sample.source)
        self._seen[meter_id] = seen
        records: list[Record] = [*self._ledger.take(sample)]
        if self._keep_points:
            records += self._add(meter_id, point_of(sample))
        else:
            # the last one alone, for a restart to go on from
            self._points[meter_id] = [point_of(sample)]
        if records:
            self._writer.put(records, seen)

    def _add(self, meter_id: str, point: Point) -> list[PointBlock]:
        """The block that is complete before this point."""
        points = self._points.setdefault(meter_id, [])
        # those of many meters are not all packed in the same second: the first one of each is shorter by its turn
        spans_ms = self._spans_ms.setdefault(meter_id, self._flush_ms * (1 - len(self._spans_ms) % _TURNS / _TURNS))
        is_complete = points and self._is_complete(points, point, spans_ms)
        blocks = [block_of(meter_id, points)] if is_complete else []
        if is_complete:
            points = self._points[meter_id] = []
            self._spans_ms[meter_id] = self._flush_ms
        points.append(point)
        return blocks

    def _is_complete(self, points: list[Point], point: Point, spans_ms: float) -> bool:
        """It spans a flush interval, holds all that it can, or ends in a silence: so none is hidden in a block."""
        return (
            abs(point.at_ms - points[0].at_ms) >= spans_ms
            or abs(point.at_ms - points[-1].at_ms) > _HOLDS_MS
            or len(points) == MAX_POINTS
        )


def _newer(resumed: Resumed) -> Iterator[Sample]:
    """The samples that history does not hold yet: a kill may have come between writing and forgetting them."""
    newest: dict[str, int] = {}
    for last in resumed.counters:
        newest[last.meter_id] = max(last.at_s, newest.get(last.meter_id, last.at_s))
    for sample in resumed.samples:
        if sample.received_at.timestamp() > newest.get(sample.reading.meter_id, float("-inf")):
            yield sample


def last_values(store: Reads) -> list[LastCounter]:
    """What history holds last of every counter: at a boundary, and where it is newer in the last telegram."""
    counters = store.last_counters()
    epochs = {(last.meter_id, last.obis): last.epoch for last in counters}
    for block in store.last_points():
        point = unpack(block.octets)[-1]
        counters += (
            LastCounter(
                block.meter_id,
                register.obis,
                Exact(int(register.raw), register.scaler or 0),
                point.at_ms // _MS,
                epochs.get((block.meter_id, register.obis), 0),
            )
            for register in point.registers
            if register.unit == WATT_HOUR and is_counter(register)
        )
    return counters


def remembered(counters: Iterable[LastCounter]) -> Iterator[Sample]:
    """A sample for each meter with the counters that history holds last, for the guard to go on from."""
    by_meter = sorted(counters, key=lambda last: last.meter_id)
    for meter_id, group in groupby(by_meter, key=lambda last: last.meter_id):
        known = list({last.obis: last for last in sorted(group, key=lambda last: last.at_s)}.values())
        registers = tuple(Register(last.obis, last.value.raw, last.value.scaler, WATT_HOUR) for last in known)
        at = datetime.fromtimestamp(max(last.at_s for last in known), UTC)
        epoch = max(last.epoch for last in known)
        reading = Reading(meter_id, b"", registers, None, "history", 0)
        yield Sample(reading, at, 0.0, simulated=False, source="history", epoch=epoch)
