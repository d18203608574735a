"""SML transport, version 1: cuts telegrams out of a stream of bytes (SML 1.04, 8).

    1B1B1B1B 01010101 | payload, padded with 00 | 1B1B1B1B 1A PP CC CC
    escape   start                                escape   end, padding, checksum

    escape escape   in the payload: four bytes 1B       escape start   the telegram before was cut off
    escape other    damage

Bytes are buffered until an end mark completes a telegram. When a telegram is rejected, the search goes on behind its
start mark, so that a valid telegram that begins inside it is found. Of several start marks inside one damaged stretch,
the first MAX_RESTARTS and the last are tried: any input costs linear time.
"""

from iskra_server.codecs.sml.encoder import END, ESCAPE, START
from iskra_server.meter.reading import Fault, FaultKind

_START_TAIL = START[4:]
_END_LENGTH = 8
# bytes of an end mark that may stand at the end of a chunk
_END_OVERLAP = len(END) - 1
_MIN_LENGTH = len(START) + _END_LENGTH

# the longest telegram seen has 560 bytes
MAX_TELEGRAM = 8192
# a real stretch of damage holds one start mark, rarely two
MAX_RESTARTS = 8


def payload(telegram: bytes) -> bytes:
    """The bytes between the marks of a telegram, without escapes; the last `telegram[-3]` of them are padding."""
    return telegram[len(START) : -_END_LENGTH].replace(ESCAPE * 2, ESCAPE)


class Transport:
    """`ready` buffers bytes and says whether they may complete something; `next` then returns it.

    `escaped` says whether the last telegram returned has escapes inside.
    """

    def __init__(self) -> None:
        self.escaped = False
        self._buffer = bytearray()
        self._searched = 0
        # the first telegram in the buffer is scanned up to here
        self._scanned = len(START)
        # the damaged stretch at the front: bytes left, and how many start marks inside it were tried
        self._damaged = 0
        self._restarts = 0
        # length of the telegram returned last; it stays at the front until the next call, as it may be rejected
        self._returned = 0

    @property
    def pending(self) -> int:
        """Bytes buffered, waiting for the rest of a telegram."""
        return len(self._buffer) - self._returned

    def ready(self, data: bytes) -> bool:
        """Buffer bytes; True when an end mark is there, or more bytes than a telegram can have."""
        buffer = self._buffer
        if self._returned:
            self._accept()
        buffer += data
        end = buffer.find(END, self._searched)
        length = len(buffer)
        if end >= 0:
            self._searched = end
            return length >= end + _END_LENGTH
        self._searched = length - _END_OVERLAP if length > _END_OVERLAP else 0
        return length > MAX_TELEGRAM

    def next(self) -> bytes | Fault | None:
        """A telegram from start mark to checksum, not checked yet; or damage; None while nothing is complete."""
        buffer = self._buffer
        if self._returned:
            self._accept()
        item = None
        if len(buffer) >= _MIN_LENGTH:
            item = self._front() if buffer.startswith(START) else self._noise()
        if item is None:
            self._searched = max(0, len(buffer) - _END_LENGTH + 1)
        return item

    def reject(self, telegram: bytes, kind: FaultKind, detail: str) -> Fault:
        """Drop the telegram that `next` returned, up to the next start mark inside it, be it there only in part."""
        self._returned = 0
        end = len(telegram)
        overlap = next((k for k in (3, 2, 1) if START.startswith(self._buffer[end - k : end - k + len(START)])), 0)
        return self._drop(end - overlap, kind, detail)

    def _noise(self) -> Fault:
        """Drop the bytes before the next start mark, or before what may become one."""
        start = self._buffer.find(START)
        if start < 0:
            kept = next((k for k in range(len(START) - 1, 0, -1) if self._buffer.endswith(START[:k])), 0)
            start = len(self._buffer) - kept
        self._remove(start)
        return Fault("noise", f"{start} bytes outside of telegrams", start)

    def _front(self) -> bytes | Fault | None:
        """The telegram at the front of the buffer, the damage there, or None while bytes are missing."""
        buffer = self._buffer
        position = self._scanned
        while (escape := buffer.find(ESCAPE, position, MAX_TELEGRAM)) >= 0 and len(buffer) >= escape + _END_LENGTH:
            if buffer[escape + 4] == END[4]:
                self.escaped = position > len(START)
                self._returned = escape + _END_LENGTH
                return bytes(buffer[: self._returned])
            mark = buffer[escape + 4 : escape + _END_LENGTH]
            if mark == _START_TAIL:
                return self._drop(escape, "cut", "a new telegram begins inside this one")
            if mark != ESCAPE:
                return self._drop(escape + 1, "escape", f"unknown escape sequence {mark.hex()}")
            self._scanned = position = escape + _END_LENGTH
        if len(buffer) > MAX_TELEGRAM:
            return self._drop(MAX_TELEGRAM - len(START), "oversize", f"no end within {MAX_TELEGRAM} bytes")
        return None

    def _accept(self) -> None:
        """Remove the telegram returned last: it was not rejected."""
        length, self._returned = self._returned, 0
        self._remove(length)

    def _drop(self, length: int, kind: FaultKind, detail: str) -> Fault:
        """Remove bytes from the front, at most up to the next start mark."""
        start = self._buffer.find(START, 1)
        if 0 <= start < length:
            length = self._restart(start, length)
        self._remove(length)
        return Fault(kind, detail, length)

    def _restart(self, start: int, length: int) -> int:
        """How many bytes to drop of a damaged stretch in which another telegram may begin."""
        if not self._damaged:
            self._damaged, self._restarts = length, 0
        self._restarts += 1
        if self._restarts <= MAX_RESTARTS:
            return start
        last = self._buffer.rfind(START, 0, length)
        return last if self._restarts == MAX_RESTARTS + 1 else length

    def _remove(self, length: int) -> None:
        """Remove bytes from the front."""
        del self._buffer[:length]
        self._scanned = len(START)
        if self._damaged:
            self._damaged = max(0, self._damaged - length)
