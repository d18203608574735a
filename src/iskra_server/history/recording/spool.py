"""What history could not write yet, on the disk: kept over the end of the process, a reload and a power cut.

    ledger/00000001.lines       counters at quarters, power, epochs: one record a line, as JSON
    points/00000001.lines       blocks of telegrams
    samples/00000001.lines      readings around each quarter that came before history was opened once

Each folder is bounded, and its oldest segment goes first when it is full. Every batch names its meters, so that each
segment can be written alone; records have their keys in themselves, so writing one twice changes nothing. A segment
is removed when the database has committed it.

There are several places, of which the first that can be written is used, and all are read: the data directory itself
may be what is wrong. The last one is the same whatever is configured; it says in `elsewhere` which others were used.
"""

import fcntl
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from iskra_server.base.clock import wall_ahead_s
from iskra_server.base.spool import Segment, Spool
from iskra_server.history.model.records import (
    ClockStep,
    EpochStart,
    MeterInfo,
    PointBlock,
    PowerQuarter,
    QuarterReading,
    Record,
)
from iskra_server.history.recording.pending import Batch, note_meter
from iskra_server.history.recording.waiting import Waited
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Sample
from iskra_server.meter.units import Unit

# a year of one meter, or eight hours of a thousand
LEDGER_BYTES = 64_000_000
# two months of a meter that sends every second
POINTS_BYTES = 64_000_000
SAMPLES_BYTES = 32_000_000

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

log = logging.getLogger(__name__)


class Line(Struct, frozen=True, omit_defaults=True, rename={"quarter_reading": "boundary"}):
    """One of these; a sample with the boot that its boot time counts from, and whether its wall clock was believed."""

    meter: MeterInfo | None = None
    quarter_reading: QuarterReading | None = None
    power: PowerQuarter | None = None
    epoch: EpochStart | None = None
    block: PointBlock | None = None
    sample: Sample | None = None
    step: ClockStep | None = None
    boot: str = ""
    believed: bool = True

    @property
    def record(self) -> Record | None:
        return self.quarter_reading or self.power or self.epoch or self.block or self.step


Write = Callable[[Sequence[Record], Sequence[MeterInfo]], None]


