"""DLMS telegrams without a frame, as some bridges deliver them: only their structure shows where they end.

[E6 E7 00] 0F | invoke 4 | date-time | one array or structure          clear
[E6 E7 00] DB | 08 title 8 | length | ...                              encrypted
"""

import re

from iskra_server.codecs.dlms import axdr, untagged
from iskra_server.codecs.dlms.notification import CIPHERED, DATE_TIME_LENGTH, NOTIFICATION, body_at, is_date_time
from iskra_server.codecs.errors import Malformed, NoFrame

LLC = b"\xe6\xe7\x00"
# DB stands in any noise, so the title must be a real one
_CIPHERED = re.compile(rb"\xdb\x08[A-Za-z]{3}.{5}(?:[\x11-\x7f].{3}|\x81.{3}|\x82.{3})", re.DOTALL)
_CIPHERED_HEAD = 14
_LENGTH_AT = 10
_TIME_AT = 5
MAX_TELEGRAM = 2048
# encrypted P1 with a text message of 2,048 characters
MAX_CIPHERED = 8192


class BareTelegram:
    """A telegram at the front of a buffer, which arrives in pieces."""

    def __init__(self) -> None:
        self._start = 0
        self._extent: axdr.Extent | None = None
        self._untagged = untagged.Walk(0)
        self._is_untagged = False

    def end(self, data: bytearray) -> int | None:
        """The position behind it; None while bytes are missing. Raises NoFrame where no telegram stands here."""
        try:
            end = self._end(data)
        except Malformed as error:
            raise NoFrame(str(error)) from None
        longest = MAX_CIPHERED if data[self._start : self._start + 1] == bytes((CIPHERED,)) else MAX_TELEGRAM
        if end is None and len(data) > longest:
            raise NoFrame(f"no end within {longest} bytes")
        return end

    def apdu(self, data: bytearray, end: int) -> bytes:
        """The telegram without LLC; `end` as `end` gave it."""
        return bytes(data[self._start : end])

    def is_followed(self, data: bytearray, end: int) -> bool | None:
        """Whether another one of the same kind follows; None while the bytes behind `end` do not tell."""
        apdu = self._start
        # the title, or whether a date-time stands before the list
        alike = range(apdu, apdu + _LENGTH_AT) if data[apdu] == CIPHERED else (apdu, apdu + _TIME_AT)
        for at in (*range(apdu), *alike):
            if end + at >= len(data):
                return None
            if data[end + at] != data[at]:
                return False
        return True

    def _end(self, data: bytearray) -> int | None:
        if data[0] == LLC[0]:
            self._start = len(LLC)
            if not LLC.startswith(data[: self._start]):
                raise NoFrame("no telegram begins here")
        if self._start >= len(data):
            return None
        tag = data[self._start]
        if tag == CIPHERED:
            return self._ciphered_end(data)
        if tag != NOTIFICATION:
            raise NoFrame("no telegram begins here")
        if self._extent is None:
            body = body_at(data, self._start)
            if body is None or body >= len(data):
                return None
            clock = bytes(data[body - DATE_TIME_LENGTH : body])
            has_time = body > self._start + _TIME_AT + 1
            if data[body] not in axdr.COMPOUND or (has_time and not is_date_time(clock)):
                raise NoFrame("no list follows")
            self._extent, self._untagged = axdr.Extent(body), untagged.Walk(body)
        if not self._is_untagged:
            try:
                return self._extent.end(data)
            except Malformed:
                self._is_untagged = True
        return self._untagged.end(data)

    def _ciphered_end(self, data: bytearray) -> int | None:
        head = bytes(data[self._start : self._start + _CIPHERED_HEAD])
        if len(head) < _CIPHERED_HEAD:
            if b"\xdb\x08".startswith(head[:2]) and (not head[2:5] or head[2:5].isalpha()):
                return None
            raise NoFrame("no system title follows")
        if not _CIPHERED.match(head):
            raise NoFrame("no system title follows")
        length, start = axdr.read_length(head, _LENGTH_AT)
        end = self._start + start + length
        if end > MAX_CIPHERED:
            raise NoFrame(f"longer than {MAX_CIPHERED} bytes")
        return end if end <= len(data) else None
