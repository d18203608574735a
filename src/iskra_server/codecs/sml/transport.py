"""SML transport, version 1: cuts telegrams out of a stream of bytes (SML 1.04, 8).

    1B1B1B1B 01010101 | payload, padded with 00 | 1B1B1B1B 1A PP CC CC
    escape   start                                escape   end, padding, checksum

    escape escape   in the payload: four bytes 1B       escape start   the telegram before was cut off
    escape other    damage

Bytes are held until an end mark shows that something is complete. A telegram that proves damaged gives its
bytes back behind its start mark, so that a good telegram that begins inside it is found. Of start marks inside one
damaged stretch, the first MAX_RESTARTS and the last are tried: so any bytes cost linear time.
"""

from iskra_server.codecs.sml.encoder import END, ESCAPE, START
from iskra_server.meter.reading import Fault, FaultKind

_START_TAIL = START[4:]
_END_LENGTH = 8
# so many bytes of an end mark may stand at the end of a chunk
_END_OVERLAP = len(END) - 1
_SHORTEST = len(START) + _END_LENGTH

# the longest telegram seen has 560 bytes
MAX_TELEGRAM = 8192
# a real stretch of damage holds one start mark, rarely two
MAX_RESTARTS = 8


def payload(telegram: bytes) -> bytes:
    """What stands between the marks of a telegram, without escapes; its last `telegram[-3]` bytes are padding."""
    return telegram[len(START) : -_END_LENGTH].replace(ESCAPE * 2, ESCAPE)


class Transport:
    """`ready` takes bytes and says cheaply whether they may complete something; `next` then gives it.

    `escaped` tells of the last telegram given whether escapes stand inside it.
    """

    def __init__(self) -> None:
        self.escaped = False
        self._buffer = bytearray()
        self._searched = 0
        # the front telegram is scanned up to here
        self._scanned = len(START)
        # the stretch of damage at the front: how long it still is, and how often a telegram began inside it
        self._damaged = 0
        self._restarts = 0
        # the length of the telegram that was given last; it stays at the front until it counts
        self._given = 0

    @property
    def pending(self) -> int:
        """How many bytes are held back, waiting for the rest of a telegram."""
        return len(self._buffer) - self._given

    def ready(self, data: bytes) -> bool:
        """True when an end mark is there, or more bytes than a telegram can have."""
        buffer = self._buffer
        if self._given:
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
        """A telegram from start mark to checksum, nothing in it checked; or damage; None when nothing is complete."""
        buffer = self._buffer
        if self._given:
            self._accept()
        found = None
        if len(buffer) >= _SHORTEST:
            found = self._front() if buffer.startswith(START) else self._noise()
        if found is None:
            self._searched = max(0, len(buffer) - _END_LENGTH + 1)
        return found

    def reject(self, telegram: bytes, kind: FaultKind, detail: str) -> Fault:
        """Give up a telegram that `next` gave, but none that begins inside it, were it with its first bytes only."""
        self._given = 0
        end = len(telegram)
        overlap = next((k for k in (3, 2, 1) if START.startswith(self._buffer[end - k : end - k + len(START)])), 0)
        return self._drop(end - overlap, kind, detail)

    def _noise(self) -> Fault:
        """The bytes before the next start mark, or before what may become one."""
        start = self._buffer.find(START)
        if start < 0:
            kept = next((k for k in range(len(START) - 1, 0, -1) if self._buffer.endswith(START[:k])), 0)
            start = len(self._buffer) - kept
        self._take(start)
        return Fault("noise", f"{start} bytes outside of telegrams", start)

    def _front(self) -> bytes | Fault | None:
        """The telegram at the front of the buffer, the damage there, or None while bytes are missing."""
        buffer = self._buffer
        position = self._scanned
        while (escape := buffer.find(ESCAPE, position, MAX_TELEGRAM)) >= 0 and len(buffer) >= escape + _END_LENGTH:
            if buffer[escape + 4] == END[4]:
                self.escaped = position > len(START)
                self._given = escape + _END_LENGTH
                return bytes(buffer[: self._given])
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
        """The telegram that was given last is not rejected any more."""
        given, self._given = self._given, 0
        del self._buffer[:given]
        self._left(given)

    def _drop(self, length: int, kind: FaultKind, detail: str) -> Fault:
        """Remove bytes from the front, at most up to the next start mark."""
        start = self._buffer.find(START, 1)
        if 0 <= start < length:
            length = self._restart(start, length)
        return Fault(kind, detail, len(self._take(length)))

    def _restart(self, start: int, length: int) -> int:
        """How many bytes to give up of a damaged stretch in which another telegram may begin."""
        if not self._damaged:
            self._damaged, self._restarts = length, 0
        self._restarts += 1
        if self._restarts <= MAX_RESTARTS:
            return start
        last = self._buffer.rfind(START, 0, length)
        return last if self._restarts == MAX_RESTARTS + 1 else length

    def _take(self, length: int) -> bytes:
        data = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._left(length)
        return data

    def _left(self, length: int) -> None:
        """So many bytes are gone from the front."""
        self._scanned = len(START)
        if self._damaged:
            self._damaged = max(0, self._damaged - length)
