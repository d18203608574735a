"""7 data bits and even parity, as a port of 8 bits without parity delivers and sends them (IEC 62056-21, 5.1).

Bit 7 of each byte makes its number of ones even: "1" (31) arrives as B1, "3" (33) as 33. A text of 8 bits, or one
that the driver has stripped of its parity, has bit 7 clear everywhere. A mixture is damage.
"""

SEVEN_BITS = bytes(byte & 0x7F for byte in range(256))
_EVEN = bytes(byte for byte in range(256) if byte.bit_count() % 2 == 0)
_ADD_PARITY = bytes(byte & 0x7F | (byte & 0x7F).bit_count() % 2 << 7 for byte in range(256))


def has_parity(data: bytes) -> bool:
    """Whether these bytes carry a parity bit; `wrong_bytes` then counts those in which it is wrong."""
    return not data.isascii()


def wrong_bytes(data: bytes) -> int:
    """How many of the bytes have an odd number of ones."""
    return len(data.translate(None, _EVEN))


def with_parity(data: bytes) -> bytes:
    """Seven-bit characters with their parity bit, for a port of 8 bits without parity."""
    return data.translate(_ADD_PARITY)
