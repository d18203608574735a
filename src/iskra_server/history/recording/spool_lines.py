"""The lines of the history spool: JSON, one record or sample a line. Lines of released versions must stay readable."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from iskra_server.history.model.records import (
    ClockStep,
    EpochStart,
    MeterInfo,
    PointBlock,
    PowerQuarter,
    QuarterReading,
    Record,
)
from iskra_server.history.recording.waiting_samples import WaitingSample
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Sample
from iskra_server.meter.units import Unit


class SpoolLine(
    Struct, frozen=True, omit_defaults=True, rename={"quarter_reading": "boundary", "is_trusted": "believed"}
):
    """One of these fields; a sample with the id of the boot that its boot time counts from, as in WaitingSample."""

    meter: MeterInfo | None = None
    quarter_reading: QuarterReading | None = None
    power: PowerQuarter | None = None
    epoch: EpochStart | None = None
    block: PointBlock | None = None
    sample: Sample | None = None
    step: ClockStep | None = None
    boot: str = ""
    is_trusted: bool = True

    @property
    def record(self) -> Record | None:
        return self.quarter_reading or self.power or self.epoch or self.block or self.step


def lines_of_records(meters: Iterable[MeterInfo], records: Iterable[Record]) -> list[bytes]:
    return _encode((*(SpoolLine(meter=info) for info in meters), *map(_line, records)))


def lines_of_samples(samples: Iterable[WaitingSample], boot: str) -> list[bytes]:
    return _encode(SpoolLine(sample=_numbers_only(s), boot=boot, is_trusted=is_trusted) for s, is_trusted in samples)


def decode(content: Iterable[bytes]) -> tuple[list[SpoolLine], list[bytes]]:
    """The lines, and the bytes of those that cannot be read."""
    lines, unreadable = [], []
    for data in content:
        try:
            lines.append(_DECODER.decode(data))
        except (msgspec.MsgspecError, ValueError):
            unreadable.append(data)
    return lines, unreadable


def count_records(lines: Sequence[bytes]) -> int:
    return sum(not line.startswith(_METER) for line in lines)


def count_telegrams(lines: Sequence[bytes]) -> int:
    """A line that cannot be read counts as one telegram."""
    blocks, unreadable = decode(line for line in lines if not line.startswith(_METER))
    return sum(line.block.count for line in blocks if line.block) + len(unreadable)


def _line(record: Record) -> SpoolLine:
    match record:
        case QuarterReading():
            return SpoolLine(quarter_reading=record)
        case PowerQuarter():
            return SpoolLine(power=record)
        case EpochStart():
            return SpoolLine(epoch=record)
        case PointBlock():
            return SpoolLine(block=record)
        case ClockStep():
            return SpoolLine(step=record)


def _numbers_only(sample: Sample) -> Sample:
    """The ledger needs no other registers."""
    return replace(sample, reading=replace(sample.reading, registers=tuple(sample.reading.numbers())), earlier=())


def _encode(lines: Iterable[SpoolLine]) -> list[bytes]:
    return [_ENCODER.encode(line) + b"\n" for line in lines]


def _to_builtin(value: Any) -> str | int:
    if isinstance(value, Obis):
        return str(value)
    if isinstance(value, Unit):
        return int(value)
    raise NotImplementedError(f"{type(value).__name__} has no form in the spool")


def _from_builtin(kind: type, value: Any) -> Any:
    if kind is Obis:
        return Obis.parse(value)
    if kind is Unit:
        return Unit(value)
    raise NotImplementedError(f"{kind.__name__} has no form in the spool")


_METER = b'{"meter"'
_ENCODER = msgspec.json.Encoder(enc_hook=_to_builtin)
_DECODER = msgspec.json.Decoder(SpoolLine, dec_hook=_from_builtin)
