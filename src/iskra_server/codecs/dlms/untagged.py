"""Lists whose descriptors have no tags (EG.D in the Czech Republic), which is no A-XDR.

    02 02 | 16 enum | 01 count | 02 02, class 2, code 6, attribute 1, value | 02 02, class 2, ...

They become a described list (lists.py).
"""

from msgspec import Struct

from iskra_server.codecs.dlms import axdr
from iskra_server.codecs.dlms.axdr import Element
from iskra_server.codecs.errors import Malformed

_PAIR = bytes((axdr.STRUCTURE, 2))
_HEAD = 6
_ENUM_AT, _ARRAY_AT, _COUNT_AT = 2, 4, 5
# the pair's own two bytes, class, code, attribute
_ROW_HEAD = 2 + 2 + 6 + 1
_MAX_ROWS = 127


class _Row(Struct, frozen=True, gc=False):
    start: int
    end: int


class Walk:
    """Goes along such a list while its bytes arrive."""

    def __init__(self, at: int) -> None:
        self._start = at
        self._at = at + _HEAD
        self._extent: axdr.Extent | None = None
        self.rows: list[_Row] = []

    def end(self, data: bytes | bytearray) -> int | None:
        """The position behind the list; None while bytes are missing. Raises Malformed."""
        head = data[self._start : self._start + _HEAD]
        if len(head) < _HEAD:
            return None
        is_head = head[:2] == _PAIR and head[_ENUM_AT] == axdr.ENUM and head[_ARRAY_AT] == axdr.ARRAY
        if not is_head or not 1 <= head[_COUNT_AT] <= _MAX_ROWS:
            raise Malformed("no list of descriptors without tags")
        while len(self.rows) < head[_COUNT_AT]:
            if len(data) < self._at + _ROW_HEAD:
                return None
            if data[self._at : self._at + 2] != _PAIR:
                raise Malformed(f"no pair of descriptor and value at byte {self._at}")
            self._extent = self._extent or axdr.Extent(self._at + _ROW_HEAD)
            end = self._extent.end(data)
            if end is None:
                return None
            self.rows.append(_Row(self._at, end))
            self._at, self._extent = end, None
        return self._at


def parse(data: bytes, at: int) -> Element:
    """The list that fills `data` from `at` to its last byte, as a described list. Raises Malformed."""
    walk = Walk(at)
    if walk.end(data) != len(data):
        raise Malformed("the list does not end with the telegram")
    descriptors = [_descriptor(data[row.start + 2 : row.start + _ROW_HEAD]) for row in walk.rows]
    values = [axdr.parse(data[row.start + _ROW_HEAD : row.end]) for row in walk.rows]
    # the first one describes the descriptors themselves
    rows = Element(axdr.ARRAY, (_descriptor(bytes(9)), *descriptors))
    return Element(axdr.STRUCTURE, (rows, *values))


def _descriptor(raw: bytes) -> Element:
    return Element(
        axdr.STRUCTURE,
        (
            Element(axdr.UINT16, int.from_bytes(raw[:2])),
            Element(axdr.OCTETS, raw[2:8]),
            Element(axdr.INT8, raw[8]),
            Element(axdr.UINT16, 0),
        ),
    )
