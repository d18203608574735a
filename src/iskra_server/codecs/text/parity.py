"""Seven data bits with even parity (7E1), read and written by a port of 8 bits without parity (IEC 62056-21, 5.1).

Bit 7 makes the number of ones in each byte even: "1" (31) arrives as B1, "3" (33) as 33. Plain text, and text whose
parity bits the driver has removed, has no bit 7 set. A mixture is damaged.
"""

SEVEN_BITS = bytes(byte & 0x7F for byte in range(256))
_EVEN = bytes(byte for byte in range(256) if byte.bit_count() % 2 == 0)
_ADD_PARITY = bytes(byte & 0x7F | (byte & 0x7F).bit_count() % 2 << 7 for byte in range(256))


def has_parity(data: bytes) -> bool:
    """Whether these bytes carry parity bits; then `wrong_bytes` counts parity errors."""
    return not data.isascii()


def wrong_bytes(data: bytes) -> int:
    """The number of bytes with a parity error."""
    return len(data.translate(None, _EVEN))


def with_parity(data: bytes) -> bytes:
    """Add the parity bit to seven-bit characters."""
    return data.translate(_ADD_PARITY)