class HistorySpool:
    """What waits in some places. Each method may be called from any thread; OSError where no place can be written."""

    def __init__(self, places: Sequence[Path]) -> None:
        self._places = [_Place(folder) for folder in places]
        self._elsewhere = places[-1] / "elsewhere" if places else None

    def open(self) -> None:
        """What an earlier run has left waits again; a place that cannot be read is left alone."""
        self.add(self._read_elsewhere())
        for place in self._places:
            try:
                if place.folder.is_dir():
                    place.open()
            except OSError as error:
                log.warning("What waits in %s stays there: %s", place.folder, error.strerror or error)
        for folder in self._left():
            log.warning(
                "Readings wait in %s, kept while other meters were configured: configure those again to write them.",
                folder,
            )

    def _left(self) -> Iterator[Path]:
        """Folders beside ours with something in them that no running server has: the configured meters have changed."""
        own = {place.folder for place in self._places}
        for place in self._places:
            kind = place.folder.name.partition("-")[0]
            for folder in sorted(place.folder.parent.glob(f"{kind}-*")):
                if folder not in own and next(folder.glob("*/*.lines"), None):
                    with suppress(OSError):
                        os.close(_locked(folder))
                        yield folder

    def add(self, places: Sequence[Path]) -> None:
        """Read these, too: another history has left something there. Before `open`."""
        folders = {place.folder for place in self._places}
        self._places += [_Place(folder) for folder in places if folder not in folders]

    def keep(self, batch: Batch) -> None:
        """Safe from a power cut when this returns."""
        failed: OSError | None = None
        for place in self._places:
            try:
                place.keep(batch)
            except OSError as error:
                failed = failed or error
            else:
                self._note_elsewhere(place)
                return
        raise failed or OSError("there is no place for what history could not write")

    def close(self) -> None:
        """Another may go on with what waits."""
        for place in self._places:
            place.close()

    def write(self, write: Write) -> int:
        """Hand over every record with its meters, the oldest first, and forget it; says how many records."""
        return sum(place.write(write) for place in self._places)

    def samples(self) -> list[Waited]:
        """The readings that wait, in the order of their arrival; they stay until `forget_samples`."""
        return [sample for place in self._places for sample in place.read_samples()]

    def forget_samples(self) -> None:
        """Those that `samples` gave are in the database."""
        for place in self._places:
            place.forget_samples()

    def _read_elsewhere(self) -> list[Path]:
        """The places that were used under another configuration; they are noted again as long as they are used."""
        try:
            noted = self._elsewhere.read_text().splitlines() if self._elsewhere else []
        except (OSError, ValueError):
            return []
        return [Path(line) for line in noted if Path(line).is_absolute()]

    def _note_elsewhere(self, used: "_Place") -> None:
        """So that the next start finds them, also with another data directory."""
        if not self._elsewhere:
            return
        noted = {used.folder, *self.used} - {self._elsewhere.parent}
        if not noted:
            return
        content = "".join(sorted(f"{folder}\n" for folder in noted))
        try:
            if not self._elsewhere.exists() or self._elsewhere.read_text() != content:
                self._elsewhere.parent.mkdir(parents=True, exist_ok=True)
                self._elsewhere.write_text(content)
        except (OSError, ValueError) as error:
            log.debug("%s cannot be written: %s", self._elsewhere, error)

    @property
    def records(self) -> int:
        return sum(place.ledger.waiting for place in self._places)

    @property
    def telegrams(self) -> int:
        return sum(place.points.waiting for place in self._places)

    @property
    def readings(self) -> int:
        return sum(place.samples.waiting for place in self._places)

    @property
    def dropped(self) -> tuple[int, int]:
        """Records and telegrams that there was no room for, or that could not be read."""
        ledger = sum(place.ledger.dropped + place.damaged for place in self._places)
        return ledger, sum(place.points.dropped + place.samples.dropped + place.unplaceable for place in self._places)

    @property
    def used(self) -> list[Path]:
        """Where something waits."""
        return [place.folder for place in self._places if place.byte_count]


