"""Which protocol a port speaks, told by the bytes that arrive.

A beginning is what no other protocol sends and a wrong speed cannot make: the escape sequence of SML or one of its
register codes, or a whole identification line. It is told at once, so that a meter is read from its first byte on, also
one whose telegrams are damaged. A frame of DLMS has no such bytes: a whole one is needed.
"""

import re

from iskra_server.codecs.decoder import DECODERS, Decoder, detect
from iskra_server.codecs.text import identification
from iskra_server.codecs.text.parity import SEVEN_BITS, has_parity, wrong_bytes
from iskra_server.meter.reading import Reading

# what text consists of, with or without parity bits
_TEXT = bytes(sorted({*range(0x20, 0x7F), *b"\r\n\x01\x02\x03"}))
# several telegrams
MAX_BYTES = 4096
# the escape sequence; a list entry with a register of electricity or of the maker
_SML = re.compile(rb"\x1b{4}|\x77\x07[\x01\x81][\x00\x81]")
# frames of HDLC and M-Bus, an encrypted message without a frame, the LLC header
_DLMS = re.compile(rb"\x7e[\xa0-\xaf]|\x68(.)\1\x68|\xdb\x08[A-Za-z]{3}|\xe6\xe7\x00", re.DOTALL)
_LONGEST_MARK = identification.MAX_START
# so much of a readout tells P1 from D0; at 300 baud a whole one takes minutes
_MIN_TEXT = 256
_COMPLETE = frozenset(("encrypted", "wrong_key", "not_authentic", "replayed", "layout"))


class Recogniser:
    """Bytes in, the protocol of the first whole telegram out. Only protocols whose mark was seen decode a byte."""

    def __init__(self) -> None:
        self.data = bytearray()
        # of the first whole telegram
        self.protocol = ""
        self._decoders: dict[str, Decoder] = {}
        self._text_begins: int | None = None

    def feed(self, data: bytes) -> str:
        """The protocol of the first telegram that is complete, "" without one."""
        tail = bytes(self.data[-_LONGEST_MARK:]) + data
        self.data += data
        new = self._new_marks(tail)
        protocol = self._decode(data)
        for name in new:
            self._decoders[name] = DECODERS[name]()
            protocol = protocol or self._decode(bytes(self.data), (name,))
        self._forget_old()
        self.protocol = self.protocol or protocol
        return self.protocol

    @property
    def has_marks(self) -> bool:
        """Whether a telegram may have begun, or there is text."""
        return bool(self._decoders) or _is_text(bytes(self.data))

    @property
    def begun(self) -> str:
        """The protocol of which the beginning was seen."""
        if "sml" in self._decoders:
            return "sml"
        if self._text_begins is not None and len(self.data) - self._text_begins >= _MIN_TEXT:
            return detect(bytes(self.data[self._text_begins :])) or ""
        return ""

    def _new_marks(self, tail: bytes) -> list[str]:
        new = []
        if "sml" not in self._decoders and _SML.search(tail):
            new.append("sml")
        if "dlms" not in self._decoders and _DLMS.search(tail):
            new.append("dlms")
        if "p1" not in self._decoders and (start := identification.START.search(tail.translate(SEVEN_BITS))):
            new += ["p1", "d0"]
            self._text_begins = len(self.data) - len(tail) + start.start()
        return new

    def _decode(self, data: bytes, names: tuple[str, ...] | None = None) -> str:
        for name in names or tuple(self._decoders):
            for item in self._decoders[name].feed(data):
                if isinstance(item, Reading) or item.kind in _COMPLETE:
                    return name
        return ""

    def _forget_old(self) -> None:
        old = len(self.data) - MAX_BYTES
        if old > 0:
            del self.data[:old]
            if self._text_begins is not None:
                self._text_begins = max(0, self._text_begins - old)


def _is_text(data: bytes) -> bool:
    """Text of seven bits, with parity bits that are right or without any."""
    is_printable = not data.translate(SEVEN_BITS).translate(None, _TEXT)
    return is_printable and (not has_parity(data) or not wrong_bytes(data))
