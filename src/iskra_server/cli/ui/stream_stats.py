"""What a stream is worth: the share of telegrams that arrive whole, over all of them and over the last ones.

The last ones are what a person watches who moves the head by a millimetre.
"""

from collections import deque
from decimal import Decimal

from iskra_server.meter.power import POWER
from iskra_server.meter.reading import Fault, Reading

LAST = 20
_TREND = 48
_GOOD_SHARE = 0.9
_BARS = "▁▂▃▄▅▆▇█"


class Quality:
    """Fed with everything that a decoder gives. Noise between telegrams costs none, and is counted apart."""

    def __init__(self) -> None:
        self.newest: Reading | None = None
        self.telegrams = 0
        self.faults: dict[str, int] = {}
        self.powers: deque[Decimal] = deque(maxlen=_TREND)
        self._last: deque[bool] = deque(maxlen=LAST)

    def add(self, item: Reading | Fault) -> None:
        if isinstance(item, Fault):
            self.faults[item.kind] = self.faults.get(item.kind, 0) + 1
            if item.kind != "noise":
                self._last.append(False)
            return
        self.newest = item
        self.telegrams += 1
        self._last.append(True)
        if (power := power_w(item)) is not None:
            self.powers.append(power)

    def is_good(self) -> bool:
        """Whether nine of ten of the last telegrams came whole."""
        return sum(self._last) >= _GOOD_SHARE * len(self._last)

    def sentence(self) -> str:
        """ "19 of the last 20 telegrams are good; 118 in all, 2 faults (1 checksum, 1 noise)" """
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.faults.items()))
        faults = f", {sum(self.faults.values())} damaged ({kinds})" if kinds else ""
        if not self._last:
            return f"no telegram yet{faults}"
        return f"{sum(self._last)} of the last {len(self._last)} telegrams good; {self.telegrams} in all{faults}"


def power_w(reading: Reading) -> Decimal | None:
    """The signed power of a record in W, None where it has none."""
    register = reading.get(POWER)
    return register.value if register else None


def sparkline(values: deque[Decimal]) -> str:
    """A bar for each value, from the lowest to the highest of them."""
    if not values:
        return ""
    low, high = min(values), max(values)
    span = high - low or 1
    return "".join(_BARS[int((value - low) * (len(_BARS) - 1) / span)] for value in values)
