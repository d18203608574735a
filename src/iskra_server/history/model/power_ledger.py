"""Power within each quarter: minimum, mean and maximum of what the meter sent, in mW, + import, - export.

    W   |   x----|          A value holds until the next telegram, at most 60 s, and not past its quarter:
        |x--|    |x-------  the mean is weighted by that time, and lies between minimum and maximum.
        +--------+--------> time
A quarter that begins or ends without telegrams is recorded too, with the count of those that arrived.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from iskra_server.history.model.moment import QUARTER_US, SECOND_US, Moment
from iskra_server.history.model.records import PowerQuarter
from iskra_server.meter.power import POWER
from iskra_server.meter.reading import Reading, Register

HOLDS_US = 60 * SECOND_US
# more than any meter measures, and well within 64 bits
MAX_MW = 10**15


def power_mw(registers: Iterable[Register]) -> int | None:
    """The signed power of a telegram; None where it has none, or more than any meter measures."""
    register = next((register for register in registers if register.obis == POWER), None)
    if register is None or isinstance(register.raw, (bytes, bool)):
        return None
    factor, divisor = milliwatt_ratio(register.scaler or 0)
    power = register.raw * factor // divisor
    return power if abs(power) <= MAX_MW else None


@lru_cache(maxsize=16)
def milliwatt_ratio(scaler: int) -> tuple[int, int]:
    """Factor and divisor by which a number of watts becomes whole mW, rounded down: raw * factor // divisor."""
    exponent = scaler + 3
    return 10 ** max(exponent, 0), 10 ** max(-exponent, 0)


class PowerLedger:
    """The open quarter of one meter. No quarter is returned twice or out of order, whatever the clock does."""

    def __init__(self, meter_id: str) -> None:
        self._meter_id = meter_id
        self._last_closed: int | None = None
        self._open: _Quarter | None = None

    def observe(self, reading: Reading, moment: Moment) -> Iterator[PowerQuarter]:
        """Yields the open quarter, when this reading is the first after it."""
        if self._open is not None:
            self._open.hold_until(moment)
            if moment.quarter > self._open.quarter:
                yield from self.close()
        power = power_mw(reading.registers)
        if power is None or (self._last_closed is not None and moment.quarter <= self._last_closed):
            return
        # the clock had run ahead and is right again: values under the wrong time are dropped
        if self._open is None or moment.quarter < self._open.quarter:
            self._open = _Quarter(moment.quarter)
        self._open.add(power, moment)

    def rewind(self, quarter: int) -> None:
        """The clock was ahead and is right again: quarters later than this one will be closed again."""
        if self._last_closed is not None and self._last_closed > quarter:
            self._last_closed = None
        if self._open is not None and self._open.quarter > quarter:
            self._open = None

    def close(self) -> Iterator[PowerQuarter]:
        if self._open is not None:
            closed, self._open = self._open, None
            self._last_closed = closed.quarter
            yield closed.record(self._meter_id)


class _Quarter:
    """A quarter that is open: `_weighted` is the sum of mW x microseconds."""

    def __init__(self, quarter: int) -> None:
        self.quarter = quarter
        self._min_mw = self._max_mw = self._weighted = self._weight_us = self._count = 0
        self._last: tuple[int, Moment] | None = None

    def add(self, power: int, moment: Moment) -> None:
        self._min_mw = min(power, self._min_mw) if self._count else power
        self._max_mw = max(power, self._max_mw) if self._count else power
        self._count += 1
        self._last = power, moment

    def hold_until(self, moment: Moment) -> None:
        """The last value held until this moment, by boot time."""
        if self._last is not None:
            then = self._last[1]
            held_us = int(((moment.monotonic_s or 0.0) - (then.monotonic_s or 0.0)) * SECOND_US)
            self._weigh(min(held_us, HOLDS_US, (self.quarter + 1) * QUARTER_US - then.at_us))

    def record(self, meter_id: str) -> PowerQuarter:
        self._weigh(0)
        mean_mw = self._weighted // self._weight_us
        return PowerQuarter(meter_id, self.quarter, self._min_mw, mean_mw, self._max_mw, self._count)

    def _weigh(self, held_us: int) -> None:
        if self._last is not None:
            # telegrams that arrive together count at least a microsecond each
            weight_us = max(1, held_us)
            self._weighted += self._last[0] * weight_us
            self._weight_us += weight_us
            self._last = None
