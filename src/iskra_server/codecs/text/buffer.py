"""A buffer of received characters, both as received and in seven bits."""

from iskra_server.codecs.text.parity import SEVEN_BITS
from iskra_server.meter.reading import Fault

# not noise between telegrams: line ends, the blanks and NUL that some meters send, ACK and NAK
_GAP = b"\r\n\0 \x06\x15"


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

    def pop(self, length: int) -> tuple[bytes, bytes]:
        """Remove bytes from the front; returns them in seven bits and as received."""
        removed = bytes(self.text[:length]), bytes(self.raw[:length])
        del self.text[:length], self.raw[:length]
        return removed

    def skip_gap(self) -> None:
        self.pop(len(self.text) - len(self.text.lstrip(_GAP)))

    def pop_noise(self, length: int) -> Fault | None:
        """Remove bytes from the front as noise; None if they are only a gap between telegrams."""
        text, _ = self.pop(length)
        return Fault("noise", f"{length} bytes outside of telegrams", length) if text.strip(_GAP) else None
