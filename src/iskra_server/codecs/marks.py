r"""Where a telegram of each protocol may begin, by its first bytes; what follows decides whether one does.

    sml         1B1B1B1B 01010101
    p1, d0      /XXXZ identification CR LF, in seven bits
    d0          02 and text with a "(": a readout whose identification was not received
    dlms        7E A0..AF and a header whose checksum is right (HDLC)
                68 L L 68 (M-Bus)
                DB 08 and three capitals, E6 E7 00, 0F and the head of a list (without a frame)

Nothing of a protocol is imported before its first bytes are seen.
"""

import re
from collections.abc import Iterator

from iskra_server.codecs.checksum import checksum
from iskra_server.codecs.sml.encoder import START

# the longest mark is an identification line of 70 characters
MAX_MARK = 80
_START = re.compile(re.escape(START))
# as in seven bits, with parity bits too
_MAYBE_TEXT = re.compile(
    rb"[/\xaf][A-Za-z\xc1-\xfa]{3}[ -~\xa0-\xfe]{1,64}[\r\x8d]?[\n\x8a]"
    rb"|[\x02\x82][ -~\xa0-\xfe\r\n\x8d\x8a]{0,40}[(\xa8]"
)
_READOUT = re.compile(rb"\x02[ -~\r\n]{0,40}\(")
# the last byte of an address is odd
_EVEN = b"".join(b"\\x%02x" % byte for byte in range(0, 256, 2))
_ADDRESS = b"[%s]{0,3}[^%s]" % (_EVEN, _EVEN)
_HDLC = re.compile(rb"(?=\x7e([\xa0-\xaf]." + _ADDRESS * 2 + rb".)(..))", re.DOTALL)
_HDLC_LENGTH = 14
_UNFRAMED = re.compile(
    rb"\x68(.)\1\x68|\xdb\x08[A-Z]{3}|\xe6\xe7\x00[\x0f\xdb]|\x0f.{4}(?:\x00|\x09?\x0c.{12})[\x01\x02]", re.DOTALL
)
_UNFRAMED_LENGTH = 20
_SML, _TEXT, _D0, _DLMS = ("sml",), ("p1", "d0"), ("d0",), ("dlms",)

# its position, and the protocols that begin like this
Mark = tuple[int, tuple[str, ...]]


def find(data: bytes, seen: int = 0) -> list[Mark]:
    """The marks in the order of the stream; those within the first `seen` bytes may be left out."""
    sml = ((match.start(), _SML) for match in _START.finditer(data, max(0, seen - len(START) + 1)))
    return sorted((*sml, *_text(data, seen), *_dlms(data, seen)))


def begun(data: bytes) -> set[str]:
    """The protocols that may begin in these bytes."""
    return {protocol for _, protocols in find(data) for protocol in protocols}


def pieces(before: bytes, data: bytes) -> Iterator[tuple[bytes, set[str]]]:
    """Data that stands behind other bytes, cut so that no telegrams of two protocols end in one piece.

    With each piece come the protocols that may begin in it.
    """
    start, protocols = 0, set[str]()
    for place, marked in find(before + data, len(before)):
        at = place - len(before)
        if at > start and protocols != set(marked[:1]):
            yield data[start:at], protocols
            start, protocols = at, set()
        protocols.update(marked)
    yield data[start:], protocols


def _text(data: bytes, seen: int) -> Iterator[Mark]:
    begin = max(0, seen - MAX_MARK)
    if not _MAYBE_TEXT.search(data, begin):
        return
    from iskra_server.codecs.text import identification, parity  # noqa: PLC0415

    text = data.translate(parity.SEVEN_BITS)
    for pattern, protocols in ((identification.START, _TEXT), (_READOUT, _D0)):
        yield from ((match.start(), protocols) for match in pattern.finditer(text, begin) if match.end() > seen)


def _dlms(data: bytes, seen: int) -> Iterator[Mark]:
    yield from ((match.start(), _DLMS) for match in _UNFRAMED.finditer(data, max(0, seen - _UNFRAMED_LENGTH)))
    for match in _HDLC.finditer(data, max(0, seen - _HDLC_LENGTH)):
        if checksum(match[1]) == match[2]:
            yield match.start(), _DLMS
