"""A spool on the disk for what history cannot write yet: it survives restarts, reloads and power cuts.

    ledger/00000001.lines       quarter readings, power, epochs: one record a line (spool_lines.py)
    points/00000001.lines       blocks of telegrams
    samples/00000001.lines      samples that came before history was opened for the first time

Each folder is bounded; above its limit the oldest segment is dropped and counted. A segment names its meters, so it can
be written alone; records have unique keys, so writing one twice changes nothing. A segment is deleted after its commit.

There are several places, because the data directory itself may be what fails. The first one that can be written is
used, all are read. The last place is the same for every configuration; its file `elsewhere` lists other used places.
"""

import fcntl
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from iskra_server.base.clock import wall_ahead_s
from iskra_server.base.spool import Segment, Spool
from iskra_server.history.model.records import MeterInfo, Record, merge_meter
from iskra_server.history.recording.pending_records import PendingBatch
from iskra_server.history.recording.spool_lines import (
    SpoolLine,
    count_records,
    count_telegrams,
    decode,
    lines_of_records,
    lines_of_samples,
)
from iskra_server.history.recording.waiting_samples import WaitingSample
from iskra_server.meter.reading import Sample

# a year of one meter, or eight hours of a thousand
LEDGER_BYTES = 64_000_000
# two months of a meter that sends every second
POINTS_BYTES = 64_000_000
SAMPLES_BYTES = 32_000_000

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

log = logging.getLogger(__name__)

Write = Callable[[Sequence[Record], Sequence[MeterInfo]], None]


