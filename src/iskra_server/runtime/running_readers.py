"""The readers that run: one for each meter of the configuration. Those that are read as before keep running."""

from collections.abc import Callable

from iskra_server.config import MeterConfig
from iskra_server.reading.decoding import Decoding
from iskra_server.reading.hub import Hub
from iskra_server.reading.reader import Reader
from iskra_server.runtime.plan import Plan
from iskra_server.runtime.supervision import Part, RunningPart, Supervision
from iskra_server.sources.source import Source

MakeReader = Callable[[MeterConfig, Source, Decoding], Reader]


class RunningReaders:
    """`by_meter` is changed in place: others look into it."""

    def __init__(self, supervision: Supervision, hub: Hub, make: MakeReader) -> None:
        self.by_meter: dict[MeterConfig, Reader] = {}
        self._supervision = supervision
        self._hub = hub
        self._make = make
        self._read_with: dict[MeterConfig, object] = {}
        self._parts: dict[MeterConfig, RunningPart] = {}

    def create(self, plan: Plan) -> None:
        """Readers that do not run yet; existing ones stay."""
        self._read_with = plan.read_with
        for meter, source, decoding in zip(plan.config.meters, plan.sources, plan.decodings, strict=True):
            if meter not in self.by_meter:
                self.by_meter[meter] = self._make(meter, source, decoding)

    async def change_to(self, plan: Plan) -> None:
        """End those that the plan has no longer or reads otherwise, then start what does not run."""
        removed = [meter for meter in self.by_meter if plan.read_with.get(meter) != self._read_with[meter]]
        await self._supervision.stop(*(self._parts.pop(meter) for meter in removed))
        for meter in removed:
            self._forget_unread(plan, meter, self.by_meter.pop(meter))
        self.create(plan)
        for meter in plan.config.meters:
            if meter not in self._parts:
                reader = self.by_meter[meter]
                self._parts[meter] = self._supervision.start(Part(reader.source.url, reader.run))

    def _forget_unread(self, plan: Plan, meter: MeterConfig, reader: Reader) -> None:
        """A meter that no source reads any more is not shown either."""
        if meter.url in {configured.url for configured in plan.config.meters}:
            return
        readers = self.by_meter.values()
        still_read = {meter_id for other in readers for meter_id in (other.meter_id, *other.sub_meters)}
        for meter_id in (reader.meter_id, *reader.sub_meters):
            if meter_id and meter_id not in still_read:
                self._hub.forget(meter_id)
