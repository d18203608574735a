"""What a reader at a wrong speed hears: noise, as its receiver makes it of the bits on the line."""

from iskra_server.codecs.wire import received

# a receiver that is slower hears single breaks, a faster one more bytes than a telegram has
_READABLE = range(300, 460_801)


def heard(data: bytes, baud: int, read_at: int, *, has_parity: bool = False) -> bytes:
    """What arrives at `read_at` baud of bytes that were sent at `baud`; `has_parity` is that of 8E1."""
    if read_at == baud:
        return data
    return received(data, baud, has_parity=has_parity, read_at=read_at) if read_at in _READABLE else b""
