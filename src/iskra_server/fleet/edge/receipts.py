"""What becomes of the quarters of a receipt: their marks are removed, or stay with the reason."""

import logging
import time

from msgspec import Struct

from iskra_server.fleet.edge.pace import MeterPace
from iskra_server.fleet.edge.uplink_queue import MAX_RETRY_S, Parcel, UplinkQueue
from iskra_server.fleet.protocol import Receipt

log = logging.getLogger(__name__)


class _Answered(Struct, frozen=True):
    """`retry_s` of what waits, in Unix seconds; `resumes`: what has waited of this meter is due now."""

    parcel: Parcel
    receipt: Receipt
    retry_s: int
    resumes: bool


class Receipts:
    """`add` is called where they arrive, `settle` in a thread."""

    def __init__(self, first_retry_s: float) -> None:
        self._first_retry_s = first_retry_s
        # meters of which something waits or was refused
        self._paces: dict[str, MeterPace] = {}
        self._answered: list[_Answered] = []
        self._logged: set[str] = set()

    @property
    def at_most(self) -> dict[str, int]:
        """Quarters in one message, of meters with fewer than usual."""
        return {meter: pace.at_most for meter, pace in self._paces.items()}

    @property
    def unsettled(self) -> list[Parcel]:
        return [answered.parcel for answered in self._answered]

    def add(self, parcel: Parcel, receipt: Receipt) -> None:
        meter, quarters = parcel.meter.meter_id, len(parcel.marks)
        pace = self._paces.pop(meter, None) or MeterPace(self._first_retry_s, MAX_RETRY_S)
        has_waited = pace.is_waiting
        if receipt.state == "kept":
            pace.keep()
            self._logged.discard(meter)
        else:
            pace.split(quarters)
            if receipt.state == "waits":
                pace.wait(time.time())
        if not pace.is_usual:
            self._paces[meter] = pace
        if receipt.state == "refused" and quarters > 1:
            # most of them may be right: they are sent again in smaller parcels
            return
        self._answered.append(_Answered(parcel, receipt, pace.retry_s, has_waited))
        if receipt.state != "kept" and meter not in self._logged:
            self._logged.add(meter)
            log.warning("Quarter-hours of %s stay here: %s", meter, receipt.reason)

    def settle(self, queue: UplinkQueue) -> bool:
        """Write what has been answered; whether anything stays. Raises StoreError: then the next call writes it."""
        answered = self._answered.copy()
        if kept := [each for each in answered if each.receipt.state == "kept"]:
            queue.confirm([each.parcel for each in kept], {each.parcel.meter.meter_id for each in kept if each.resumes})
        for each in answered:
            if each.receipt.state == "waits":
                queue.postpone(each.parcel, each.receipt.reason, each.retry_s)
            elif each.receipt.state == "refused":
                queue.set_refused(each.parcel, each.receipt.reason)
        del self._answered[: len(answered)]
        return any(each.receipt.state != "kept" for each in answered)

    def forget(self) -> None:
        """What has been answered, but belongs to another history."""
        self._answered = []