class _Place:
    """One folder with its three spools."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: int | None = None
        self.ledger = Spool(folder / "ledger", LEDGER_BYTES, _count_records)
        self.points = Spool(folder / "points", POINTS_BYTES, _count_telegrams)
        self.samples = Spool(folder / "samples", SAMPLES_BYTES)
        self.damaged = self.unplaceable = 0
        self._given: list[Segment] = []

    @property
    def byte_count(self) -> int:
        return self.ledger.byte_count + self.points.byte_count + self.samples.byte_count

    def open(self) -> None:
        """Once: what is there already must not be written over, nor by another process at the same time."""
        if self._lock is None:
            lock = _locked(self.folder)
            try:
                for spool in (self.ledger, self.points, self.samples):
                    spool.open()
            except OSError:
                os.close(lock)
                raise
            self._lock = lock

    def close(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def keep(self, batch: Batch) -> None:
        self.open()
        meters = [Line(meter=info) for info in batch.meters]
        if batch.ledger:
            self.ledger.append(_encoded([*meters, *map(_line, batch.ledger)]))
        if batch.points:
            self.points.append(_encoded([*meters, *map(_line, batch.points)]))
        if batch.samples:
            boot = _boot_id()
            lines = (Line(sample=_numbers_alone(s), boot=boot, believed=believed) for s, believed in batch.samples)
            self.samples.append(_encoded(lines))

    def write(self, write: Write) -> int:
        written = 0
        for spool in (self.ledger, self.points):
            while found := spool.oldest():
                segment, content = found
                lines = self._decoded(spool, content)
                records = [line.record for line in lines if line.record]
                meters: dict[str, MeterInfo] = {}
                for line in lines:
                    if line.meter:
                        note_meter(meters, line.meter)
                write(records, list(meters.values()))
                spool.remove(segment)
                written += len(records)
        return written

    def read_samples(self) -> list[Waited]:
        self._given = self.samples.segments()
        content = [line for segment in self._given for line in _content(segment)]
        boot, found = _boot_id(), []
        for line in self._decoded(self.samples, content):
            if line.sample and boot and line.boot == boot:
                found.append((line.sample, line.believed))
            elif line.sample and line.believed:
                found.append((_by_wall_clock(line.sample), True))
            else:
                self.unplaceable += 1
        if self.unplaceable:
            log.error(
                "%d telegrams cannot be placed: their clock was not believed, and they arrived before a reboot.",
                self.unplaceable,
            )
        return found

    def forget_samples(self) -> None:
        for segment in self._given:
            self.samples.remove(segment)
        self._given = []

    def _decoded(self, spool: Spool, content: Sequence[bytes]) -> list[Line]:
        """A line that is damaged, or of another version, is set aside and counted: it must hold up no other."""
        lines, damaged = [], []
        for each in content:
            try:
                lines.append(_DECODER.decode(each))
            except (msgspec.MsgspecError, ValueError):
                damaged.append(each)
        if damaged:
            self.damaged += len(damaged)
            try:
                log.error("%d lines cannot be read: set aside in %s", len(damaged), spool.set_aside(damaged, "damaged"))
            except OSError as error:
                log.error("%d lines in %s cannot be read: %s", len(damaged), spool.folder, error)
        return lines


def _locked(folder: Path) -> int:
    """A descriptor to close when the folder is free again. Raises OSError where another process has it."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _numbers_alone(sample: Sample) -> Sample:
    """The ledger needs no more of a telegram."""
    return replace(sample, reading=replace(sample.reading, registers=tuple(sample.reading.numbers())))


def _by_wall_clock(sample: Sample) -> Sample:
    """Boot time of another boot says nothing in this one: the wall clock alone tells then what passed since."""
    return replace(sample, monotonic_s=sample.received_at.timestamp() - wall_ahead_s())


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


def _line(record: Record) -> Line:
    match record:
        case QuarterReading():
            return Line(quarter_reading=record)
        case PowerQuarter():
            return Line(power=record)
        case EpochStart():
            return Line(epoch=record)
        case PointBlock():
            return Line(block=record)
        case ClockStep():
            return Line(step=record)


def _encoded(lines: Iterable[Line]) -> list[bytes]:
    return [_ENCODER.encode(line) + b"\n" for line in lines]


def _content(segment: Segment) -> Iterator[bytes]:
    try:
        yield from segment.path.read_bytes().splitlines(keepends=True)
    except OSError as error:
        log.error("%s cannot be read: %s", segment.path, error)


def _count_records(lines: Sequence[bytes]) -> int:
    return sum(not line.startswith(_METER) for line in lines)


def _count_telegrams(lines: Sequence[bytes]) -> int:
    """A line that cannot be read counts for one, until it is set aside."""
    return sum(_telegrams(line) for line in lines if not line.startswith(_METER))


def _telegrams(line: bytes) -> int:
    try:
        block = _DECODER.decode(line).block
    except (msgspec.MsgspecError, ValueError):
        return 1
    return block.count if block else 0


def _as_plain(value: Any) -> str | int:
    if isinstance(value, Obis):
        return str(value)
    if isinstance(value, Unit):
        return int(value)
    raise NotImplementedError(f"{type(value).__name__} has no form in the spool")


def _from_plain(kind: type, value: Any) -> Any:
    if kind is Obis:
        return Obis.parse(value)
    if kind is Unit:
        return Unit(value)
    raise NotImplementedError(f"{kind.__name__} has no form in the spool")


_METER = b'{"meter"'
_ENCODER = msgspec.json.Encoder(enc_hook=_as_plain)
_DECODER = msgspec.json.Decoder(Line, dec_hook=_from_plain)
