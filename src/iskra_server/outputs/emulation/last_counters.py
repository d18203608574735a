"""Counters for formats that cannot say "not there": what a telegram lacks must not go back to 0."""

import logging
from decimal import Decimal

from iskra_server.outputs.emulation.grid import GridReading

log = logging.getLogger(__name__)


class LastCounters:
    """The counters of the meter that is shown, as they were read last. `device` is the name of what shows them."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._meter_id = ""
        self._import_wh = self._export_wh = Decimal(0)
        self._is_known = self._has_logged = False

    def of(self, reading: GridReading) -> tuple[Decimal, Decimal] | None:
        """Import and export in Wh; 0 where this meter sends none.

        None where they come later, and none came since the start: 0 would be a step back for all that know them.
        """
        if reading.meter_id != self._meter_id:
            self._meter_id, self._import_wh, self._export_wh = reading.meter_id, Decimal(0), Decimal(0)
            self._is_known = self._has_logged = False
        if reading.import_wh is not None:
            self._import_wh, self._is_known = reading.import_wh, True
        if reading.export_wh is not None:
            self._export_wh = reading.export_wh
        if self._is_known or not reading.may_lack_counters:
            return self._import_wh, self._export_wh
        if not self._has_logged:
            log.warning("%s: nothing is shown until meter %s sends its counters.", self._device, reading.meter_id)
            self._has_logged = True
        return None
