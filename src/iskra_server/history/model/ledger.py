"""The ledger: what each energy counter showed at the beginning of every quarter, and power within each quarter.

    telegram before      quarter       telegram after        reading = before + (after - before) x elapsed / gap,
    ------x-----------------|---------------x------->        in integers of the finer scaler, rounded down

- Between telegrams at most 60 s apart a reading is measured, at most 960 s apart interpolated; a quarter that began at
  most 60 s before the second telegram also where they are an hour apart. Else there is none.
- A telegram exactly at the beginning of a quarter is its reading.
- Nothing is interpolated over an epoch start, or where the clock was set.
- No quarter is recorded twice or out of order: a clock that went back records none until it has passed the last.
"""

from collections.abc import Iterable, Iterator

from iskra_server.history.model.moment import QUARTER_US, SECOND_US, Moment, is_same_clock, moment_of
from iskra_server.history.model.power_ledger import PowerLedger
from iskra_server.history.model.records import (
    HOURLY_WITHIN_S,
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
from iskra_server.meter.counter_rules import is_energy_counter
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading, Sample, on_one_scale

LedgerRecord = QuarterReading | PowerQuarter | EpochStart


class Ledger:
    """One for all meters. A new one is empty; `resume` continues from what history holds."""

    def __init__(self) -> None:
        self._series: dict[tuple[str, Obis], _Series] = {}
        self._powers: dict[str, PowerLedger] = {}

    @classmethod
    def resume(cls, counters: Iterable[LastCounter]) -> "Ledger":
        """A ledger after a restart: a pause of at most 960 s is interpolated.

        Of several values of one counter (its last quarter reading, its last raw point) the newest counts.
        """
        ledger = cls()
        for last in sorted(counters, key=lambda last: last.at_s):
            series = _Series(last.meter_id, last.obis)
            series.resume(last)
            ledger._series[last.meter_id, last.obis] = series
        return ledger

    def observe(self, sample: Sample, *, with_power: bool = True) -> list[LedgerRecord]:
        """The records that a sample completes: quarter readings, epoch starts, the power of the quarter before.

        Not `with_power`: the sample stands for many that came before, whose power is not known.
        """
        meter_id, moment = sample.reading.meter_id, moment_of(sample)
        records: list[LedgerRecord] = []
        for obis, value in _energy_counters(sample.reading).items():
            series = self._series.get((meter_id, obis))
            if series is None:
                series = self._series[meter_id, obis] = _Series(meter_id, obis)
            records += series.observe(value, moment, sample.epoch)
        if not with_power:
            return records
        power = self._powers.get(meter_id)
        if power is None:
            power = self._powers[meter_id] = PowerLedger(meter_id)
        records += power.observe(sample.reading, moment)
        return records

    def rewind(self, quarter: int) -> None:
        """The clock was ahead and is right again: quarters later than this one will be recorded again."""
        for series in self._series.values():
            series.rewind(quarter)
        for power in self._powers.values():
            power.rewind(quarter)

    def close_power(self) -> list[PowerQuarter]:
        """The power of quarters that are still open, at the end of the process."""
        return [quarter for power in self._powers.values() for quarter in power.close()]


class _Series:
    """One counter of one meter: its last value, and the last quarter that was recorded."""

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
        if before is not None and _is_truncated(value, before):
            value = before
        # the guard notices a counter that goes back; before the guard knew the counter, only this does
        if epoch > self._epoch or (before is not None and _is_below(value, before)):
            self._epoch = max(epoch, self._epoch + 1)
            self._last = None
            at_s = moment.at_us // SECOND_US
            yield EpochStart(self._meter_id, self._obis, self._epoch, at_s, before, value)
        yield from self._quarter_reading(value, moment)
        self._last = value, moment

    def _quarter_reading(self, value: Exact, moment: Moment) -> Iterator[QuarterReading]:
        # in a gap of more than 15 minutes the quarter before may have begun too
        for quarter in (moment.quarter - 1, moment.quarter):
            if self._quarter is not None and quarter <= self._quarter:
                continue
            reading = self._interpolated(value, moment, quarter)
            if reading is not None and abs(reading[0].raw) <= INT64_MAX:
                self._quarter = quarter
                yield QuarterReading(self._meter_id, self._obis, quarter, *reading, self._epoch)

    def _interpolated(self, value: Exact, moment: Moment, quarter: int) -> tuple[Exact, Quality] | None:
        """The value at the beginning of a quarter."""
        quarter_us = quarter * QUARTER_US
        if moment.at_us == quarter_us:
            return value, "measured"
        if self._last is None:
            return None
        before, last = self._last
        gap_us = moment.at_us - last.at_us
        is_near = moment.at_us - quarter_us <= MEASURED_WITHIN_S * SECOND_US
        longest_s = HOURLY_WITHIN_S if is_near else INTERPOLATED_WITHIN_S
        if last.at_us >= quarter_us or gap_us > longest_s * SECOND_US or not is_same_clock(last, moment):
            return None
        first, second, finest = on_one_scale(before, value)
        reading = Exact(first + (second - first) * (quarter_us - last.at_us) // gap_us, finest)
        return reading, "measured" if gap_us <= MEASURED_WITHIN_S * SECOND_US else "interpolated"


def _energy_counters(reading: Reading) -> dict[Obis, Exact]:
    return {
        register.obis: Exact(int(register.raw), register.scaler or 0)
        for register in reading.registers
        if is_energy_counter(register) and abs(int(register.raw)) <= INT64_MAX
    }


def _is_below(value: Exact, before: Exact) -> bool:
    first, second, _ = on_one_scale(before, value)
    return second < first


def _is_truncated(value: Exact, before: Exact) -> bool:
    """Whether a value is below the last one only because a meter that locked sends fewer digits."""
    first, second, finest = on_one_scale(before, value)
    return value.scaler > before.scaler and second < first < second + 10 ** (value.scaler - finest)
