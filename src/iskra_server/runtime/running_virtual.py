"""The virtual meters that run: of the present configuration, with what its sources read.

A fault that lasts is logged once, and once that it is over; a part that is silent is logged by its own source.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence

from iskra_server.config import MeterConfig
from iskra_server.meter.virtual_meter import VirtualMeter, is_virtual
from iskra_server.reading.hub import Hub
from iskra_server.reading.reader import Reader
from iskra_server.reading.virtual_readings import VirtualReadings, VirtualState
from iskra_server.runtime.supervision import Part, Supervision
from iskra_server.runtime.virtual_setup import located, sources_by_name

# a fault that is there at two looks in a row lasts: a D0 meter is read once a minute
_LOOK_EVERY_S = 60.0
_LOGGED_BY_SOURCES = frozenset(("part_stale", "virtual_well"))

log = logging.getLogger(__name__)


class RunningVirtual:
    """`readers` changes with the configuration."""

    look_every_s = _LOOK_EVERY_S

    def __init__(self, supervision: Supervision, hub: Hub, readers: Mapping[MeterConfig, Reader]) -> None:
        self._supervision = supervision
        self._hub = hub
        self._readers = readers
        self._by_name: Mapping[str, MeterConfig] = {}
        self._virtual: Sequence[VirtualMeter] = ()
        self._readings = VirtualReadings(hub, self.meters)
        self._is_running = False

    def meters(self) -> Sequence[VirtualMeter]:
        """With the meters that their parts are known to be; any thread may call it."""
        return located(self._virtual, self._by_name, self._readers) if self._virtual else ()

    def states(self) -> list[VirtualState]:
        return self._readings.states()

    def change_to(self, virtual: Sequence[VirtualMeter], configured: Sequence[MeterConfig]) -> None:
        """A virtual meter that is gone, or has other parts, is not shown any more."""
        removed = [meter for meter in self._virtual if meter not in virtual]
        self._virtual, self._by_name = virtual, sources_by_name(configured)
        for meter in removed:
            sample = self._hub.newest.get(meter.id)
            if sample and is_virtual(sample.reading):
                self._hub.forget(meter.id)
        if virtual and not self._is_running:
            self._is_running = True
            self._supervision.start(Part("virtual meters", self._readings.run))
            self._supervision.start(Part("virtual log", self._log_faults))

    async def _log_faults(self) -> None:
        logged: dict[str, str] = {}
        before: dict[str, str] = {}
        while True:
            await asyncio.sleep(self.look_every_s)
            states = self.states()
            faults = {state.id: "" if state.ok else state.advice.fault for state in states}
            for state in states:
                fault = faults[state.id]
                if fault == logged.get(state.id, "") or fault != before.get(state.id) or fault in _LOGGED_BY_SOURCES:
                    continue
                logged[state.id] = fault
                # the log limits lines of the same message
                line = f"{state.id.replace('%', '%%')}: %s"
                if fault:
                    log.warning(line, state.sentence)
                else:
                    log.info(line, state.sentence)
            before = faults
