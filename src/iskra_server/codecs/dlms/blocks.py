"""Whole telegrams from the frames that carry their parts.

    HDLC segments       concatenated until a frame is no segment; E6 E7 00 (LLC) stands in the first one alone
    M-Bus parts         numbered from 0, the last one is marked
    block transfer      E0 | control | block 2 | acknowledged 2 | length | data; control 80: the last block

HDLC numbers no segments, so a lost one is not seen here: what is put together without it does not end where its
structure says.
"""

from collections.abc import Iterator

from msgspec import Struct

from iskra_server.codecs.dlms.axdr import read_length
from iskra_server.codecs.dlms.hdlc import HdlcFrame
from iskra_server.codecs.dlms.mbus import MbusFrame
from iskra_server.codecs.errors import Malformed
from iskra_server.meter.reading import Fault, Protection

_BLOCK_TAG = b"\xe0"
# the first three bytes of an information field, to and from a meter
LLC = (b"\xe6\xe7\x00", b"\xe6\xe6\x00")
_MBUS = b""
_LAST_BLOCK = 0x80
BLOCK_HEAD = 6
# what may stand in a frame without LLC that continues nothing: a later block, or a bridge left the LLC out
_BEGINNINGS = (b"\x0f", b"\xdb", _BLOCK_TAG)

MAX_TELEGRAM = 8192


class Assembled(Struct, frozen=True, gc=False):
    """A telegram, put together; `size` is what its frames took on the wire.

    Of telegrams with two damaged bytes about one in a thousand passes the sum of M-Bus; no one in a million passes the
    checksums of HDLC.
    """

    apdu: bytes
    size: int
    protection: Protection = "checksum"


class Assembly:
    """`add` takes frames in the order of the wire; `drop` gives up what is begun."""

    def __init__(self) -> None:
        self._parts = bytearray()
        self._size = 0
        # what carried the parts so far: the addresses of HDLC segments, or M-Bus
        self._carrier: bytes | None = None
        self._number = 0
        self._blocks = bytearray()
        self._blocks_size = 0
        self._block = 0

    @property
    def size(self) -> int:
        """What the parts that wait for others took on the wire."""
        return self._size + self._blocks_size

    def drop(self) -> Iterator[Fault]:
        """Give up a telegram that is not whole."""
        yield from self._drop_parts()
        yield from self._drop_blocks()

    def add(self, frame: HdlcFrame | MbusFrame) -> Iterator[Assembled | Fault]:
        """The telegram that a frame completes, and the damage that it shows."""
        if isinstance(frame, HdlcFrame):
            yield from self._add_segment(frame)
        else:
            yield from self._add_part(frame)

    def _add_segment(self, frame: HdlcFrame) -> Iterator[Assembled | Fault]:
        data = frame.information
        if data[:3] in LLC:
            yield from self._drop_parts()
            data = data[3:]
        elif self._carrier != frame.addresses:
            yield from self._drop_parts()
            if data[:1] not in _BEGINNINGS:
                yield Fault("cut", "the beginning of this telegram is missing", frame.size)
                return
        yield from self._append(data, frame.size, frame.addresses, is_last=not frame.is_segment)

    def _add_part(self, frame: MbusFrame) -> Iterator[Assembled | Fault]:
        if frame.number == 0:
            yield from self._drop_parts()
        elif self._carrier != _MBUS or frame.number != self._number:
            yield from self.drop()
            yield Fault("cut", "the beginning of this telegram is missing", frame.size)
            return
        yield from self._append(frame.data, frame.size, _MBUS, is_last=frame.is_last)
        self._number = frame.number + 1

    def _append(self, data: bytes, size: int, carrier: bytes, *, is_last: bool) -> Iterator[Assembled | Fault]:
        self._parts += data
        self._size += size
        self._carrier = carrier
        if len(self._parts) > MAX_TELEGRAM:
            yield Fault("oversize", f"no end within {MAX_TELEGRAM} bytes", self._size)
            self._clear_parts()
        elif is_last:
            whole = Assembled(bytes(self._parts), self._size, protection="sum" if carrier == _MBUS else "checksum")
            self._clear_parts()
            if whole.apdu[:1] == _BLOCK_TAG:
                yield from self._add_block(whole)
            else:
                yield from self._drop_blocks()
                yield whole

    def _add_block(self, whole: Assembled) -> Iterator[Assembled | Fault]:
        try:
            is_last, number, data = _block(whole.apdu)
        except Malformed as error:
            yield from self._drop_blocks()
            yield Fault("structure", str(error), whole.size)
            return
        if number != self._block + 1:
            yield from self._drop_blocks()
        if number != self._block + 1:
            yield Fault("cut", f"block {number} of this telegram follows none", whole.size)
            return
        self._blocks += data
        self._blocks_size += whole.size
        self._block = number
        if len(self._blocks) > MAX_TELEGRAM:
            yield Fault("oversize", f"no end within {MAX_TELEGRAM} bytes", self._blocks_size)
            self._clear_blocks()
        elif is_last:
            result = Assembled(bytes(self._blocks), self._blocks_size, protection=whole.protection)
            self._clear_blocks()
            yield result

    def _drop_parts(self) -> Iterator[Fault]:
        if self._size:
            yield Fault("cut", "the rest of this telegram is missing", self._size)
        self._clear_parts()

    def _drop_blocks(self) -> Iterator[Fault]:
        if self._blocks_size:
            yield Fault("cut", f"the blocks behind block {self._block} are missing", self._blocks_size)
        self._clear_blocks()

    def _clear_parts(self) -> None:
        self._parts.clear()
        self._size = 0
        self._carrier = None

    def _clear_blocks(self) -> None:
        self._blocks.clear()
        self._blocks_size = 0
        self._block = 0


def _block(apdu: bytes) -> tuple[bool, int, bytes]:
    """Whether it is the last one, its number, its data. Raises Malformed."""
    if len(apdu) < BLOCK_HEAD + 1:
        raise Malformed("the block is shorter than its head")
    length, start = read_length(apdu, BLOCK_HEAD)
    if start + length != len(apdu):
        raise Malformed(f"the block claims {length} bytes, {len(apdu) - start} are left")
    return bool(apdu[1] & _LAST_BLOCK), int.from_bytes(apdu[2:4]), apdu[start:]
