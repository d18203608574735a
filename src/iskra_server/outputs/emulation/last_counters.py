"""Counters for formats that cannot say "not there": what a telegram lacks must not go back to 0."""

from decimal import Decimal

from iskra_server.outputs.emulation.grid import GridReading


class LastCounters:
    """The counters of the meter that is shown, as they were read last."""

    def __init__(self) -> None:
        self._meter_id = ""
        self._import_wh = self._export_wh = Decimal(0)

    def of(self, reading: GridReading) -> tuple[Decimal, Decimal]:
        """Import and export in Wh; 0 while this meter has not sent one."""
        if reading.meter_id != self._meter_id:
            self._meter_id, self._import_wh, self._export_wh = reading.meter_id, Decimal(0), Decimal(0)
        if reading.import_wh is not None:
            self._import_wh = reading.import_wh
        if reading.export_wh is not None:
            self._export_wh = reading.export_wh
        return self._import_wh, self._export_wh
