"""Which server ids of one source are meters: the first at once, and a known one; another after some telegrams.

A source hears one meter, or a few. Where the id changes with every telegram (a hostile device, a gateway that makes ids
up), each id would cost memory everywhere: so an id is published only once it has come CONFIRM_TELEGRAMS times.
"""

from collections import OrderedDict

CONFIRM_TELEGRAMS = 3
# a head hears one meter or two; an installer's head a few in an hour
MAX_METERS = 32
MAX_UNCONFIRMED = 32
# a meter that was silent for so long makes room for another one
SILENT_S = 3600.0


class ConfirmedMeters:
    """`ignored` counts the telegrams of ids that came too seldom and were forgotten, or for which there is no room."""

    def __init__(self) -> None:
        self.ignored = 0
        self._heard_s: OrderedDict[str, float] = OrderedDict()
        self._unconfirmed: OrderedDict[str, int] = OrderedDict()

    def confirm(self, meter_id: str, now_s: float, *, is_known: bool = False) -> bool:
        """Whether a telegram of this id, heard now, is a reading of a meter; one known from elsewhere is."""
        if meter_id in self._heard_s or not self._heard_s or (is_known and self._has_room(now_s)):
            self._hear(meter_id, now_s)
            return True
        telegrams = self._unconfirmed.pop(meter_id, 0) + 1
        if telegrams >= CONFIRM_TELEGRAMS and self._has_room(now_s):
            self._hear(meter_id, now_s)
            return True
        self._unconfirmed[meter_id] = telegrams
        if telegrams > CONFIRM_TELEGRAMS:
            self.ignored += 1
        if len(self._unconfirmed) > MAX_UNCONFIRMED:
            _, forgotten = self._unconfirmed.popitem(last=False)
            self.ignored += min(forgotten, CONFIRM_TELEGRAMS)
        return False

    def _hear(self, meter_id: str, now_s: float) -> None:
        self._heard_s[meter_id] = now_s
        self._heard_s.move_to_end(meter_id)

    def _has_room(self, now_s: float) -> bool:
        """Room for another meter; the one that was silent longest goes where it was silent long enough."""
        if len(self._heard_s) < MAX_METERS:
            return True
        oldest, heard_s = next(iter(self._heard_s.items()))
        if now_s - heard_s < SILENT_S:
            return False
        del self._heard_s[oldest]
        return True
