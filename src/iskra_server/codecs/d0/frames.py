r"""Extracts messages from a stream of characters (IEC 62056-21, 6 and annex A).

    identification CR LF
    STX data ETX BCC                        a readout, or the last block of one; EOT for ETX: another block follows
    SOH P0 STX ( ) ETX BCC                  programming mode; the BCC begins behind the SOH
    identification CR LF CR LF data ! CR LF      pushed without a block check (mode D)

The BCC is the XOR of all characters after the first STX or SOH up to ETX or EOT. It may be any character, so it is
removed together with its message before the next search. An identification or an STX inside a message means that the
message was cut. A mode D readout begins with an empty line; a readout that lost its STX does not.
"""

import re

from msgspec import Struct

from iskra_server.codecs.checksum import bcc
from iskra_server.codecs.text.buffer import Buffer
from iskra_server.codecs.text.identification import MAX_START, START
from iskra_server.meter.reading import Fault

SOH, STX, ETX, EOT = b"\x01", b"\x02", b"\x03", b"\x04"
_BEGIN = re.compile(START.pattern + rb"|\x01[A-Z][0-9]\x02|\x02")
_IN_BLOCK = re.compile(_BEGIN.pattern + rb"|[\x03\x04]")
# behind an identification
_MARK = re.compile(_IN_BLOCK.pattern + rb"|(?<=[\n)])!\r?\n")
# a readout that has arrived whole, and whose BCC cannot be the start of the next one
_WHOLE = re.compile(rb"(" + START.pattern + rb")\x02(([^/\x01-\x04]*+)\x03)([^/\x01\x02])", re.DOTALL)
_FIRSTS = (b"/", SOH, STX, ETX, EOT)
_FIRSTS_PLAIN = (*_FIRSTS, b"!")
# if the BCC was lost, one of these is the first character of the next message
_SLASH = ord("/")
_FIRST = b"/\x01\x02"
# a full list of an MT174 has 9,522
MAX_READOUT = 32 * 1024


class D0Message(Struct, frozen=True):
    """`ident` is the identification line before it, or "". `command` is "P0" in programming mode, else "".

    `text` is everything between STX and `end`, which is ETX, EOT or "!". `fits` says whether the BCC is right, True if
    there is none. `raw` is the whole message with its identification, as received.
    """

    ident: str
    command: str
    text: str
    end: bytes
    fits: bool
    raw: bytes


