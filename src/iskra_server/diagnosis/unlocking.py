"""What telegrams show while somebody enters the PIN at the meter.

    locked  ->  decimals, power  ->  two minutes later still there: InF is on
                                 ->  gone again: InF is off

Pure: seconds are those of any clock that never goes back; the meter's own is best.
"""

from typing import Literal

Event = Literal["locked", "unlocked", "digits", "power", "falls_back", "fell_back", "inf_on"]

# where InF is off, a meter stops sending power two minutes after the PIN
INF_ON_S = 150.0


class Unlocking:
    """`observe` returns what has changed with a telegram, in order. `done`: nothing is left to do."""

    def __init__(self) -> None:
        self.done = False
        self._has: frozenset[Event] | None = None
        self._unlocked_s: float | None = None

    def observe(self, *, digits: bool, power: bool, now_s: float) -> list[Event]:
        """A telegram with or without decimals and power."""
        before, self._has = self._has, _set(digits=digits, power=power)
        if before is None:
            # a meter that was unlocked from the start
            self.done = bool(self._has)
            return ["unlocked"] if self._has else ["locked"]
        events: list[Event] = [event for event in ("digits", "power") if event in self._has - before]
        if self._has and not before:
            self._unlocked_s = now_s
            events.append("falls_back")
        if before and not self._has:
            self._unlocked_s = None
            events.append("fell_back")
        if self._unlocked_s is not None and not self.done and now_s - self._unlocked_s >= INF_ON_S:
            self.done = True
            events.append("inf_on")
        return events


def _set(*, digits: bool, power: bool) -> frozenset[Event]:
    has: list[Event] = []
    if digits:
        has.append("digits")
    if power:
        has.append("power")
    return frozenset(has)
