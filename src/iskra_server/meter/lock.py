"""Is the meter locked? Then it sends whole kWh and no power: the PIN was not entered, or InF is off.

Seen on every ISKRA generation: locked is scaler 3 (or coarser) on 1.8.0 and no power register, unlocked is
scaler -1 and power.
"""

from datetime import datetime

from iskra_server.meter.obis import EXPORT, IMPORT
from iskra_server.meter.reading import Reading, Sample, seconds_between

KWH_SCALER = 3
_POWER_QUANTITIES = frozenset((1, 2, 15, 16))
_INSTANTANEOUS = 7


def is_locked(reading: Reading) -> bool | None:
    """True for whole kWh without power, False where either is finer, None where there is no total to tell by."""
    total = next((register for obis in (IMPORT, EXPORT) if (register := reading.get(obis))), None)
    if total is None or total.value is None:
        return None
    return (total.scaler or 0) >= KWH_SCALER and not has_power(reading)


def sends_locked(sample: Sample) -> bool | None:
    """As `is_locked`, of a published sample: one that holds a fine value came from a meter that has locked."""
    return True if sample.holds_fine else is_locked(sample.reading)


class LockWatch:
    """Sees a meter unlock and lock: `locked_at` is when it locked after having been unlocked, None while it is not.

    `unlocked_for_s` is how long it was unlocked then, None where its unlocking was not seen.
    """

    def __init__(self) -> None:
        self.locked: bool | None = None
        self.locked_at: datetime | None = None
        self.unlocked_for_s: float | None = None
        self._unlocked: Sample | None = None

    def observe(self, sample: Sample) -> None:
        """A telegram as it arrived."""
        before, locked = self.locked, is_locked(sample.reading)
        self.locked = locked
        if locked is False:
            self.locked_at = None
            self._unlocked = sample if before else self._unlocked
        elif locked and before is False:
            self.locked_at = sample.received_at
            self.unlocked_for_s = seconds_between(self._unlocked, sample) if self._unlocked else None
            self._unlocked = None


def has_power(reading: Reading) -> bool:
    """True where the meter sends active power."""
    return any(
        register.obis[2] in _POWER_QUANTITIES and register.obis[3] == _INSTANTANEOUS for register in reading.registers
    )
