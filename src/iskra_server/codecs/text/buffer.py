"""The bytes of a stream of characters that wait for more, as they arrived and in seven bits."""

from iskra_server.codecs.text.parity import SEVEN_BITS
from iskra_server.meter.reading import Fault

# what may stand between two telegrams: line ends, the blanks and NUL that some meters send, ACK and NAK
_GAP = b"\r\n\0 \x06\x15"


class Buffer:
    """`text` may be searched; `take` removes from the front."""

    def __init__(self) -> None:
        self.text = bytearray()
        self._raw = bytearray()

    def __len__(self) -> int:
        return len(self.text)

    def feed(self, data: bytes) -> None:
        self._raw += data
        self.text += data.translate(SEVEN_BITS)

    def take(self, length: int) -> tuple[bytes, bytes]:
        """Bytes from the front, in seven bits and as they arrived."""
        gone = bytes(self.text[:length]), bytes(self._raw[:length])
        del self.text[:length], self._raw[:length]
        return gone

    def skip_gap(self) -> None:
        self.take(len(self.text) - len(self.text.lstrip(_GAP)))

    def take_noise(self, length: int) -> Fault | None:
        """Remove what is no telegram; a gap between two is no damage."""
        text, _ = self.take(length)
        return Fault("noise", f"{length} bytes outside of telegrams", length) if text.strip(_GAP) else None
