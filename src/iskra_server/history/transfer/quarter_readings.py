"""Quarter readings from the counter readings of a file, by the rule of the ledger.

A reading at the beginning of a quarter is its reading; between two at most 960 s apart it is interpolated; else there
is none, and readings without any are counted. A counter only grows: a reading below the one before is bad, and so is
one that is earlier in time.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from iskra_server.history.model.ledger import Ledger
from iskra_server.history.model.moment import QUARTER_US
from iskra_server.history.model.records import INTERPOLATED_WITHIN_S, Quality, QuarterReading
from iskra_server.history.transfer.file_rows import BadRow, CounterReading, LeftOut, RecordRow
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading, Register, Sample
from iskra_server.meter.units import WATT_HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND_US = 1_000_000


def quarter_readings(
    rows: Iterable[CounterReading | BadRow], meter_id: str, obis: Obis, best: Quality = "measured"
) -> Iterator[RecordRow | BadRow | LeftOut]:
    """Quarter readings of epoch 0 and at most of quality `best`, the bad rows, and how many readings gave none.

    Only the last reading of a quarter and the first of the next matter to the ledger, so it gets no others.
    """
    ledger = Ledger()
    last: CounterReading | None = None
    # since the last pause: readings, and whether a quarter reading was made of them
    count, is_used = 0, False
    for row in rows:
        if isinstance(row, BadRow):
            yield row
        elif last is not None and (reason := _wrong(last, row)):
            yield BadRow(row.line, reason)
        else:
            gives_one = False
            if last is None or row.at_us // QUARTER_US != last.at_us // QUARTER_US:
                for reading in filter(None, (last, row)):
                    for record in ledger.observe(_sample(reading, meter_id, obis), with_power=False):
                        if isinstance(record, QuarterReading):
                            quality = record.quality if best == "measured" else best
                            yield RecordRow(row.line, replace(record, quality=quality))
                            gives_one = True
            if last is not None and row.at_us - last.at_us > INTERPOLATED_WITHIN_S * _SECOND_US:
                # soon after a quarter, its reading is made of the one before the pause, too
                if not is_used and (not gives_one or row.at_us % QUARTER_US == 0):
                    yield LeftOut(count)
                count, is_used = 0, False
            count, is_used, last = count + 1, is_used or gives_one, row
    if count and not is_used:
        yield LeftOut(count)


def _wrong(last: CounterReading, row: CounterReading) -> str | None:
    if row.at_us < last.at_us:
        return f"it is earlier than line {last.line}"
    if row.value.decimal < last.value.decimal:
        return f"the counter goes back from {last.value.decimal:f} Wh to {row.value.decimal:f} Wh"
    if row.at_us == last.at_us and row.value.decimal != last.value.decimal:
        return f"it has another value than line {last.line} at the same time"
    return None


def _sample(row: CounterReading, meter_id: str, obis: Obis) -> Sample:
    register = Register(obis, row.value.raw, row.value.scaler, WATT_HOUR)
    reading = Reading(meter_id, b"", (register,), None, "file", 0)
    return Sample(reading, _EPOCH + timedelta(microseconds=row.at_us), row.at_us / _SECOND_US, False, "file")
