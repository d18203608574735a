"""Whether a meter is locked: it sends whole kWh and no power, because the PIN was not entered or InF is off.

On every ISKRA generation: locked is scaler 3 (or coarser) on 1.8.0 and no power, unlocked is scaler -1 and power.
"""

from datetime import datetime
from decimal import Decimal

from iskra_server.meter.obis import EXPORT, IMPORT
from iskra_server.meter.reading import Reading, Sample, seconds_between
from iskra_server.meter.transformer_factor import sent_scaler

KWH_SCALER = 3
_POWER_QUANTITIES = frozenset((1, 2, 15, 16))
_INSTANTANEOUS = 7
_UNCHANGED = Decimal(1)


def is_locked(reading: Reading, factor: Decimal = _UNCHANGED) -> bool | None:
    """True for whole kWh without power, False for finer values or power, None without a total.

    The digits count that the meter sent, before they were multiplied by `factor`.

    None for other protocols than SML: an MT171 that is read by D0 counts whole kWh and has no PIN.
    """
    if reading.protocol != "sml":
        return None
    total = next((register for obis in (IMPORT, EXPORT) if (register := reading.get(obis))), None)
    if total is None or total.value is None:
        return None
    return sent_scaler(total, factor) >= KWH_SCALER and not has_power(reading)


def counts_whole_kwh(reading: Reading, factor: Decimal = _UNCHANGED) -> bool:
    """As `is_locked`: whether whole kWh are the resolution of a meter that cannot be locked."""
    total = reading.get(IMPORT) or reading.get(EXPORT)
    is_whole = total is not None and total.value is not None and sent_scaler(total, factor) >= KWH_SCALER
    return is_whole and is_locked(reading) is None


def sends_locked(sample: Sample) -> bool | None:
    """As `is_locked`, of a published sample; where the guard kept a fine value, the meter has locked."""
    locked = is_locked(sample.reading, sample.factor)
    return True if sample.holds_fine and locked is not None else locked


class LockWatch:
    """Observes a meter: `locked_at` is when it locked after it was unlocked, None while it is unlocked.

    `unlocked_for_s` is how long it was unlocked then, None where its unlocking was not observed.
    """

    def __init__(self) -> None:
        self.locked: bool | None = None
        self.locked_at: datetime | None = None
        self.unlocked_for_s: float | None = None
        self._unlocked: Sample | None = None

    def observe(self, sample: Sample) -> None:
        """A telegram as it arrived."""
        before, locked = self.locked, is_locked(sample.reading, sample.factor)
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
