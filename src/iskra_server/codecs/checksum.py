"""Checksums as meters use them, at C speed and without a dependency.

X-25 and KERMIT take each byte lowest bit first; `binascii.crc_hqx` is the same polynomial highest bit
first. So the bits of every byte are reversed (`bytes.translate`), then crc_hqx runs, and its result is reversed.

    variant   start   final xor   order on the wire        source
    X25       0xFFFF  0xFFFF      low byte first          SML 1.04, 6.2.2; HDLC (ISO/IEC 13239)
    KERMIT    0x0000  0x0000      high byte first         one meter on RS-485

P1 has CRC-16/ARC, of another polynomial: x^16 + x^15 + x^2 + 1 = (x + 1)(x^15 + x + 1). D0 has the XOR of all bytes.
"""

from binascii import crc_hqx
from enum import Enum

REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class Variant(Enum):
    """(start value, final xor, low byte first)"""

    X25 = (0xFFFF, 0xFFFF, True)
    KERMIT = (0x0000, 0x0000, False)

    def __init__(self, start: int, final_xor: int, low_first: bool) -> None:
        self.start = start
        self.final_xor = final_xor
        self.low_first = low_first


def checksum(data: bytes, variant: Variant = Variant.X25) -> bytes:
    """The two checksum bytes in wire order."""
    register = crc_hqx(data.translate(REVERSED), variant.start)
    low, high = REVERSED[register >> 8], REVERSED[register & 0xFF]
    value = (high << 8 | low) ^ variant.final_xor
    return value.to_bytes(2, "little" if variant.low_first else "big")


def arc(data: bytes) -> int:
    """CRC-16/ARC (0x8005 reflected, start 0, no final xor; DSMR 5.0.2, 5.2): "123456789" gives 0xBB3D.

    All bytes are one polynomial, and its remainder is taken by the two factors. As squaring is linear,
    (x^15 + x + 1)^n = x^15n + x^n + 1 for each power of two n: so x^15n is folded into x^n + 1, from large n to n = 1.
    """
    rest = int.from_bytes(data.translate(REVERSED)) << 16
    is_odd = rest.bit_count() & 1
    power = 1 << max(0, (rest.bit_length() // 15).bit_length() - 1)
    while power:
        width = 15 * power
        while high := rest >> width:
            rest = rest & (1 << width) - 1 ^ high ^ high << power
        power >>= 1
    # of the two numbers below x^16 with this remainder, the one that leaves the right remainder by x + 1
    if is_odd != rest.bit_count() & 1:
        rest ^= 0x8003
    return REVERSED[rest & 0xFF] << 8 | REVERSED[rest >> 8]


def bcc(data: bytes) -> int:
    """The block check character of D0: the XOR of all bytes (IEC 62056-21, 6.7), by folding them in half."""
    value, length = int.from_bytes(data), len(data)
    while length > 1:
        half = length // 2
        value = value >> 8 * half ^ value & (1 << 8 * half) - 1
        length -= half
    return value
