"""What travels between a reader and the centre: JSON, named by its version, and the topics that it travels by.

    iskra/v1/READER/quarters   closed quarters of one meter; answered when they are in the database
    iskra/v1/READER/kept       those answers: the number of the message, and why it was refused where it was
    iskra/v1/READER/live       a meter's power and counters now; nobody answers
    iskra/v1/READER/status     how the reader's sources stand; "offline" is its will

A row is known by meter, register and quarter, wherever and however often it arrives: so everything may come twice, and
in any order. A number is an integer and a power of ten, as the meter sent it.
"""

from collections.abc import Iterable, Iterator
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from iskra_server.history.model.records import (
    INT64_MAX,
    QUALITIES,
    EpochStart,
    Exact,
    MeterInfo,
    PowerQuarter,
    QuarterReading,
    Record,
)
from iskra_server.meter.obis import Obis

VERSION = 1
# a quarter of the year 2200; a 32-bit clock that ran over lies far beyond
_LAST_QUARTER = 8_065_000

Quarter = Annotated[int, Meta(ge=0, le=_LAST_QUARTER)]
Int64 = Annotated[int, Meta(ge=-INT64_MAX - 1, le=INT64_MAX)]
Scaler = Annotated[int, Meta(ge=-18, le=18)]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Seconds = Annotated[int, Meta(ge=0, le=_LAST_QUARTER * 900)]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
# a meter has a dozen registers that count
_REGISTERS = 100


class Value(Struct, frozen=True, array_like=True):
    """A counter at the beginning of a quarter; `quality` as in the database."""

    quarter: Quarter
    raw: Int64
    scaler: Scaler
    quality: Annotated[int, Meta(ge=0, le=1)]
    epoch: Count


class Power(Struct, frozen=True, array_like=True):
    quarter: Quarter
    min_mw: Int64
    mean_mw: Int64
    max_mw: Int64
    telegrams: Count


class Epoch(Struct, frozen=True, array_like=True):
    obis: Name
    epoch: Count
    at_s: Seconds
    after_raw: Int64
    after_scaler: Scaler
    before_raw: Int64 | None = None
    before_scaler: Scaler | None = None


class Quarters(Struct, frozen=True, omit_defaults=True):
    """Closed quarters of one meter."""

    v: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    meter: Name
    server_id: Annotated[str, Meta(max_length=100)]
    seen: tuple[Seconds, Seconds]
    counters: Annotated[dict[str, list[Value]], Meta(max_length=_REGISTERS)] = {}
    power: list[Power] = []
    epochs: list[Epoch] = []
    simulated: bool = False


class Live(Struct, frozen=True, omit_defaults=True):
    """A meter now; `counters` are raw and scaler by register."""

    v: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    meter: Name
    at_s: Seconds
    power_mw: Int64 | None = None
    counters: Annotated[dict[str, tuple[int, int]], Meta(max_length=_REGISTERS)] = {}


class SourceStatus(Struct, frozen=True):
    """One source of a reader: the first check that fails (`broken` on the wire), and what to do."""

    source: str
    meter: str | None
    ok: bool
    broken: str | None
    sentence: str


class ReaderStatus(Struct, frozen=True):
    v: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    at_s: Seconds
    version: str
    sources: list[SourceStatus]


class Topics(Struct, frozen=True):
    """The topics of one reader."""

    base: str
    reader: str

    def __getitem__(self, kind: str) -> str:
        return f"{self.base}/{self.reader}/{kind}"


def quarters(info: MeterInfo, records: Iterable[Record]) -> Quarters:
    """What a reader says of one meter."""
    counters: dict[str, list[Value]] = {}
    power, epochs = [], []
    for record in records:
        match record:
            case QuarterReading(_, obis, quarter, value, quality, epoch):
                row = Value(quarter, value.raw, value.scaler, QUALITIES.index(quality), epoch)
                counters.setdefault(str(obis), []).append(row)
            case PowerQuarter(_, quarter, least, mean, most, count):
                power.append(Power(quarter, least, mean, most, count))
            case EpochStart(_, obis, epoch, at_s, before, after):
                known = (before.raw, before.scaler) if before else ()
                epochs.append(Epoch(str(obis), epoch, at_s, after.raw, after.scaler, *known))
    seen = info.first_s, info.last_s
    return Quarters(VERSION, info.meter_id, info.server_id, seen, counters, power, epochs, info.simulated)


def info(message: Quarters) -> MeterInfo:
    return MeterInfo(message.meter, message.server_id, message.simulated, *message.seen)


def records(message: Quarters) -> Iterator[Record]:
    """What a message holds, as history keeps it. Raises ValueError for a register that is none."""
    meter = message.meter
    for code, values in message.counters.items():
        obis = Obis.parse(code)
        for row in values:
            quality = QUALITIES[row.quality]
            yield QuarterReading(meter, obis, row.quarter, Exact(row.raw, row.scaler), quality, row.epoch)
    for power in message.power:
        yield PowerQuarter(meter, power.quarter, power.min_mw, power.mean_mw, power.max_mw, power.telegrams)
    for start in message.epochs:
        before = None if start.before_raw is None else Exact(start.before_raw, start.before_scaler or 0)
        after = Exact(start.after_raw, start.after_scaler)
        yield EpochStart(meter, Obis.parse(start.obis), start.epoch, start.at_s, before, after)


encode = msgspec.json.encode
decode_quarters = msgspec.json.Decoder(Quarters).decode
decode_live = msgspec.json.Decoder(Live).decode
decode_status = msgspec.json.Decoder(ReaderStatus).decode
