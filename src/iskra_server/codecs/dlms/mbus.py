"""Long frames of M-Bus that carry parts of a DLMS telegram (EN 13757-2; Austrian customer interfaces, 2400 8E1).

    68 L L 68 | C A CI | STSAP DTSAP | data | sum | 16

L counts from C to the data; the sum is that of these bytes, modulo 256. CI: the low four bits number the parts from
0, bit 4 marks the last one. Sagemcom's T210-D lets L overflow: 01 means 257.
"""

from msgspec import Struct

from iskra_server.codecs.errors import Malformed, NoFrame

START = 0x68
_END = 0x16
_HEAD = 4
_TAIL = 2
# C, A, CI, STSAP, DTSAP and one byte of data
_SHORTEST = 6
_OVERFLOW = 256
# with five bytes before the data, the longest frames seen have 257 bytes
_MAX_OVERFLOW = 64
_LAST = 0x10
_NUMBER = 0x0F


class MbusFrame(Struct, frozen=True, gc=False):
    """A frame whose sum is right: part `number` of a telegram, and whether it is the last one."""

    data: bytes
    number: int
    is_last: bool
    size: int


def read(data: bytearray, at: int) -> MbusFrame | None:
    """The frame that begins at `at`; None while bytes are missing. Raises NoFrame, or Malformed where it is damaged."""
    head = bytes(data[at : at + _HEAD])
    # each byte that is there must fit already
    if head[3:4] not in (b"", b"\x68") or (head[1:2] != head[2:3] and len(head) > 2):
        raise NoFrame("no frame")
    if len(head) < _HEAD:
        return None
    length = head[1]
    lengths = [length] if length > _MAX_OVERFLOW else [length, length + _OVERFLOW]
    for claimed in lengths:
        if claimed < _SHORTEST:
            continue
        end = at + _HEAD + claimed
        if len(data) < end + _TAIL:
            return None
        if data[end + 1] == _END and sum(data[at + _HEAD : end]) & 0xFF == data[end]:
            return _frame(bytes(data[at + _HEAD : end]))
    raise Malformed("the checksum of the frame is wrong")


def end_of(data: bytearray, at: int) -> int:
    """The position behind the frame at `at`, by its length as sent."""
    return at + _HEAD + data[at + 1] + _TAIL


def _frame(content: bytes) -> MbusFrame:
    control = content[2]
    if control & ~(_LAST | _NUMBER):
        raise NoFrame("M-Bus, but no part of a DLMS telegram")
    return MbusFrame(content[5:], control & _NUMBER, bool(control & _LAST), _HEAD + len(content) + _TAIL)
