"""Which server ids of a source are meters: the first one and known ones at once, others after some telegrams.

A source reads one meter, or a few. If the id changes with every telegram (a hostile device, a bad gateway), each id
would cost memory in every part; so an id counts as a meter only after CONFIRM_TELEGRAMS telegrams. They must come soon
after each other: the same damage to an id without a checksum comes again within days.
"""

from collections import OrderedDict

CONFIRM_TELEGRAMS = 3
# Kaifa meters send four lists of power alone between two that name the meter
NAMELESS_TELEGRAMS = 6
# a head reads one or two meters; the head of an installer a few in an hour
MAX_METERS = 32
MAX_UNCONFIRMED = 32
# telegrams between two of an unconfirmed id: several meters may send in turn
MAX_BETWEEN = 64
# a meter that was silent for so long makes room for another one
SILENT_S = 3600.0


class ConfirmedMeters:
    """`ignored` counts telegrams of ids that came too seldom and were dropped, or for which there was no room."""

    def __init__(self) -> None:
        self.ignored = 0
        self._received_s: OrderedDict[str, float] = OrderedDict()
        self._received = 0
        # telegrams of an id, and the number of the last one
        self._unconfirmed: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def confirm(self, meter_id: str, now_s: float, *, is_known: bool = False, is_named: bool = True) -> bool:
        """Whether a telegram received at `now_s` is that of a meter. `is_known`: the meter was published before.

        Not `is_named`: a later list may name the meter, so even the first one counts only after some telegrams.
        """
        self._received += 1
        is_first = is_named and not self._received_s
        needed = CONFIRM_TELEGRAMS if is_named else NAMELESS_TELEGRAMS
        if meter_id in self._received_s or is_first or (is_known and self._has_room(now_s)):
            self._add(meter_id, now_s)
            return True
        before, last = self._unconfirmed.pop(meter_id, (0, 0))
        telegrams = before + 1 if self._received - last <= MAX_BETWEEN else 1
        if telegrams >= needed and self._has_room(now_s):
            self._add(meter_id, now_s)
            return True
        self._unconfirmed[meter_id] = telegrams, self._received
        if telegrams > needed:
            self.ignored += 1
        if len(self._unconfirmed) > MAX_UNCONFIRMED:
            _, (forgotten, _) = self._unconfirmed.popitem(last=False)
            self.ignored += min(forgotten, CONFIRM_TELEGRAMS)
        return False

    def meters(self, now_s: float) -> tuple[str, ...]:
        """Those that were received within SILENT_S."""
        return tuple(meter_id for meter_id, at_s in self._received_s.items() if now_s - at_s < SILENT_S)

    def _add(self, meter_id: str, now_s: float) -> None:
        self._received_s[meter_id] = now_s
        self._received_s.move_to_end(meter_id)

    def _has_room(self, now_s: float) -> bool:
        """Whether another meter fits; drops the one that was silent longest if it was silent for SILENT_S."""
        if len(self._received_s) < MAX_METERS:
            return True
        oldest, received_s = next(iter(self._received_s.items()))
        if now_s - received_s < SILENT_S:
            return False
        del self._received_s[oldest]
        return True
