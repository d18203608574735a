"""HDLC frames of type 3 as meters push them (IEC 62056-46, ISO/IEC 13239).

    7E | A0..AF LL | destination 1-4 | source 1-4 | control | HCS 2 | information | FCS 2 | 7E

The length (11 bits) counts everything between the flags. Nothing is escaped: 7E may stand anywhere inside, so a frame
is measured by its length, never by its flags. Bit 3 of the first byte: this frame is a segment, and more follow. The
last byte of an address has bit 0 set. Both checksums are X-25, low byte first; a frame without information has no HCS.
"""

from msgspec import Struct

from iskra_server.codecs.checksum import checksum
from iskra_server.codecs.errors import Malformed, NoFrame

FLAG = 0x7E
_FORMAT = 0xA0
_SEGMENTED = 0x08
_SUM = 2
_MAX_ADDRESS = 4
# format, two addresses of one byte, control, FCS
_SHORTEST = 2 + 1 + 1 + 1 + _SUM


class HdlcFrame(Struct, frozen=True, gc=False):
    """A frame whose checksums are right. `size` counts both flags; `addresses` are destination and source as sent."""

    information: bytes
    is_segment: bool
    addresses: bytes
    size: int


def read(data: bytearray, at: int) -> HdlcFrame | None:
    """The frame whose opening flag is at `at`; None while bytes are missing.

    Raises NoFrame, or Malformed where a frame begins (its header is right) and is damaged.
    """
    end, header_end = _header(data, at)
    if end is None or header_end is None or end >= len(data):
        return None
    if data[end] != FLAG:
        raise Malformed("the frame does not end where its length says")
    if checksum(bytes(data[at + 1 : end - _SUM])) != data[end - _SUM : end]:
        raise Malformed("the checksum of the frame is wrong")
    information = bytes(data[header_end + _SUM : end - _SUM]) if header_end + _SUM < end else b""
    return HdlcFrame(information, bool(data[at + 1] & _SEGMENTED), bytes(data[at + 3 : header_end - 1]), end + 1 - at)


def end_of(data: bytearray, at: int) -> int:
    """Where the closing flag of the frame at `at` stands, by its length."""
    return at + 1 + _length(data, at)


def _header(data: bytearray, at: int) -> tuple[int | None, int | None]:
    """The positions of the closing flag and behind the control byte; None while bytes are missing."""
    if len(data) < at + 3:
        if len(data) > at + 1 and data[at + 1] & 0xF0 != _FORMAT:
            raise NoFrame("no frame")
        return None, None
    length = _length(data, at)
    if data[at + 1] & 0xF0 != _FORMAT or length < _SHORTEST:
        raise NoFrame("no frame")
    end = at + 1 + length
    control_at = _behind_addresses(data, at + 3)
    if control_at is None:
        return None, None
    header_end = control_at + 1
    if header_end + _SUM > end:
        raise NoFrame("shorter than its header")
    if header_end + _SUM == end:
        return end, header_end
    if len(data) < header_end + _SUM:
        return None, None
    if checksum(bytes(data[at + 1 : header_end])) != data[header_end : header_end + _SUM]:
        raise NoFrame("the checksum of the header is wrong")
    return end, header_end


def _behind_addresses(data: bytearray, position: int) -> int | None:
    """Behind both addresses, each of which ends with a byte whose lowest bit is set; None while bytes are missing."""
    for _ in ("destination", "source"):
        stop = position + _MAX_ADDRESS
        while position < len(data) and position < stop and not data[position] & 1:
            position += 1
        if position == stop:
            raise NoFrame("an address without end")
        if position >= len(data):
            return None
        position += 1
    return position


def _length(data: bytearray, at: int) -> int:
    return (data[at + 1] & 0x07) << 8 | data[at + 2]
