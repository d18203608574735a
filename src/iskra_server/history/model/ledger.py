"""The ledger: what each energy counter showed at every boundary of a quarter, and power within each quarter.

    telegram before      boundary      telegram after        value = before + (after - before) x elapsed / gap,
    ------x-----------------|---------------x------->        in integers of the finer scaler, rounded down

- Framed by telegrams at most 60 s apart the value is measured, at most 900 s apart interpolated, else there is none.
- A telegram exactly on the boundary is the value. Nothing is interpolated over an epoch start or a changed clock.
- A boundary is never given twice or out of order: a clock that went back gives none until it has passed the last.
"""

from collections.abc import Iterable, Iterator

from iskra_server.history.model.moment import QUARTER_US, SECOND_US, Moment, is_same_clock, moment_of
from iskra_server.history.model.power_ledger import PowerLedger
from iskra_server.history.model.records import (
    INT64_MAX,
    INTERPOLATED_WITHIN_S,
    MEASURED_WITHIN_S,
    EpochStart,
    Exact,
    LastCounter,
    PowerQuarter,
    Quality,
    QuarterReading,
)
from iskra_server.meter.guard import is_energy_counter
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading, Sample, on_one_scale

LedgerRecord = QuarterReading | PowerQuarter | EpochStart


class Ledger:
    """One for all meters. A new one knows nothing; `resume` goes on from what history holds."""

    def __init__(self) -> None:
        self._series: dict[tuple[str, Obis], _Series] = {}
        self._powers: dict[str, PowerLedger] = {}

    @classmethod
    def resume(cls, counters: Iterable[LastCounter]) -> "Ledger":
        """A ledger after a restart: a pause of at most 900 s over a boundary is interpolated.

        Of several values of one counter (its last boundary, its last raw point) the newest counts.
        """
        ledger = cls()
        for last in sorted(counters, key=lambda last: last.at_s):
            series = _Series(last.meter_id, last.obis)
            series.resume(last)
            ledger._series[last.meter_id, last.obis] = series
        return ledger

    def observe(self, sample: Sample, *, with_power: bool = True) -> list[LedgerRecord]:
        """What a sample closes: boundaries that it frames, epochs that it starts, the power of the quarter before.

        Not `with_power`: it stands for many that came before, whose power it does not tell.
        """
        meter_id, moment = sample.reading.meter_id, moment_of(sample)
        closed: list[LedgerRecord] = []
        for obis, value in _energy_counters(sample.reading).items():
            series = self._series.get((meter_id, obis))
            if series is None:
                series = self._series[meter_id, obis] = _Series(meter_id, obis)
            closed += series.observe(value, moment, sample.epoch)
        if not with_power:
            return closed
        power = self._powers.get(meter_id)
        if power is None:
            power = self._powers[meter_id] = PowerLedger(meter_id)
        closed += power.observe(sample.reading, moment)
        return closed

    def rewind(self, quarter: int) -> None:
        """The clock was ahead and is right again: what was given for later than this quarter is given anew."""
        for series in self._series.values():
            series.rewind(quarter)
        for power in self._powers.values():
            power.rewind(quarter)

    def close_power(self) -> list[PowerQuarter]:
        """The power of quarters that are still open, for the end of the process."""
        return [quarter for power in self._powers.values() for quarter in power.close()]


class _Series:
    """One counter of one meter: its last value, and the last boundary that was given."""

    def __init__(self, meter_id: str, obis: Obis) -> None:
        self._meter_id = meter_id
        self._obis = obis
        self._epoch = 0
        self._last: tuple[Exact, Moment] | None = None
        self._quarter: int | None = None

    def resume(self, last: LastCounter) -> None:
        moment = Moment(last.at_s * SECOND_US, None)
        self._epoch, self._last, self._quarter = last.epoch, (last.value, moment), moment.quarter

    def rewind(self, quarter: int) -> None:
        if self._quarter is not None and self._quarter > quarter:
            self._quarter = None

    def observe(self, value: Exact, moment: Moment, epoch: int) -> Iterator[QuarterReading | EpochStart]:
        before = self._last[0] if self._last else None
        if before is not None and _only_coarser(before, value):
            value = before
        # the guard sees a counter go back; what a counter did before the guard knew it shows here alone
        if epoch > self._epoch or (before is not None and _is_below(value, before)):
            self._epoch = max(epoch, self._epoch + 1)
            self._last = None
            at_s = moment.at_us // SECOND_US
            yield EpochStart(self._meter_id, self._obis, self._epoch, at_s, before, value)
        yield from self._quarter_reading(value, moment)
        self._last = value, moment

    def _quarter_reading(self, value: Exact, moment: Moment) -> Iterator[QuarterReading]:
        quarter = moment.quarter
        if self._quarter is not None and quarter <= self._quarter:
            return
        found = self._framed(value, moment)
        if found is not None and abs(found[0].raw) <= INT64_MAX:
            self._quarter = quarter
            yield QuarterReading(self._meter_id, self._obis, quarter, *found, self._epoch)

    def _framed(self, value: Exact, moment: Moment) -> tuple[Exact, Quality] | None:
        """The value at the beginning of the moment's quarter: the longest gap allowed frames no other boundary."""
        edge_us = moment.quarter * QUARTER_US
        if moment.at_us == edge_us:
            return value, "measured"
        if self._last is None:
            return None
        before, then = self._last
        gap_us = moment.at_us - then.at_us
        if then.at_us >= edge_us or gap_us > INTERPOLATED_WITHIN_S * SECOND_US or not is_same_clock(then, moment):
            return None
        quality: Quality = "measured" if gap_us <= MEASURED_WITHIN_S * SECOND_US else "interpolated"
        return _interpolated(before, value, edge_us - then.at_us, gap_us), quality


def _energy_counters(reading: Reading) -> dict[Obis, Exact]:
    """The counters in Wh of a record."""
    return {
        register.obis: Exact(int(register.raw), register.scaler or 0)
        for register in reading.registers
        if is_energy_counter(register) and abs(int(register.raw)) <= INT64_MAX
    }


def _interpolated(before: Exact, after: Exact, elapsed_us: int, gap_us: int) -> Exact:
    first, second, finest = on_one_scale(before, after)
    return Exact(first + (second - first) * elapsed_us // gap_us, finest)


def _is_below(value: Exact, before: Exact) -> bool:
    first, second, _ = on_one_scale(before, value)
    return second < first


def _only_coarser(before: Exact, value: Exact) -> bool:
    """Whether a value lies below the last one only because a meter that locked cuts its digits off."""
    first, second, finest = on_one_scale(before, value)
    return value.scaler > before.scaler and second < first < second + 10 ** (value.scaler - finest)
