"""DLMS telegrams without the meter's identity: every length stays, and the checksums of the frames are right.

    system title, meter numbers, other octet strings and texts    replaced, the same by the same everywhere
    codes, list names, date-times, type texts                     kept
    numbers of a list that nothing describes                      rounded to three digits from 1,000,000 on
    encrypted content and its tag                                 zeros: with the key it could be read.
                                                                  With the key, masked like clear content, and encrypted
                                                                  again with the published test keys
    addresses of four bytes (they may hold a part of the serial)  the lower half becomes 1

What is no valid telegram becomes zeros.
"""

from collections.abc import Iterator

from msgspec import Struct

from iskra_server.codecs.checksum import checksum
from iskra_server.codecs.dlms import encoder, hdlc, security
from iskra_server.codecs.dlms.axdr import read_length
from iskra_server.codecs.dlms.blocks import BLOCK_HEAD, LLC, Assembled, Assembly
from iskra_server.codecs.dlms.hdlc import HdlcFrame
from iskra_server.codecs.dlms.mbus import MbusFrame
from iskra_server.codecs.dlms.notification import CIPHERED
from iskra_server.codecs.dlms.security import Keys, Sealed
from iskra_server.codecs.dlms.transport import Transport
from iskra_server.codecs.errors import Malformed
from iskra_server.meter.reading import Fault
from iskra_server.redact.dlms_list import masked_notification
from iskra_server.redact.pseudonyms import Pseudonyms

_FLAG = bytes((hdlc.FLAG,))
_BLOCK_TAG = 0xE0
_CIPHERED = bytes((CIPHERED,))
_LONG_ADDRESS = 4
_LOWER_ADDRESS = b"\x00\x03"
_MBUS_HEAD = 4
_MBUS_DATA = 9
_TAIL = 2


class _Part(Struct):
    """A frame as received, and where its share of the telegram stands in it."""

    raw: bytes
    at: int
    length: int
    is_hdlc: bool

    @property
    def share(self) -> bytes:
        return self.raw[self.at : self.at + self.length]


