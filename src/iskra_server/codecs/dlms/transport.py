"""Cuts HDLC frames, M-Bus frames and bare telegrams out of a stream of bytes.

Bytes are held until a frame is whole or proves to be none. A frame that proves damaged costs the bytes up to the next
place at which another one may begin, so a good frame that begins inside it is found.

    HDLC, M-Bus   always; once one was right, nothing without a checksum counts any more
    bare          at the start of the stream and directly behind another bare telegram; behind noise only when the
                  next one follows directly, because a damaged frame also has a telegram inside
"""

import re

from msgspec.structs import replace

from iskra_server.codecs.dlms import hdlc, mbus
from iskra_server.codecs.dlms.bare import BEGINNINGS, BareTelegram
from iskra_server.codecs.dlms.blocks import Whole
from iskra_server.codecs.dlms.hdlc import HdlcFrame
from iskra_server.codecs.dlms.mbus import MbusFrame
from iskra_server.codecs.errors import Malformed, NoFrame
from iskra_server.meter.reading import Fault

Found = HdlcFrame | MbusFrame | Whole | Fault

_FRAME = rb"\x7e(?=[\xa0-\xaf]|\Z)|\x68(?=.{2}\x68|.{0,2}\Z)"
_FRAMED = re.compile(_FRAME, re.DOTALL)
_ANY = re.compile(_FRAME + rb"|\x0f|\xdb|\xe6(?=\xe7|\Z)", re.DOTALL)
# noise is reported in pieces of this many bytes, however it arrives
_NOISE_PIECE = 1024


class Transport:
    """`feed` takes bytes and gives what they complete: frames whose checksums are right, bare telegrams, damage."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._noise = 0
        # the closing flag of a frame is held at the front: it may open the next one
        self._holds_flag = False
        self._is_framed = False
        # a bare telegram may begin at the front, without proof that it is one
        self._expects_bare = True
        self._bare: BareTelegram | None = None

    @property
    def pending(self) -> int:
        """Bytes held back: the beginning of a frame, and noise that is not reported yet."""
        return len(self._buffer) - self._holds_flag + self._noise

    def feed(self, data: bytes) -> list[Found]:
        """Everything that these bytes complete, in order."""
        self._buffer += data
        results: list[Found] = []
        while self._buffer and self._step(results):
            pass
        return results

    def _step(self, results: list[Found]) -> bool:
        """One thing at the front of the buffer; False while it waits for more bytes."""
        buffer = self._buffer
        if self._bare is None:
            if self._holds_flag:
                if len(buffer) < 2:
                    return False
                self._holds_flag = False
                if buffer[1] & 0xF0 != 0xA0:
                    del buffer[:1]
                    return True
                return self._frame(results, is_shared=True)
            found = (_FRAMED if self._is_framed else _ANY).search(buffer)
            start = found.start() if found else len(buffer)
            if start:
                self._skip(start, results)
                return True
            if buffer[0] in (hdlc.FLAG, mbus.START):
                return self._frame(results)
            self._bare = BareTelegram()
        return self._bare_telegram(self._bare, results)

    def _frame(self, results: list[Found], *, is_shared: bool = False) -> bool:
        buffer = self._buffer
        is_hdlc = buffer[0] == hdlc.FLAG
        frame: HdlcFrame | MbusFrame | None
        try:
            frame = hdlc.read(buffer, 0) if is_hdlc else mbus.read(buffer, 0)
        except NoFrame:
            self._skip(1, results)
            return True
        except Malformed as error:
            self._flush(results)
            end = hdlc.end_of(buffer, 0) if is_hdlc else mbus.end_of(buffer, 0)
            length = self._damaged_length(end)
            has_flag = is_hdlc and length == end and buffer[end] == hdlc.FLAG
            results.append(Fault("checksum", str(error), length + has_flag - is_shared))
            self._remove(length)
            self._holds_flag = has_flag
            return True
        if frame is None:
            self._holds_flag = is_shared
            return False
        self._flush(results)
        # the opening flag counted as the closing one of the frame before
        results.append(replace(frame, size=frame.size - is_shared))
        self._is_framed = True
        self._remove(frame.size - is_hdlc)
        self._holds_flag = is_hdlc
        return True

    def _damaged_length(self, end: int) -> int:
        """How much of the damaged frame at the front is lost: up to where another frame may begin."""
        buffer = self._buffer
        for found in _FRAMED.finditer(buffer, 1, end + 1):
            at = found.start()
            try:
                if buffer[at] == hdlc.FLAG:
                    hdlc.read(buffer, at)
                else:
                    mbus.read(buffer, at)
            except NoFrame:
                continue
            except Malformed:
                pass
            return at
        return min(end, len(buffer))

    def _bare_telegram(self, bare: BareTelegram, results: list[Found]) -> bool:
        buffer = self._buffer
        try:
            end = bare.end(buffer)
            if end is None or (end == len(buffer) and not self._expects_bare):
                return False
            if end < len(buffer) and buffer[end] not in BEGINNINGS:
                raise NoFrame("what follows is no telegram")
        except NoFrame:
            self._skip(1, results)
            return True
        self._flush(results)
        results.append(Whole(bare.apdu(buffer, end), end, is_protected=False))
        self._remove(end)
        self._expects_bare = True
        return True

    def _skip(self, count: int, results: list[Found]) -> None:
        """Bytes at the front that belong to nothing."""
        self._noise += count
        self._remove(count)
        while self._noise >= _NOISE_PIECE:
            results.append(_noise(_NOISE_PIECE))
            self._noise -= _NOISE_PIECE

    def _flush(self, results: list[Found]) -> None:
        if self._noise:
            results.append(_noise(self._noise))
        self._noise = 0

    def _remove(self, count: int) -> None:
        del self._buffer[:count]
        self._holds_flag = False
        self._bare = None
        self._expects_bare = False


def _noise(count: int) -> Fault:
    return Fault("noise", f"{count} bytes outside of telegrams", count)
