"""Quarter readings from the counter readings of a file, by the rule of the ledger.

A reading at the beginning of a quarter is its reading; between two at most 960 s apart it is interpolated; else there
is none. A counter only grows: a reading below the one before is bad, and so is one that is earlier in time.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from iskra_server.history.model.ledger import Ledger
from iskra_server.history.model.moment import QUARTER_US
from iskra_server.history.model.records import Quality, QuarterReading
from iskra_server.history.transfer.file_rows import BadRow, CounterReading, RecordRow
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading, Register, Sample
from iskra_server.meter.units import WATT_HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND_US = 1_000_000


def quarter_readings(
    rows: Iterable[CounterReading | BadRow], meter_id: str, obis: Obis, best: Quality = "measured"
) -> Iterator[RecordRow | BadRow]:
    """Quarter readings of epoch 0 and at most of quality `best`, and the bad rows.

    Only the last reading of a quarter and the first of the next matter to the ledger, so it gets no others.
    """
    ledger = Ledger()
    last: CounterReading | None = None
    for row in rows:
        if isinstance(row, BadRow):
            yield row
        elif last is not None and (reason := _wrong(last, row)):
            yield BadRow(row.line, reason)
        else:
            if last is None or row.at_us // QUARTER_US != last.at_us // QUARTER_US:
                for reading in filter(None, (last, row)):
                    for record in ledger.observe(_sample(reading, meter_id, obis), with_power=False):
                        if isinstance(record, QuarterReading):
                            quality = record.quality if best == "measured" else best
                            yield RecordRow(row.line, replace(record, quality=quality))
            last = row


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
