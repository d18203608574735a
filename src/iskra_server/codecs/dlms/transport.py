"""Cuts HDLC frames, M-Bus frames and bare telegrams out of a stream of bytes.

Bytes are held until a frame is whole or proves to be none. A frame that proves damaged costs the bytes up to the next
place at which another one may begin, so a good frame that begins inside it is found.

    HDLC, M-Bus   always; once one was right, nothing without a checksum counts any more
    bare          at the start of the stream and directly behind another bare telegram; behind noise only when the
                  next one follows directly, because a damaged frame also has a telegram inside
"""

import re
from collections import deque

from msgspec.structs import replace

from iskra_server.codecs.dlms import hdlc, mbus
from iskra_server.codecs.dlms.bare import BareTelegram
from iskra_server.codecs.dlms.blocks import Assembled
from iskra_server.codecs.dlms.hdlc import HdlcFrame
from iskra_server.codecs.dlms.mbus import MbusFrame
from iskra_server.codecs.errors import Malformed, NoFrame
from iskra_server.meter.reading import Fault

Found = HdlcFrame | MbusFrame | Assembled | Fault

_FRAME = rb"\x7e(?=[\xa0-\xaf]|\Z)|\x68(?=.{2}\x68|.{0,2}\Z)"
_FRAMED = re.compile(_FRAME, re.DOTALL)
_ANY = re.compile(_FRAME + rb"|\x0f|\xdb|\xe6(?=\xe7|\Z)", re.DOTALL)
# of a frame so many bytes tell that it may begin
_HEAD = 4
# noise is reported in pieces of this many bytes, however it arrives
_NOISE_PIECE = 1024


class Transport:
    """`feed` takes bytes; `next` gives a frame whose checksums are right, a bare telegram or damage, or None.

    What was given last may be refused when its content proves wrong: a bare telegram has no checksum at all, an M-Bus
    frame only a sum of eight bits.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._results: deque[Found] = deque()
        # bytes that were given last; they stay at the front until it is clear that they are not refused
        self._given = 0
        # bytes at the front that were reported already: the closing flag of a frame, which may open the next one
        self._counted = 0
        self._noise = 0
        self._is_framed = False
        # a bare telegram may begin at the front, without proof that it is one
        self._expects_bare = True
        self._bare: BareTelegram | None = None
        # up to here no frame begins behind the beginning of a bare telegram
        self._looked = 1

    @property
    def pending(self) -> int:
        """Bytes held back: the beginning of a frame, and noise that is not reported yet."""
        return len(self._buffer) - max(self._given, self._counted) + self._noise

    def feed(self, data: bytes) -> None:
        self._accept()
        self._buffer += data

    def next(self) -> Found | None:
        """What comes next; None when nothing is complete."""
        while not self._results:
            self._accept()
            if not self._buffer or not self._step():
                return None
        return self._results.popleft()

    def refuse(self) -> None:
        """Look for frames inside of what was given last, too; its bytes are not reported again."""
        if self._given:
            self._counted, self._given = self._given, 0
            self._skip(1)

    def _accept(self) -> None:
        if self._given:
            given, self._given = self._given, 0
            expects_bare = self._bare is not None
            self._remove(given)
            self._expects_bare = expects_bare

    def _step(self) -> bool:
        """One thing at the front of the buffer; False while it waits for more bytes."""
        buffer = self._buffer
        if self._bare is None:
            found = (_FRAMED if self._is_framed else _ANY).search(buffer)
            start = found.start() if found else len(buffer)
            if start:
                self._skip(start)
                return True
            if buffer[0] == hdlc.FLAG:
                return self._hdlc()
            if buffer[0] == mbus.START:
                return self._mbus()
            self._bare = BareTelegram()
        return self._bare_telegram(self._bare)

    def _hdlc(self) -> bool:
        buffer = self._buffer
        # its opening flag may have been counted as the closing one of the frame before
        shared = min(self._counted, 1)
        try:
            frame = hdlc.read(buffer, 0)
        except NoFrame:
            self._skip(1)
            return True
        except Malformed as error:
            end = hdlc.end_of(buffer, 0)
            length = self._damaged_length(end)
            flag = int(length == end and buffer[end] == hdlc.FLAG)
            self._report(Fault("checksum", str(error), length + flag - shared))
            self._remove(length)
            self._counted = flag
            return True
        if frame is None:
            return False
        self._report(replace(frame, size=frame.size - shared))
        self._is_framed = True
        self._remove(frame.size - 1)
        self._counted = 1
        return True

    def _mbus(self) -> bool:
        buffer = self._buffer
        try:
            frame = mbus.read(buffer, 0)
        except NoFrame:
            self._skip(1)
            return True
        except Malformed as error:
            length = self._damaged_length(mbus.end_of(buffer, 0))
            self._report(Fault("checksum", str(error), length))
            self._remove(length)
            return True
        if frame is None:
            return False
        self._report(frame)
        self._is_framed = True
        self._given = frame.size
        return True

    def _damaged_length(self, end: int) -> int:
        """How much of the damaged frame at the front is lost: up to where another frame may begin."""
        buffer = self._buffer
        for found in _FRAMED.finditer(buffer, 1, end + 1):
            at = found.start()
            try:
                _read(buffer, at)
            except NoFrame:
                continue
            except Malformed:
                pass
            return at
        return min(end, len(buffer))

    def _bare_telegram(self, bare: BareTelegram) -> bool:
        buffer = self._buffer
        try:
            end = bare.end(buffer)
            is_followed = None if end is None else bare.is_followed(buffer, end)
            if end is None or (is_followed is None and not self._expects_bare):
                if self._has_frame_inside():
                    raise NoFrame("a frame is inside")
                return False
            if is_followed is False:
                raise NoFrame("what follows is no telegram")
        except NoFrame:
            self._skip(1)
            return True
        self._report(Assembled(bare.apdu(buffer, end), end, protection="none"))
        self._given = end
        return True

    def _has_frame_inside(self) -> bool:
        """Whether a whole frame stands behind the beginning of a bare telegram, which is none then."""
        buffer, undecided = self._buffer, len(self._buffer)
        for found in _FRAMED.finditer(buffer, self._looked):
            try:
                if _read(buffer, found.start()) is not None:
                    return True
            except Malformed:
                continue
            undecided = min(undecided, found.start())
        # the beginning of a frame may stand at the end
        self._looked = max(1, min(undecided, len(buffer) - _HEAD))
        return False

    def _skip(self, count: int) -> None:
        """Bytes at the front that belong to nothing."""
        self._noise += max(0, count - self._counted)
        self._remove(count)
        while self._noise >= _NOISE_PIECE:
            self._results.append(_noise_fault(_NOISE_PIECE))
            self._noise -= _NOISE_PIECE

    def _report(self, found: Found) -> None:
        if self._noise:
            self._results.append(_noise_fault(self._noise))
        self._noise = 0
        self._results.append(found)

    def _remove(self, count: int) -> None:
        del self._buffer[:count]
        self._counted = max(0, self._counted - count)
        self._bare = None
        self._looked = 1
        self._expects_bare = False


def _read(buffer: bytearray, at: int) -> HdlcFrame | MbusFrame | None:
    return hdlc.read(buffer, at) if buffer[at] == hdlc.FLAG else mbus.read(buffer, at)


def _noise_fault(count: int) -> Fault:
    return Fault("noise", f"{count} bytes outside of telegrams", count)
