"""Damaged telegrams: what serial lines do (lost bytes, bits that fall from 1 to 0), and what they do not."""

from collections.abc import Callable, Iterator
from random import Random

from iskra_server.codecs.checksum import arc, bcc, checksum
from iskra_server.codecs.text.parity import SEVEN_BITS

# what starts and ends telegrams of P1 and D0
_MARKS = (b"/", b"!", b"(", b")", b"\r\n", b"\n!", b"\x02", b"\x03", b"\x04", b"/ISK5x\r\n")


def mutated(telegrams: list[bytes], chance: Random, *, count: int) -> Iterator[bytes]:
    """`count` damaged telegrams; one in five has its transport checksum repaired afterwards."""
    for _ in range(count):
        data = bytearray(chance.choice(telegrams))
        for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
            _damage(data, chance)
        if chance.random() < 0.2 and len(data) > 16:
            data[-2:] = checksum(bytes(data[:-2]))
        yield bytes(data)


def _damage(data: bytearray, chance: Random) -> None:
    at = chance.randrange(len(data)) if data else 0
    match chance.randrange(6):
        case 0:
            data[at : at + 1] = bytes((data[at] & ~(1 << chance.randrange(8)),)) if data else b""
        case 1:
            data[at : at + 1] = bytes((chance.randrange(256),))
        case 2:
            del data[at : at + chance.randrange(1, 20)]
        case 3:
            data[at:at] = chance.randbytes(chance.randrange(1, 20))
        case 4:
            data[at:at] = b"\x1b" * chance.randrange(1, 10)
        case 5:
            del data[at:]


def mutated_text(data: bytes, chance: Random, repair: Callable[[bytes], bytes]) -> bytes:
    """A damaged telegram of P1 or D0; one in five has its checksum repaired afterwards."""
    damaged = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        at = chance.randrange(len(damaged))
        match chance.randrange(5):
            case 0:
                damaged[at] ^= 1 << chance.randrange(8)
            case 1:
                del damaged[at : at + chance.choice((1, 1, 2, 40))]
            case 2:
                damaged[at:at] = chance.randbytes(chance.randrange(1, 12))
            case 3:
                damaged[at : at + 1] = chance.choice(_MARKS)
            case 4:
                del damaged[at:]
        if not damaged:
            return b""
    return repair(bytes(damaged)) if chance.random() < 0.2 else bytes(damaged)


def repair_p1(data: bytes) -> bytes:
    """The text up to its last "!" with a right CRC-16/ARC."""
    text = data[: data.rfind(b"!") + 1]
    return text + f"{arc(text.translate(SEVEN_BITS)):04X}\r\n".encode() if text else data


def repair_d0(data: bytes) -> bytes:
    """The text up to its last ETX with a right BCC."""
    text = data.translate(SEVEN_BITS)
    start, end = text.find(2), text.rfind(3)
    return data[: end + 1] + bytes((bcc(text[start + 1 : end + 1]),)) if 0 <= start < end else data


# what starts and ends frames and telegrams of DLMS
_DLMS_MARKS = (b"\x7e", b"\x7e\xa0", b"\x68", b"\x16", b"\xe6\xe7\x00", b"\x0f", b"\xdb\x08ISK", b"\xe0", b"\x09\x0c")


def mutated_dlms(data: bytes, chance: Random) -> bytes:
    """A damaged DLMS stream; one in five has the checksum of its last HDLC frame repaired afterwards."""
    damaged = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        at = chance.randrange(len(damaged)) if damaged else 0
        match chance.randrange(6):
            case 0 if damaged:
                damaged[at] ^= 1 << chance.randrange(8)
            case 1:
                damaged[at : at + 1] = bytes((chance.randrange(256),))
            case 2:
                del damaged[at : at + chance.choice((1, 1, 2, 40))]
            case 3:
                damaged[at:at] = chance.randbytes(chance.randrange(1, 12))
            case 4:
                damaged[at : at + 1] = chance.choice(_DLMS_MARKS)
            case 5:
                del damaged[at:]
    return repair_hdlc(bytes(damaged)) if chance.random() < 0.2 else bytes(damaged)


def repair_hdlc(data: bytes) -> bytes:
    """The frame from the last opening flag with a right FCS, if one can be there."""
    start = data.rfind(b"\x7e", 0, len(data) - 1)
    if not data.endswith(b"\x7e") or len(data) - start < 12:
        return data
    return data[:-3] + checksum(data[start + 1 : -3]) + data[-1:]