class Frames:
    """`feed` appends bytes; `next` returns the next message or fault, or None."""

    def __init__(self) -> None:
        self._buffer = Buffer()
        self._searched = 0
        # the last identification line, and its bytes as received
        self.ident = ""
        self._ident_raw = b""
        # the buffer begins with STX or SOH
        self._is_block = False
        # the "/" at the front may be the BCC of the message before
        self._may_be_bcc = False

    @property
    def pending(self) -> int:
        """Bytes held back, waiting for the rest of a message."""
        return len(self._ident_raw) + len(self._buffer)

    def feed(self, data: bytes) -> None:
        self._buffer.feed(data)

    def next(self) -> D0Message | Fault | None:
        while True:
            if not self._is_block and self._searched == 0 and not self.ident:
                self._skip_gap()
                if message := self._whole():
                    return message
            marks = _IN_BLOCK if self._is_block else _MARK if self.ident else _BEGIN
            firsts = _FIRSTS_PLAIN if marks is _MARK else _FIRSTS
            mark = self._buffer.search(marks, firsts, self._searched, MAX_READOUT)
            if mark is None:
                return self._without_mark()
            at, end = mark.span()
            first = mark[0][:1]
            result: D0Message | Fault | None = None
            if first == b"/":
                result = self._identification(at, end)
            elif first in (SOH, STX):
                result = self._block(at, end)
            elif self._is_block and first in (ETX, EOT):
                return self._message(at)
            elif not self._is_block and first not in (ETX, EOT):
                return self._plain(at, end)
            else:
                # an ETX outside of a block
                self._searched = end
            if result:
                return result

    def _whole(self) -> D0Message | None:
        """A good readout at the front; one that is none is left to the search for marks."""
        whole = _WHOLE.match(self._buffer.text)
        if whole is None:
            return None
        line, checked, text, check = whole.groups()
        if bcc(checked) != check[0]:
            return None
        _, raw = self._buffer.pop(whole.end())
        return D0Message(_ident(line), "", text.decode("latin-1"), ETX, True, raw)

    def _skip_gap(self) -> None:
        text = self._buffer.text
        if self._may_be_bcc and len(text) > 1:
            self._may_be_bcc = False
            if not text[1:2].isalpha():
                self._buffer.pop(1)
        self._buffer.skip_gap()

    def _identification(self, at: int, end: int) -> Fault | None:
        lost = self._lost(at)
        line, self._ident_raw = self._buffer.pop(end - at)
        self.ident = _ident(line)
        self._is_block, self._searched = False, 0
        return lost

    def _block(self, at: int, end: int) -> Fault | None:
        # garbage between an identification and STX comes from switching the speed
        lost = None
        if self._is_block or not self.ident:
            lost = self._lost(at)
        else:
            self._buffer.pop(at)
        self._is_block, self._searched = True, end - at
        return lost

    def _lost(self, at: int) -> Fault | None:
        """Remove everything before a new start: a cut message, or noise."""
        if not self._is_block and not self.ident:
            return self._buffer.pop_noise(at)
        length = len(self._ident_raw) + at
        self._buffer.pop(at)
        self._forget()
        return Fault("cut", "a new message begins inside this one", length)

    def _message(self, at: int) -> D0Message | None:
        """The block whose ETX or EOT is at `at`, or None until its BCC has arrived."""
        if len(self._buffer) < at + 2:
            self._searched = at
            return None
        end, check = bytes(self._buffer.text[at : at + 1]), self._buffer.text[at + 1]
        start = self._buffer.text.index(STX)
        fits = bcc(bytes(self._buffer.text[1 : at + 1])) == check
        # a right BCC that looks like the start of the next message may be one: `_skip_gap` decides
        is_kept = check == _SLASH or (check in _FIRST and not fits)
        bcc_raw = bytes(self._buffer.raw[at + 1 : at + 2]) if fits else b""
        text, raw = self._buffer.pop(at + 1 if is_kept else at + 2)
        message = D0Message(
            self.ident,
            text[1:start].decode("latin-1"),
            text[start + 1 : at].decode("latin-1"),
            end,
            fits,
            self._ident_raw + raw + (bcc_raw if is_kept else b""),
        )
        self._forget()
        self._may_be_bcc = is_kept and fits
        return message

    def _plain(self, at: int, end: int) -> D0Message | Fault:
        """A readout without a BCC; `at` is the position of its "!"."""
        text, raw = self._buffer.pop(end)
        ident, raw = self.ident, self._ident_raw + raw
        self._forget()
        if text.startswith(b"\r\n"):
            return D0Message(ident, "", text[2:at].decode("latin-1"), b"!", True, raw)
        return Fault("structure", "a readout without STX and without an empty line", len(raw))

    def _without_mark(self) -> Fault | None:
        buffer = self._buffer
        if len(buffer) < MAX_READOUT:
            # the longest mark may have begun
            begun = 1 if self._is_block else 0
            self._searched = max(self._searched, begun, len(buffer) - MAX_START)
            return None
        length = MAX_READOUT - MAX_START
        if not self._is_block and not self.ident:
            self._searched = 0
            return buffer.pop_noise(length)
        buffer.pop(length)
        length += len(self._ident_raw)
        self._forget()
        return Fault("oversize", f"no end within {MAX_READOUT} bytes", length)

    def _forget(self) -> None:
        self.ident, self._ident_raw = "", b""
        self._is_block, self._searched = False, 0


def _ident(line: bytes) -> str:
    return line[1:].rstrip(b"\r\n").decode("latin-1")
