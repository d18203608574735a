r"""Extracts P1 telegrams from a stream of bytes (DSMR 5.0.2, 5.2; IEC 62056-21, mode D).

    /XXXZ ident CR LF | [CR LF] | lines, each CR LF | ! [checksum, up to 4 hex digits] CR LF
    start                                             end

Every data line has parentheses and the identification line has none, so a telegram never contains a start. A start
before an end means that the previous telegram was cut. In Poland what follows the identification is encrypted:

    /XXXZ ident CR LF CR LF | 00 82 length | security control, counter, content, tag | ! checksum CR LF

Each end is tried once, with the last start before it, and the
search continues directly after its "!". So any bytes cost linear time.
"""

import re

from msgspec import Struct

from iskra_server.codecs.text.buffer import Buffer
from iskra_server.codecs.text.identification import MAX_START, START
from iskra_server.meter.reading import Fault

_MARK = re.compile(START.pattern + rb"|(?<=[\n)])!")
_FIRSTS = (b"/", b"!")
_CHECKSUM = re.compile(rb"!([0-9A-Fa-f]{0,4})")
_ZEROS = b"0000"
_LINE_END = re.compile(rb"[\0 ]{0,8}\r?\n")
_MAYBE_LINE_END = re.compile(rb"[\0 ]{0,8}\r?")
_SEALED = b"\0\x82"
_SEALED_HEAD = 4
_END = ord("!")
# a text message has 2,048 digits, 13 months of peaks 500
MAX_TELEGRAM = 8192


class Telegram(Struct, frozen=True):
    """`text` is from "/" to "!" in seven bits, `digits` the checksum as sent; `raw` is both as received.

    `sealed` is what is encrypted, from its 00 82 on, else empty; then `text` is as received.
    `ends_line`: a line end follows; always True after a checksum of four digits. `length` counts the bytes on the wire
    without the line end.
    """

    text: bytes
    raw: bytes
    digits: bytes
    ends_line: bool
    length: int
    sealed: bytes = b""


class Frames:
    """`feed` appends bytes; `next` returns the next telegram, unchecked, or a fault, or None."""

    def __init__(self) -> None:
        self._buffer = Buffer()
        # whether the buffer begins with a start; up to where it was searched for a mark
        self._has_start = False
        self._start_length = 0
        self._searched = 0

    @property
    def pending(self) -> int:
        """Bytes held back, waiting for the rest of a telegram."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        self._buffer.feed(data)

    def next(self) -> Telegram | Fault | None:
        if not self._has_start:
            fault = self._find_start()
            if fault or not self._has_start:
                return fault
        end = self._sealed_end()
        if end != 0:
            return None if end is None else self._telegram(end, self._sealed_start)
        mark = self._buffer.search(_MARK, _FIRSTS, self._searched, MAX_TELEGRAM)
        if mark is None:
            return self._without_mark()
        start, end = mark.span()
        if end - start == 1:
            return self._telegram(start)
        self._buffer.pop(start)
        self._begin(end - start)
        return Fault("cut", "a new telegram begins inside this one", start)

    def _find_start(self) -> Fault | None:
        """Remove everything before the first start; it is noise unless it is a line end."""
        buffer = self._buffer
        if self._searched == 0:
            buffer.skip_gap()
        start = START.search(buffer.text, self._searched)
        if start:
            at, end = start.span()
            self._begin(end - at)
            return buffer.pop_noise(at)
        self._searched = max(0, len(buffer) - MAX_START)
        if len(buffer) <= MAX_TELEGRAM:
            return None
        length, self._searched = self._searched, 0
        return buffer.pop_noise(length)

    def _without_mark(self) -> Fault | None:
        if len(self._buffer) < MAX_TELEGRAM:
            self._searched = max(self._searched, len(self._buffer) - MAX_START)
            return None
        # a start may cross the limit
        length = MAX_TELEGRAM - MAX_START
        self._buffer.pop(length)
        self._end()
        return Fault("oversize", f"no end within {MAX_TELEGRAM} bytes", length)

    @property
    def _sealed_start(self) -> int:
        """Where an encrypted part begins, if there is one: behind the identification and the blank line."""
        at = self._start_length
        return at + len(b"\r\n") if self._buffer.raw.startswith(b"\r\n", at) else at

    def _sealed_end(self) -> int | None:
        """The position of the "!" behind the encrypted part, 0 if there is no such part; None until that is clear."""
        raw, at = self._buffer.raw, self._start_length
        if raw.find(0, at, at + len(b"\r\n\0")) < 0:
            return 0
        start = self._sealed_start
        head = bytes(raw[start : start + _SEALED_HEAD])
        if not head or not _SEALED.startswith(head[: len(_SEALED)]):
            return 0
        if len(head) < _SEALED_HEAD:
            return None
        end = start + _SEALED_HEAD + int.from_bytes(head[len(_SEALED) :])
        if end >= MAX_TELEGRAM:
            return 0
        if len(raw) <= end:
            return None
        return end if raw[end] == _END else 0

    def _telegram(self, end: int, sealed_start: int = 0) -> Telegram | None:
        """The telegram whose "!" is at `end`, or None until its checksum or line end has arrived."""
        text = self._buffer.text
        digits = bytes(_CHECKSUM.match(text, end)[1])  # type: ignore[index]
        behind = end + 1 + len(digits)
        is_complete = len(digits) == len(_ZEROS) and digits != _ZEROS
        if not is_complete and _MAYBE_LINE_END.fullmatch(text, behind):
            self._searched = end - 1
            return None
        ends_line = is_complete or _LINE_END.match(text, behind) is not None
        whole, raw = self._buffer.pop(behind)
        self._end()
        if sealed_start:
            return Telegram(raw[: end + 1], raw, digits, ends_line, behind, raw[sealed_start:end])
        return Telegram(whole[: end + 1], raw, digits, ends_line, behind)

    def _begin(self, length: int) -> None:
        """The buffer begins with a start of this length, whose line end may belong to an end mark."""
        self._has_start, self._start_length, self._searched = True, length, length - 1

    def _end(self) -> None:
        self._has_start, self._searched = False, 0