class DlmsMasking:
    """One per stream. `blanked` counts bytes set to zero, `resealed` telegrams that were encrypted again.

    Raises ImportError where `keys` are given and the library `cryptography` is missing.
    """

    def __init__(self, pseudonyms: Pseudonyms, keys: Keys | None = None) -> None:
        self.blanked = self.resealed = 0
        self._opener = security.Opener(keys) if keys else None
        self._pseudonyms = pseudonyms
        self._transport = Transport()
        self._assembly = Assembly()
        self._held = bytearray()
        self._parts: list[_Part] = []

    def feed(self, data: bytes) -> bytes:
        """The telegrams that this chunk completes, masked."""
        self._held += data
        self._transport.feed(data)
        return b"".join(self._complete())

    def end(self) -> bytes:
        """Zeros for an incomplete telegram."""
        held, self._held = len(self._held), bytearray()
        return self._drop() + self._blank(held)

    def _complete(self) -> Iterator[bytes]:
        while (found := self._transport.next()) is not None:
            size = found.byte_count if isinstance(found, Fault) else found.size
            raw = bytes(self._held[:size])
            del self._held[:size]
            if isinstance(found, Fault):
                list(self._assembly.drop())
                yield self._drop() + self._blank(size)
            elif isinstance(found, Assembled):
                masked = self._masked(found.apdu)
                yield raw[: size - len(found.apdu)] + masked if masked else self._blank(size)
            else:
                yield from self._framed(found, raw)

    def _framed(self, frame: HdlcFrame | MbusFrame, raw: bytes) -> Iterator[bytes]:
        part = _part(frame, raw)
        for result in self._assembly.add(frame):
            if isinstance(result, Fault):
                yield self._drop()
            elif result.size == len(raw) and self._parts:
                # a telegram of one frame, behind one that was not completed
                yield self._drop()
            if isinstance(result, Assembled):
                yield self._written([*self._parts, part], result)
                self._parts = []
                return
        if self._assembly.size:
            self._parts.append(part)
        else:
            yield self._drop() + self._blank(len(raw))

    def _written(self, parts: list[_Part], whole: Assembled) -> bytes:
        """The frames with the masked telegram in them."""
        masked = self._masked(whole.apdu)
        if masked is None or b"".join(part.share for part in parts) != whole.apdu:
            return self._blank(sum(len(part.raw) for part in parts))
        frames: list[bytes] = []
        for part in parts:
            share, masked = masked[: part.length], masked[part.length :]
            raw = part.raw[: part.at] + share + part.raw[part.at + part.length :]
            frames.append(_hdlc(raw) if part.is_hdlc else _mbus(raw))
        return b"".join(frames)

    def _masked(self, apdu: bytes) -> bytes | None:
        """A telegram of the same length, None where it cannot be read or would still name the meter."""
        try:
            masked = self._sealed(apdu) if apdu[:1] == _CIPHERED else masked_notification(apdu, b"", self._pseudonyms)
        except Malformed:
            return None
        leaks = masked is None or len(masked) != len(apdu) or self._pseudonyms.leaks_identity(masked)
        return None if leaks else masked

    def _sealed(self, apdu: bytes) -> bytes | None:
        sealed = security.parse(apdu)
        title = sealed.title
        if title:
            self._pseudonyms.forbid(title)
        if sealed.is_encrypted and (resealed := self._resealed(sealed)):
            return resealed
        head = apdu[: len(apdu) - len(sealed.content) - len(sealed.tag)]
        head = head[:2] + (self._pseudonyms.of(title) if title else b"") + head[2 + len(title) :]
        content: bytes | None = bytes(len(sealed.content))
        if not sealed.is_encrypted:
            content = masked_notification(sealed.content, title, self._pseudonyms)
        return None if content is None else head + content + bytes(len(sealed.tag))

    def _resealed(self, sealed: Sealed) -> bytes | None:
        """A telegram that the key opens, encrypted with the test keys; None for any other, and for P1 inside."""
        if self._opener is None or not sealed.title:
            return None
        content, proof = self._opener.open(sealed)
        try:
            masked = masked_notification(content, sealed.title, self._pseudonyms) if proof != "wrong" else None
        except Malformed:
            return None
        if masked is None or len(masked) != len(content) or self._pseudonyms.leaks_identity(masked):
            return None
        self.resealed += 1
        return encoder.seal(
            masked, self._pseudonyms.of(sealed.title), sealed.counter, security.TEST_KEYS, sealed.control
        )

    def _drop(self) -> bytes:
        """Zeros for the parts of a telegram that is not completed."""
        parts, self._parts = self._parts, []
        return self._blank(sum(len(part.raw) for part in parts))

    def _blank(self, count: int) -> bytes:
        self.blanked += count
        return bytes(count)


def _part(frame: HdlcFrame | MbusFrame, raw: bytes) -> _Part:
    if isinstance(frame, MbusFrame):
        return _Part(raw, _MBUS_DATA, len(frame.data), is_hdlc=False)
    information = frame.information
    at = len(raw) - 1 - _TAIL - len(information)
    skipped = 3 if information[:3] in LLC else 0
    if information[skipped : skipped + 1] == bytes((_BLOCK_TAG,)):
        try:
            _, start = read_length(information, skipped + BLOCK_HEAD)
        except Malformed:
            start = len(information)
        skipped = start
    return _Part(raw, at + skipped, max(0, len(information) - skipped), is_hdlc=True)


def _hdlc(raw: bytes) -> bytes:
    """A frame with right checksums, and without what an address says of the serial number."""
    # its opening flag may be the closing one of the frame before
    flag = _FLAG * raw.startswith(_FLAG)
    frame = bytearray(raw[len(flag) : -1 - _TAIL])
    at = 2
    for _ in ("destination", "source"):
        end = at
        while not frame[end] & 1:
            end += 1
        end += 1
        if end - at == _LONG_ADDRESS:
            frame[end - _TAIL : end] = _LOWER_ADDRESS
        at = end
    control_end = at + 1
    if len(frame) > control_end:
        frame[control_end : control_end + _TAIL] = checksum(bytes(frame[:control_end]))
    return flag + bytes(frame) + checksum(bytes(frame)) + _FLAG


def _mbus(raw: bytes) -> bytes:
    content = raw[_MBUS_HEAD:-_TAIL]
    return raw[:_MBUS_HEAD] + content + bytes((sum(content) & 0xFF,)) + raw[-1:]
