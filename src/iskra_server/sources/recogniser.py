"""Which protocol a port speaks, recognised by the bytes that arrive.

A beginning is what no other protocol sends and a wrong speed cannot make: the escape sequence of SML, one of its
register codes, or an identification line with text behind it. It is told at once, so that a meter is read from its
first byte on, also one whose telegrams are damaged. Of DLMS a valid telegram is needed.
"""

import re

from iskra_server.codecs import marks
from iskra_server.codecs.decoder import detect
from iskra_server.codecs.detecting import DetectingDecoder

# several telegrams
MAX_BYTES = 4096
# the escape sequence; a list entry with a register of electricity or of the maker
_SML = re.compile(rb"\x1b{4}|\x77\x07[\x01\x81][\x00\x81]")
_SML_LENGTH = 4
# with so much of a readout P1 and D0 differ; at 300 baud a whole one takes minutes
_MIN_TEXT = 256
_PRINTABLE = bytes(sorted({*range(0x20, 0x7F), *b"\r\n\x01\x02\x03"}))


class Recogniser:
    """`data` are the newest bytes; `begun` is a protocol of which the beginning was seen."""

    def __init__(self) -> None:
        self.data = b""
        self.begun = ""
        self._decoder = DetectingDecoder()
        self._has_marks = False
        # bytes since the first identification line
        self._text_length = 0

    @property
    def protocol(self) -> str:
        """That of the first valid telegram, else `begun`."""
        return self._decoder.protocol or self.begun

    @property
    def has_marks(self) -> bool:
        """Whether a telegram may have begun, or there is text."""
        return self._has_marks or _is_text(self.data)

    def feed(self, data: bytes) -> str:
        """The protocol; "" while the bytes do not show it."""
        for _ in self._decoder.feed(data):
            pass
        seen, self.data = len(self.data), self.data + data
        if not self.begun:
            self._look_for_a_beginning(seen)
        self.data = self.data[-MAX_BYTES:]
        return self.protocol

    def _look_for_a_beginning(self, seen: int) -> None:
        if self._text_length:
            self._text_length += len(self.data) - seen
        for place, protocols in marks.find(self.data, seen):
            self._has_marks = True
            if len(protocols) > 1:
                self._text_length = self._text_length or len(self.data) - place
        if _SML.search(self.data, max(0, seen - _SML_LENGTH)):
            self.begun = "sml"
        elif self._text_length >= _MIN_TEXT:
            self.begun = detect(self.data[-self._text_length :]) or ""


def _is_text(data: bytes) -> bool:
    """Text of seven bits, with parity bits that are right or without any."""
    # most readers need SML alone
    from iskra_server.codecs.text.parity import SEVEN_BITS, has_parity, wrong_bytes  # noqa: PLC0415

    is_printable = not data.translate(SEVEN_BITS).translate(None, _PRINTABLE)
    return is_printable and (not has_parity(data) or not wrong_bytes(data))
