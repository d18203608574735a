"""A capture file as a source that ends: `file:PATH` at the pace of 9600 8N1, `?speed=10` faster, `?speed=0` at once.

Old readings are not current ones, so they are marked like simulated data. A file of hex text is converted to bytes.
"""

import asyncio
import logging
import os
import stat
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from io import BufferedReader, BytesIO
from pathlib import Path

from iskra_server.base.threads import in_daemon_thread
from iskra_server.sources import hextext
from iskra_server.sources.source import Chunk, FormatProblem, SourceState, plain_problem, timestamped

CHUNK_BYTES = 64
BYTES_PER_S = 960
_BEGINNING = 512
_MAX_TEXT = 64 * 1024 * 1024

log = logging.getLogger("iskra_server.sources")


class Replay:
    """`speed` 1 is 960 bytes a second, 0 as fast as they are read."""

    simulated = True

    def __init__(
        self, *, url: str, path: Path, speed: float = 1.0, format_problem: FormatProblem = plain_problem
    ) -> None:
        self.url = url
        self.state = SourceState(str(path), is_open=False)
        self._path = path
        self._speed = speed
        self._format_problem = format_problem

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        try:
            # only reading shows some errors: a directory can be opened
            capture = await in_daemon_thread(self._open, discard=lambda late: late.close())
        except OSError as error:
            problem = _problem(error)
            self._close(problem, reason=error.strerror or str(error))
            log.warning("%s", self._format_problem(problem, self.state.details))
            return
        self.state = SourceState(str(self._path), is_open=True)
        began_s, sent = time.monotonic(), 0
        async with aclosing(_pieces(capture)) as pieces:
            async for data in pieces:
                sent += len(data)
                await asyncio.sleep(self._pause_s(began_s, sent))
                yield timestamped(data)
        self._close("ended")

    def _open(self) -> BytesIO | BufferedReader:
        capture = self._path.open("rb")
        size = os.fstat(capture.fileno()).st_size
        # a pipe has no size, and may never end
        if hextext.is_text(capture.peek(1)[:_BEGINNING]) and 0 < size <= _MAX_TEXT:
            with suppress(hextext.NotADump), capture:
                return BytesIO(hextext.parse(capture.read()))
            return self._path.open("rb")
        return capture

    def _pause_s(self, began_s: float, sent: int) -> float:
        if not self._speed:
            return 0.0
        return max(0.0, began_s + sent / (BYTES_PER_S * self._speed) - time.monotonic())

    def _close(self, problem: str, **details: str) -> None:
        path = str(self._path)
        self.state = SourceState(path, is_open=False, problem=problem, details={"port": path, **details})


async def _pieces(capture: BytesIO | BufferedReader) -> AsyncGenerator[bytes, None]:
    """The content until its end; then closes it. Reads a pipe in a thread: its reads block."""
    if isinstance(capture, BytesIO) or stat.S_ISREG(os.fstat(capture.fileno()).st_mode):
        with capture:
            while data := capture.read(CHUNK_BYTES):
                yield data
        return
    is_cancelled = False

    def read() -> bytes:
        data = capture.read1(CHUNK_BYTES)
        if is_cancelled or not data:
            # closed here only: closing it in another thread would wait for this read
            capture.close()
        return data

    try:
        while data := await in_daemon_thread(read):
            yield data
    finally:
        is_cancelled = True


def _problem(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "capture_missing"
    return "capture_permission" if isinstance(error, PermissionError) else "capture_unusable"
