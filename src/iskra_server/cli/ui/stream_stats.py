"""Statistics of a stream for `read`: valid and damaged telegrams, in all and among the last 20; recent power."""

from collections import deque
from decimal import Decimal

from iskra_server.meter.reading import UNREADABLE, Fault, Reading
from iskra_server.meter.signed_power import POWER

LAST = 20
_TREND = 48
_RELIABLE_SHARE = 0.95
_BARS = "▁▂▃▄▅▆▇█"


class StreamStats:
    """Counts the items of a decoder. Noise between telegrams does not count as a damaged telegram.

    `newest` is that of the meter itself, `sub_meters` has those of its sub-meters. `unreadable` telegrams have no
    damage, but are encrypted or unknown.
    """

    def __init__(self) -> None:
        self.newest: Reading | None = None
        self.sub_meters: dict[str, Reading] = {}
        self.unreadable: dict[str, int] = {}
        self.telegrams = 0
        self.faults: dict[str, int] = {}
        self.powers: deque[Decimal] = deque(maxlen=_TREND)
        self._last: deque[bool] = deque(maxlen=LAST)

    def add(self, item: Reading | Fault) -> None:
        if isinstance(item, Fault) and item.kind in UNREADABLE:
            self.unreadable[item.kind] = self.unreadable.get(item.kind, 0) + 1
            return
        if isinstance(item, Fault):
            self.faults[item.kind] = self.faults.get(item.kind, 0) + 1
            if item.kind != "noise":
                self._last.append(False)
            return
        if item.channel:
            self.sub_meters[item.meter_id] = item
            return
        self.newest = item
        self.telegrams += 1
        self._last.append(True)
        if (power := power_w(item)) is not None:
            self.powers.append(power)

    def is_reliable(self) -> bool:
        """Whether enough of the last telegrams are valid."""
        return sum(self._last) >= _RELIABLE_SHARE * len(self._last)

    def sentence(self) -> str:
        """ "19 of the last 20 telegrams valid; 118 in all, 1 damaged (1 checksum)" """
        damaged = {kind: count for kind, count in self.faults.items() if kind != "noise"}
        faults = _counts(damaged, "damaged") + _counts(self.unreadable, "unreadable")
        if not self._last:
            return f"no telegram yet{faults}"
        return f"{sum(self._last)} of the last {len(self._last)} telegrams valid; {self.telegrams} in all{faults}"


def _counts(by_kind: dict[str, int], name: str) -> str:
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(by_kind.items()))
    return f", {sum(by_kind.values())} {name} ({kinds})" if kinds else ""


def power_w(reading: Reading) -> Decimal | None:
    """Signed power in W, None if the reading has none."""
    register = reading.get(POWER)
    return register.value if register else None


def sparkline(values: deque[Decimal], scale: tuple[int, int] | None = None) -> str:
    """A bar per value, on the scale given, else from the lowest to the highest."""
    if not values:
        return ""
    low, high = scale or (min(values), max(values))
    span = high - low or 1
    return "".join(_BARS[int((value - low) * (len(_BARS) - 1) / span)] for value in values)
