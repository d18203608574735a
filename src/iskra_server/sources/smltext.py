"""Telegrams that a head sends as hex text among other lines, as some heads with a network connection do.

mac=00:08:DC:00:00:01
SML(1B1B1B1B01010101...1A0165AB)
"""

_MARK = b"SML(1B1B1B1B"
_START = bytes.fromhex("1b1b1b1b")
_DIGITS = frozenset(b"0123456789abcdefABCDEF")


class SmlText:
    """Turns the hex text of telegrams into their bytes. Everything else passes as it is, and at once."""

    def __init__(self) -> None:
        self._tail = b""
        self._is_inside = False
        self._digit = b""

    def feed(self, data: bytes) -> bytes:
        result = bytearray()
        while data:
            if self._is_inside:
                end = next((place for place, byte in enumerate(data) if byte not in _DIGITS), len(data))
                result += self._bytes(data[:end])
                self._is_inside = end == len(data)
                data = data[end:]
                continue
            # the mark may begin in what came before, and has passed already
            seen = self._tail + data
            place = seen.upper().find(_MARK)
            if place < 0:
                self._tail = seen[-len(_MARK) + 1 :]
                result += data
                break
            passed, rest = place - len(self._tail), place + len(_MARK)
            result += data[: max(passed, 0)] + _START
            data, self._tail, self._digit, self._is_inside = seen[rest:], b"", b"", True
        return bytes(result)

    def _bytes(self, digits: bytes) -> bytes:
        digits = self._digit + digits
        whole = len(digits) // 2 * 2
        self._digit = digits[whole:]
        return bytes.fromhex(digits[:whole].decode())