class HistorySpool:
    """Call it from any thread. Raises OSError where no place can be written."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._places = [_Place(folder) for folder in folders]
        self._elsewhere = folders[-1] / "elsewhere" if folders else None

    def open(self) -> None:
        """Load what an earlier run has left; skips places that cannot be read."""
        self.add_places(self._read_elsewhere())
        for place in self._places:
            try:
                if place.folder.is_dir():
                    place.open()
            except OSError as error:
                log.warning("Unwritten history stays in %s: %s", place.folder, error.strerror or error)
        for folder in self._abandoned():
            log.warning(
                "Readings wait in %s, recorded with other meters configured: configure those again to write them.",
                folder,
            )

    def _abandoned(self) -> Iterator[Path]:
        """Folders beside ours that hold something and belong to no running server: the configured meters differ."""
        ours = {place.folder for place in self._places}
        for place in self._places:
            kind = place.folder.name.partition("-")[0]
            for folder in sorted(place.folder.parent.glob(f"{kind}-*")):
                if folder not in ours and next(folder.glob("*/*.lines"), None):
                    with suppress(OSError):
                        os.close(_acquire_lock(folder))
                        yield folder

    def add_places(self, folders: Sequence[Path]) -> None:
        """Also read these, where another configuration has left something. Call before `open`."""
        ours = {place.folder for place in self._places}
        self._places += [_Place(folder) for folder in folders if folder not in ours]

    def append(self, batch: PendingBatch) -> None:
        """Synced to the disk when this returns."""
        first_error: OSError | None = None
        for place in self._places:
            try:
                place.append(batch)
            except OSError as error:
                first_error = first_error or error
            else:
                self._note_elsewhere(place)
                return
        raise first_error or OSError("history has no folder for what it cannot write")

    def close(self) -> None:
        """Unlock the folders for another process."""
        for place in self._places:
            place.close()

    def replay(self, write: Write) -> int:
        """Write each segment, oldest first, and delete it; returns the number of records."""
        return sum(place.replay(write) for place in self._places)

    def read_samples(self) -> list[WaitingSample]:
        """In the order of arrival; they stay on the disk until `remove_samples`."""
        return [sample for place in self._places for sample in place.read_samples()]

    def remove_samples(self) -> None:
        """Delete those that `read_samples` returned last."""
        for place in self._places:
            place.remove_samples()

    def _read_elsewhere(self) -> list[Path]:
        try:
            lines = self._elsewhere.read_text().splitlines() if self._elsewhere else []
        except (OSError, ValueError):
            return []
        return [Path(line) for line in lines if Path(line).is_absolute()]

    def _note_elsewhere(self, written: "_Place") -> None:
        """So that the next start finds these places, even with another data directory."""
        if not self._elsewhere:
            return
        folders = {written.folder, *self.used_places} - {self._elsewhere.parent}
        if not folders:
            return
        content = "".join(sorted(f"{folder}\n" for folder in folders))
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
    def samples(self) -> int:
        return sum(place.samples.waiting for place in self._places)

    @property
    def dropped(self) -> tuple[int, int]:
        """Records and telegrams that had no room, could not be read, or could not be dated."""
        records = sum(place.ledger.dropped + place.unreadable for place in self._places)
        telegrams = sum(place.points.dropped + place.samples.dropped + place.undatable for place in self._places)
        return records, telegrams

    @property
    def used_places(self) -> list[Path]:
        """Folders that hold something."""
        return [place.folder for place in self._places if place.byte_count]


class _Place:
    """One folder with its three spools; a lock file keeps other processes out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: int | None = None
        self.ledger = Spool(folder / "ledger", LEDGER_BYTES, count_records)
        self.points = Spool(folder / "points", POINTS_BYTES, count_telegrams)
        self.samples = Spool(folder / "samples", SAMPLES_BYTES)
        self.unreadable = self.undatable = 0
        self._read_segments: list[Segment] = []

    @property
    def byte_count(self) -> int:
        return self.ledger.byte_count + self.points.byte_count + self.samples.byte_count

    def open(self) -> None:
        if self._lock is None:
            lock = _acquire_lock(self.folder)
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

    def append(self, batch: PendingBatch) -> None:
        self.open()
        if batch.ledger:
            self.ledger.append(lines_of_records(batch.meters, batch.ledger))
        if batch.points:
            self.points.append(lines_of_records(batch.meters, batch.points))
        if batch.samples:
            self.samples.append(lines_of_samples(batch.samples, _boot_id()))

    def replay(self, write: Write) -> int:
        written = 0
        for spool in (self.ledger, self.points):
            while oldest := spool.oldest():
                segment, content = oldest
                lines = self._decode(spool, content)
                records = [line.record for line in lines if line.record]
                meters: dict[str, MeterInfo] = {}
                for line in lines:
                    if line.meter:
                        merge_meter(meters, line.meter)
                write(records, list(meters.values()))
                spool.remove(segment)
                written += len(records)
        return written

    def read_samples(self) -> list[WaitingSample]:
        self._read_segments = self.samples.segments()
        content = [line for segment in self._read_segments for line in _content(segment)]
        boot, samples = _boot_id(), []
        for line in self._decode(self.samples, content):
            if line.sample and boot and line.boot == boot:
                samples.append(WaitingSample(line.sample, line.is_trusted))
            elif line.sample and line.is_trusted:
                samples.append(WaitingSample(_dated_by_wall_clock(line.sample), is_trusted=True))
            else:
                self.undatable += 1
        if self.undatable:
            log.error(
                "%d telegrams are lost: they arrived before a reboot, under a clock that was not trusted.",
                self.undatable,
            )
        return samples

    def remove_samples(self) -> None:
        for segment in self._read_segments:
            self.samples.remove(segment)
        self._read_segments = []

    def _decode(self, spool: Spool, content: Sequence[bytes]) -> list[SpoolLine]:
        """Lines that are damaged or of a later version are set aside and counted, so that they block no others."""
        lines, unreadable = decode(content)
        if unreadable:
            self.unreadable += len(unreadable)
            try:
                path = spool.set_aside(unreadable, "damaged")
                log.error("%d lines cannot be read; they are set aside in %s", len(unreadable), path)
            except OSError as error:
                log.error("%d lines in %s cannot be read: %s", len(unreadable), spool.folder, error)
        return lines


def _acquire_lock(folder: Path) -> int:
    """A file descriptor; closing it unlocks the folder. Raises OSError where another process holds the lock."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _dated_by_wall_clock(sample: Sample) -> Sample:
    """A sample of an earlier boot: its boot time means nothing now, so it is computed from the wall clock."""
    return replace(sample, monotonic_s=sample.received_at.timestamp() - wall_ahead_s())


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


def _content(segment: Segment) -> Iterator[bytes]:
    try:
        yield from segment.path.read_bytes().splitlines(keepends=True)
    except OSError as error:
        log.error("%s cannot be read: %s", segment.path, error)
