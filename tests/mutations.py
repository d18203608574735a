"""Damaged telegrams: what serial lines do (lost bytes, bits that fall from 1 to 0), and what they do not."""

from collections.abc import Callable
from random import Random

from iskra_server.codecs.checksum import arc, bcc, checksum
from iskra_server.codecs.text.parity import SEVEN_BITS


def mutated(protocol: str, data: bytes, chance: Random) -> bytes:
    """A damaged telegram; one in five has its checksum repaired afterwards."""
    marks, repair = _DAMAGES[protocol]
    damaged = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        at = chance.randrange(len(damaged) + 1)
        match chance.randrange(7):
            case 0 if at < len(damaged):
                damaged[at] &= ~(1 << chance.randrange(8))
            case 1 if at < len(damaged):
                damaged[at] ^= 1 << chance.randrange(8)
            case 2:
                damaged[at : at + 1] = chance.randbytes(1)
            case 3:
                del damaged[at : at + chance.choice((1, 1, 2, 20, 40))]
            case 4:
                damaged[at:at] = chance.randbytes(chance.randrange(1, 20))
            case 5:
                damaged[at : at + chance.randrange(2)] = chance.choice(marks)
            case 6:
                del damaged[at:]
    return repair(bytes(damaged)) if chance.random() < 0.2 else bytes(damaged)


def _repair_sml(data: bytes) -> bytes:
    """The bytes with a right checksum of the transport in the last two."""
    return data[:-2] + checksum(data[:-2]) if len(data) > 16 else data


def _repair_p1(data: bytes) -> bytes:
    """The text up to its last "!" with a right CRC-16/ARC."""
    text = data[: data.rfind(b"!") + 1]
    return text + f"{arc(text.translate(SEVEN_BITS)):04X}\r\n".encode() if text else data


def _repair_d0(data: bytes) -> bytes:
    """The text up to its last ETX with a right BCC."""
    text = data.translate(SEVEN_BITS)
    start, end = text.find(2), text.rfind(3)
    return data[: end + 1] + bytes((bcc(text[start + 1 : end + 1]),)) if 0 <= start < end else data


def _repair_hdlc(data: bytes) -> bytes:
    """The frame from the last opening flag with a right FCS, if one can be there."""
    start = data.rfind(b"\x7e", 0, len(data) - 1)
    if not data.endswith(b"\x7e") or len(data) - start < 12:
        return data
    return data[:-3] + checksum(data[start + 1 : -3]) + data[-1:]


_TEXT_MARKS = (b"/", b"!", b"(", b")", b"\r\n", b"\n!", b"\x02", b"\x03", b"\x04", b"/ISK5x\r\n")
_DLMS_MARKS = (b"\x7e", b"\x7e\xa0", b"\x68", b"\x16", b"\xe6\xe7\x00", b"\x0f", b"\xdb\x08ISK", b"\xe0", b"\x09\x0c")
# what starts and ends telegrams of a protocol, and how its checksum is repaired
_DAMAGES: dict[str, tuple[tuple[bytes, ...], Callable[[bytes], bytes]]] = {
    "sml": ((b"\x1b", b"\x1b" * 4, b"\x1b" * 8, b"\x01" * 4, b"\x1a", b"\x76"), _repair_sml),
    "p1": (_TEXT_MARKS, _repair_p1),
    "d0": (_TEXT_MARKS, _repair_d0),
    "dlms": (_DLMS_MARKS, _repair_hdlc),
}
