"""What comes from a port that is being searched.

The diagnosis judges bytes as a receiver at 9600 8N1 sees them: only these are kept, with their errors and the time in
which they arrived. Bytes at other settings are counted.
"""

import time

from iskra_server.sources.recogniser import MAX_BYTES
from iskra_server.sources.serial import SerialLine
from iskra_server.sources.source import LineErrors, LineSettings, ReceivedWhileProbing


class PortProbe:
    """`total` counts the bytes at all settings."""

    def __init__(self, line: SerialLine) -> None:
        self.total = 0
        self._line = line
        self._is_judged = False
        self._data = b""
        self._count = 0
        self._errors: LineErrors | None = None
        # in earlier windows, and since when in this one; silence before the first byte does not count
        self._seconds = 0.0
        self._since_s = 0.0

    def begin(self, settings: LineSettings) -> None:
        """The line has these settings from now on."""
        self._seconds = self._passed_s()
        self._is_judged, self._since_s = settings == LineSettings(), time.monotonic()
        # those of other settings say nothing
        self._line.errors()

    def add(self, data: bytes) -> None:
        self.total += len(data)
        if not self._is_judged:
            return
        if not self._count:
            self._since_s = time.monotonic()
        self._count += len(data)
        self._data = (self._data + data)[-MAX_BYTES:]
        errors = self._line.errors()
        self._errors = errors and errors + (self._errors or LineErrors())

    def received(self) -> ReceivedWhileProbing:
        return ReceivedWhileProbing(self._data, self._count, self._passed_s(), self._errors)

    def _passed_s(self) -> float:
        is_passing = self._is_judged and self._count
        return self._seconds + (time.monotonic() - self._since_s if is_passing else 0.0)
