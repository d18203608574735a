"""P1 telegrams and D0 readouts without the meter's identity: valid checksums, block checks and parity.

What is no valid telegram becomes zeros, except the line ends and blanks between telegrams.
"""

from collections.abc import Iterator

from iskra_server.codecs.checksum import arc, bcc
from iskra_server.codecs.d0.blocks import damage
from iskra_server.codecs.d0.frames import STX, D0Message
from iskra_server.codecs.d0.frames import Frames as D0Frames
from iskra_server.codecs.p1.decoder import P1Decoder, x25
from iskra_server.codecs.p1.frames import Frames as P1Frames
from iskra_server.codecs.p1.frames import Telegram
from iskra_server.codecs.text.parity import SEVEN_BITS, has_parity, with_parity
from iskra_server.meter.reading import Fault, Reading
from iskra_server.redact.pseudonyms import Pseudonyms
from iskra_server.redact.text_lines import masked_ident, masked_lines

# what stands between telegrams, also with its parity bit
_BETWEEN = b"\r\n\0 \x06\x15"
_BLANKED = bytes(byte if byte & 0x7F in _BETWEEN else 0 for byte in range(256))
_PLAIN_END = b"!"


class TextMasking:
    """One per stream. `blanked` counts bytes set to zero."""

    def __init__(self, pseudonyms: Pseudonyms, *, is_p1: bool) -> None:
        self.blanked = 0
        self._pseudonyms = pseudonyms
        self._frames: P1Frames | D0Frames = P1Frames() if is_p1 else D0Frames()
        # a telegram counts if the decoder reads it: it has learned which checksum the meter sends
        self._decoder = P1Decoder()
        self._held = bytearray()

    def feed(self, data: bytes) -> bytes:
        """The telegrams that this chunk completes, masked, and what stood between them."""
        self._held += data
        self._frames.feed(data)
        return b"".join(self._complete())

    def end(self) -> bytes:
        """Zeros for an incomplete telegram."""
        held, self._held = bytes(self._held), bytearray()
        return self._blank(held)

    def _complete(self) -> Iterator[bytes]:
        while (item := self._frames.next()) is not None:
            stretch = self._pop()
            masked = None if isinstance(item, Fault) else self._masked(item)
            if masked is None or isinstance(item, Fault):
                yield self._blank(stretch)
            else:
                # the BCC of a readout may be held back, as it looks like the beginning of the next one
                yield self._blank(stretch[: max(0, len(stretch) - len(item.raw))]) + masked
        yield self._blank(self._pop())

    def _pop(self) -> bytes:
        """The bytes that the frames no longer hold."""
        length = len(self._held) - self._frames.pending
        popped = bytes(self._held[:length])
        del self._held[:length]
        return popped

    def _masked(self, item: Telegram | D0Message) -> bytes | None:
        """A valid telegram without its identity; None for a damaged one, and where that is impossible."""
        masked = self._p1(item) if isinstance(item, Telegram) else self._d0(item)
        if masked is None or self._pseudonyms.leaks_identity(masked, is_text=True):
            return None
        return with_parity(masked) if has_parity(item.raw) else masked

    def _p1(self, telegram: Telegram) -> bytes | None:
        behind = b"\r\n" if telegram.ends_line else bytes(9)
        if not any(isinstance(result, Reading) for result in self._decoder.feed(telegram.raw + behind)):
            return None
        ident, end, lines = telegram.text.decode("latin-1").partition("\n")
        text = f"{masked_ident(ident, self._pseudonyms)}{end}{masked_lines(lines, self._pseudonyms)}".encode("latin-1")
        return text + _check_digits(telegram, text)

    def _d0(self, message: D0Message) -> bytes | None:
        if damage(message):
            return None
        raw = message.raw.translate(SEVEN_BITS)
        ident_length = raw.index(b"\n") + 1 if message.ident else 0
        ident = masked_ident(raw[:ident_length].decode("latin-1"), self._pseudonyms).encode("latin-1")
        rest = raw[ident_length:]
        text = masked_lines(message.text, self._pseudonyms).encode("latin-1")
        if message.end == _PLAIN_END:
            # an empty line before the text, the end mark behind it
            return ident + rest[:2] + text + rest[2 + len(message.text) :]
        # the block check begins behind the first STX or SOH
        body = rest[1 : rest.index(STX) + 1] + text + message.end
        return ident + rest[:1] + body + bytes((bcc(body),))

    def _blank(self, data: bytes) -> bytes:
        blanked = data.translate(_BLANKED)
        self.blanked += sum(before != after for before, after in zip(data, blanked, strict=True))
        return blanked


def _check_digits(telegram: Telegram, masked: bytes) -> bytes:
    """The checksum of the masked telegram, in the variant and the form of the original; a constant one stays."""
    digits = telegram.digits
    sent = int(digits or b"0", 16)
    variant = next((variant for variant in (arc, x25) if digits and variant(telegram.text) == sent), None)
    if variant is None:
        return digits
    check = f"{variant(masked):0{4 if len(digits) == 4 else 1}X}".encode()
    return check.lower() if digits.islower() else check
