"""A buffer of received characters, both as received and in seven bits."""

import re

from iskra_server.codecs.text.parity import SEVEN_BITS
from iskra_server.meter.reading import Fault

# not noise between telegrams: line ends, the blanks and NUL that some meters send, ACK and NAK
_GAP = b"\r\n\0 \x06\x15"
# how far ahead the first characters of marks are looked for
_WINDOW = 1024


class Buffer:
    """`text` is in seven bits, `raw` as received; `pop` removes from the front of both."""

    def __init__(self) -> None:
        self.text = bytearray()
        self.raw = bytearray()

    def __len__(self) -> int:
        return len(self.text)

    def feed(self, data: bytes) -> None:
        self.raw += data
        self.text += data.translate(SEVEN_BITS)

    def search(
        self, pattern: re.Pattern[bytes], firsts: tuple[bytes, ...], start: int, stop: int
    ) -> re.Match[bytes] | None:
        """The first match; `firsts` has each byte with which it may begin: looking for them is fast, for it is slow."""
        text, stop = self.text, min(stop, len(self.text))
        while start < stop:
            window = min(start + _WINDOW, stop)
            found = [at for first in firsts if (at := text.find(first, start, window)) >= 0]
            if found:
                return pattern.search(text, min(found), stop)
            start = window
        return None

    def pop(self, length: int) -> tuple[bytes, bytes]:
        """Remove bytes from the front; returns them in seven bits and as received."""
        if not length:
            return b"", b""
        removed = bytes(self.text[:length]), bytes(self.raw[:length])
        del self.text[:length], self.raw[:length]
        return removed

    def skip_gap(self) -> None:
        if self.text and self.text[0] in _GAP:
            self.pop(len(self.text) - len(self.text.lstrip(_GAP)))

    def pop_noise(self, length: int) -> Fault | None:
        """Remove bytes from the front as noise; None if they are only a gap between telegrams."""
        text, _ = self.pop(length)
        return Fault("noise", f"{length} bytes outside of telegrams", length) if text.strip(_GAP) else None
