"""Lines that wait on the disk for a database, in segments: the oldest is delivered first, the newest is written to.

    00000007.lines              lines: points as an output sends them, or records of history as JSON
    00000003.refused            a comment with the reason, and the lines that were refused

Written and synced at once, so that a kill or a power cut loses none; a line that was cut off is mended away. Bounded:
above its limit the oldest segment is dropped, and what it held is counted.
"""

import os
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import NamedTuple

# a segment is one request: far below what any database or proxy in front of it takes
SEGMENT_BYTES = 256 * 1024
REFUSED_BYTES = 1024 * 1024
_SEGMENTS, _REFUSED = ".lines", ".refused"


class Segment(NamedTuple):
    path: Path
    weight: int
    byte_count: int


class Spool:
    """One folder, used by one writer from any thread. What fails on the disk raises OSError and has changed nothing.

    `waiting` and `bytes` are what waits; `dropped` counts what there was no room for. `count` says how much some
    lines count for: a point is a line.
    """

    def __init__(self, folder: Path, max_bytes: int, count: Callable[[Sequence[bytes]], int] = len) -> None:
        self.folder = folder
        self.waiting = self.byte_count = self.dropped = 0
        self._count = count
        self._max_bytes = max_bytes
        self._segments: deque[Segment] = deque()
        self._next = 1
        self._is_closed = False
        self._lock = Lock()

    def open(self) -> None:
        """What an earlier run has left waits again."""
        with self._lock:
            # first, as a segment that cannot be read must not be written over either
            numbers = [int(path.stem) for path in self.folder.glob("*.*") if path.stem.isdecimal()]
            self._next = max(numbers, default=0) + 1
            self._segments = deque(map(self._mended, sorted(self.folder.glob(f"*{_SEGMENTS}"))))
            self.waiting = sum(segment.weight for segment in self._segments)
            self.byte_count = sum(segment.byte_count for segment in self._segments)

    def append(self, lines: Sequence[bytes]) -> None:
        """Keep lines, safe from a power cut when this returns."""
        content = b"".join(lines)
        with self._lock:
            last = self._segments[-1] if self._segments else None
            if last is None or self._is_closed or last.byte_count + len(content) > SEGMENT_BYTES:
                last = Segment(self._new(_SEGMENTS), 0, 0)
                _write(last.path, content, 0)
                sync(self.folder)
                self._segments.append(last)
                self._is_closed = False
            else:
                _write(last.path, content, last.byte_count)
            count = self._count(lines)
            self._segments[-1] = Segment(last.path, last.weight + count, last.byte_count + len(content))
            self.waiting += count
            self.byte_count += len(content)
            while self.byte_count > self._max_bytes:
                self._drop()

    def oldest(self) -> tuple[Segment, list[bytes]] | None:
        """The segment to deliver next, and its lines; one that cannot be read any more is dropped."""
        with self._lock:
            while self._segments:
                segment = self._segments[0]
                try:
                    return segment, segment.path.read_bytes().splitlines(keepends=True)
                except OSError:
                    self._drop()
        return None

    def segments(self) -> list[Segment]:
        """Everything that waits; what is appended from now on begins a segment of its own."""
        with self._lock:
            found = list(self._segments)
            self._is_closed = True
            return found

    def remove(self, segment: Segment) -> None:
        """It is delivered."""
        with self._lock:
            # it may have grown since it was read, or the limit may have dropped it
            if self._segments and self._segments[0] == segment:
                self._remove_oldest()

    def set_aside(self, lines: Sequence[bytes], reason: str) -> Path:
        """Keep what was refused, for a person to look at; of much of it the newest."""
        with self._lock:
            path = self._new(_REFUSED)
            _write(path, f"# {reason}\n".encode() + b"".join(lines), 0)
            kept = sorted(self.folder.glob(f"*{_REFUSED}"))
            while sum(each.stat().st_size for each in kept) > REFUSED_BYTES and len(kept) > 1:
                kept.pop(0).unlink()
            return path

    def _new(self, suffix: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._next += 1
        return self.folder / f"{self._next - 1:08d}{suffix}"

    def _drop(self) -> None:
        self.dropped += self._segments[0].weight
        self._remove_oldest()

    def _remove_oldest(self) -> None:
        segment = self._segments.popleft()
        self.waiting -= segment.weight
        self.byte_count -= segment.byte_count
        # where the disk does not let go of it, the next start delivers it again, and the database has it once
        with suppress(OSError):
            segment.path.unlink()

    def _mended(self, path: Path) -> Segment:
        """A segment without the line that a power cut has cut off."""
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(path, whole)
        return Segment(path, self._count(content[:whole].splitlines(keepends=True)), whole)


def _write(path: Path, content: bytes, size: int) -> None:
    """Append to a file of `size` bytes; where the disk does not take all of it, the file is as it was."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        at = size
        while content:
            written = os.pwrite(descriptor, content, at)
            at, content = at + written, content[written:]
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, size)
        raise
    finally:
        os.close(descriptor)


def sync(path: Path) -> None:
    """Have a file or a folder on the disk, safe from a power cut, when this returns."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
