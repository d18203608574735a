"""A queue on the disk for lines that a database cannot take yet: segments, delivered oldest first.

    00000007.lines              points in line protocol, or records of history as JSON; the newest segment grows
    00000003.refused            a comment with the reason, and the lines that the database refused

Each write is synced, so a kill or a power cut loses nothing; a line that was cut off is removed when the spool opens.
Above its limit the oldest segment is dropped and counted.
"""

import os
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import NamedTuple

# a segment is sent as one request: far below the limits of databases and proxies
SEGMENT_BYTES = 256 * 1024
REFUSED_BYTES = 1024 * 1024
_SEGMENTS, _REFUSED = ".lines", ".refused"


class Segment(NamedTuple):
    path: Path
    weight: int
    byte_count: int


class Spool:
    """One folder, used by one writer, from any thread. A call that raises OSError has changed nothing.

    `waiting` and `dropped` are in the unit of `count`, which by default counts lines; `byte_count` is on the disk.
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
        """Load the segments of an earlier run."""
        with self._lock:
            # before reading: a segment that cannot be read must not be overwritten either
            numbers = [int(path.stem) for path in self.folder.glob("*.*") if path.stem.isdecimal()]
            self._next = max(numbers, default=0) + 1
            self._segments = deque(map(self._repair, sorted(self.folder.glob(f"*{_SEGMENTS}"))))
            self.waiting = sum(segment.weight for segment in self._segments)
            self.byte_count = sum(segment.byte_count for segment in self._segments)

    def append(self, lines: Sequence[bytes]) -> None:
        """Append lines; synced to the disk when this returns."""
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
        """The segment to deliver next, and its lines; drops segments that can no longer be read."""
        with self._lock:
            while self._segments:
                segment = self._segments[0]
                try:
                    return segment, segment.path.read_bytes().splitlines(keepends=True)
                except OSError:
                    self._drop()
        return None

    def segments(self) -> list[Segment]:
        """All segments; later appends start a new one."""
        with self._lock:
            self._is_closed = True
            return list(self._segments)

    def remove(self, segment: Segment) -> None:
        """Delete a segment that was delivered."""
        with self._lock:
            # not equal if it has grown since it was read; gone if the limit has dropped it
            if self._segments and self._segments[0] == segment:
                self._remove_oldest()

    def set_aside(self, lines: Sequence[bytes], reason: str) -> Path:
        """Store refused lines for a person to look at; above 1 MB the oldest files go."""
        with self._lock:
            path = self._new(_REFUSED)
            _write(path, f"# {reason}\n".encode() + b"".join(lines), 0)
            files = sorted(self.folder.glob(f"*{_REFUSED}"))
            while sum(file.stat().st_size for file in files) > REFUSED_BYTES and len(files) > 1:
                files.pop(0).unlink()
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
        # if it cannot be deleted, the next start delivers it again: databases ignore the duplicate
        with suppress(OSError):
            segment.path.unlink()

    def _repair(self, path: Path) -> Segment:
        """Remove an incomplete last line, cut off by a power cut."""
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(path, whole)
        return Segment(path, self._count(content[:whole].splitlines(keepends=True)), whole)


def _write(path: Path, content: bytes, size: int) -> None:
    """Append to a file of `size` bytes; if that fails, truncate it to `size` again."""
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
    """Flush a file, or the entries of a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
