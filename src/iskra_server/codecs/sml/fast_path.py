"""The fast path: a telegram of a layout seen before is read without parsing it again.

Why. A meter repeats the same telegram every 1 to 4 s, for years: the same messages, the same fields of the same
widths; only values, times, status words, ids and checksums change. The full parser makes an object of each of about
130 fields, which takes more than 25 times as long. One meter needs no fast path; a server that reads a
thousand meters, a replay and `decode` of a long capture do.

How. When the full parser has read a telegram, `locate_fields` notes where its variable fields lie, and a `Layout`
keeps them. The next telegram of the same length is

    1. compared with the layout: all fixed bytes (type and length bytes, OBIS codes, units, scalers, server id) must
       be the same. One AND and one comparison of two large integers;
    2. checked: the transport checksum and that of each message;
    3. unpacked: values with one `struct` call, times and status words with another.

Telegrams with escapes, more than one list response, unknown messages, KERMIT checksums or fields of an unusual form
never get a layout.

What it must equal. The full parser is the truth: for every telegram `Layouts.read` gives exactly the Reading that
messages.readings gives, or None, and then the full parser decides. tests/codecs/sml/test_fast_path.py holds the two
equal for generated telegrams of any widths, and for telegrams with one changed byte.

Checksums in one pass. The transport checksum covers all messages, each of which has its own. A CRC is linear:
crc(bytes, a) ^ crc(bytes, b) depends on a ^ b and the length alone. So the register behind the longest message
follows from that message's own checksum (`_advance`), and its bytes are read once instead of twice.
"""

from binascii import crc_hqx
from collections.abc import Callable, Iterator
from functools import lru_cache
from operator import itemgetter
from struct import Struct as Packing
from typing import Any

from msgspec import Struct

from iskra_server.codecs.checksum import REVERSED, Variant
from iskra_server.codecs.sml import messages, tlv
from iskra_server.codecs.sml.encoder import CLOSE_RESPONSE, LIST_RESPONSE, OPEN_RESPONSE, START
from iskra_server.codecs.sml.tlv import Leaf, Node, Sequence
from iskra_server.meter.reading import MeterTime, Reading, Register

# a meter whose numbers change their width has a few dozen layouts
MAX_LAYOUTS = 64
# X-25 over bytes that end in their own checksum, as crc_hqx over reversed bytes gives it
_RESIDUE = 0x1D0F
_CRC_START = Variant.X25.start
_STRUCT_CODES = {1: "b", 2: "h", 4: "i", 8: "q"}
_TRANSPORT_CHECKSUM = 2
# 63 CC CC 00 at the end of a message
_CHECKSUM_AND_END = 4

# a field and the position of its first byte on the wire
Place = tuple[Leaf, int]
# where a field stands in a message: the index at each level
_Path = tuple[int, ...]
_TRANSACTION_ID: _Path = (0,)
_SENSOR_TIME: _Path = (3, 1, 3)
_ENTRIES: _Path = (3, 1, 4)
_STATUS, _TIME, _VALUE, _SIGNATURE = 1, 2, 5, 6
# fields that vary and carry no reading, by message: octet strings, then times
_IGNORED: dict[int, tuple[tuple[_Path, ...], tuple[_Path, ...]]] = {
    OPEN_RESPONSE: (((3, 1, 2),), ((3, 1, 4),)),
    LIST_RESPONSE: (((3, 1, 5),), ((3, 1, 6),)),
    CLOSE_RESPONSE: ((), ()),
}


class Layouts:
    """The layouts of one stream, by length of the telegram."""

    def __init__(self) -> None:
        self._by_length: dict[int, list[Layout]] = {}
        self._count = 0

    def read(self, telegram: bytes) -> Reading | None:
        """The reading in a telegram without escapes, if its layout is known and its checksums are right; else None."""
        layouts = self._by_length.get(len(telegram))
        if layouts is None:
            return None
        number = int.from_bytes(telegram, "little")
        for layout in layouts:
            if number & layout.mask == layout.fixed:
                return layout.read(telegram)
        return None

    def learn(self, telegram: bytes, parsed: tuple[Sequence, ...]) -> None:
        """Remember the layout of a telegram without escapes and with X-25 checksums, if it has a usual one."""
        fields = locate_fields(parsed)
        if fields is None:
            return
        if self._count >= MAX_LAYOUTS:
            self._by_length.clear()
            self._count = 0
        (template,) = messages.readings(parsed, len(telegram))
        self._by_length.setdefault(len(telegram), []).append(Layout(telegram, fields, template))
        self._count += 1


class Layout:
    """Where the values of a telegram lie, and what its other bytes must be (`mask`, `fixed`; both little-endian)."""

    def __init__(self, telegram: bytes, fields: "Fields", template: Reading) -> None:
        self._template = template
        *self._shorter, self._longest = sorted(fields.checksummed, key=lambda span: span[1] - span[0])
        self._high, self._low = _advance(self._longest[1] - self._longest[0])
        self._values = _unpacker(fields.values)
        self._obis, self._scalers, self._units, self._statuses, self._times = zip(
            *((each.obis, each.scaler, each.unit, each.status, each.time) for each in template.registers), strict=True
        )
        optional = (fields.sensor_time, *fields.statuses, *fields.times)
        numbers = tuple(sorted((place for place in optional if place), key=itemgetter(1)))
        index_at = {position: index for index, (_, position) in enumerate(numbers)}
        self._numbers = _unpacker(numbers)
        self._has_sensor_time = fields.sensor_time is not None
        self._status_indexes = [(entry, index_at[place[1]]) for entry, place in enumerate(fields.statuses) if place]
        self._time_indexes = [(entry, index_at[place[1]]) for entry, place in enumerate(fields.times) if place]
        self.mask = _mask(len(telegram), fields)
        self.fixed = int.from_bytes(telegram, "little") & self.mask

    def read(self, telegram: bytes) -> Reading | None:
        """The reading in a telegram whose fixed bytes are right; None where a checksum is wrong."""
        if not self._has_valid_checksums(telegram):
            return None
        template = self._template
        numbers = self._numbers(telegram)
        statuses = list(self._statuses)
        for entry, index in self._status_indexes:
            statuses[entry] = numbers[index]
        times = self._entry_times(numbers) if self._time_indexes else self._times
        values = self._values(telegram)
        time = template.meter_time
        return Reading(
            template.meter_id,
            template.server_id,
            tuple(map(Register, self._obis, values, self._scalers, self._units, statuses, times)),
            # the sensor time stands before all entries
            MeterTime(time.kind, numbers[0]) if time and self._has_sensor_time else time,
            template.protocol,
            template.byte_count,
            template.widths,
        )

    def _entry_times(self, numbers: tuple[Any, ...]) -> tuple[MeterTime | None, ...]:
        times = list(self._times)
        for entry, index in self._time_indexes:
            previous = times[entry]
            times[entry] = MeterTime(previous.kind, numbers[index]) if previous else None
        return tuple(times)

    def _has_valid_checksums(self, telegram: bytes) -> bool:
        data = telegram.translate(REVERSED)
        start, end = self._longest
        own = crc_hqx(data[start:end], _CRC_START)
        difference = crc_hqx(data[:start], _CRC_START) ^ _CRC_START
        behind = own ^ self._high[difference >> 8] ^ self._low[difference & 0xFF]
        # a message's checksum stands behind the type-length byte of its field
        if crc_hqx(data[end:], behind) != _RESIDUE or crc_hqx(data[end + 1 : end + 3], own) != _RESIDUE:
            return False
        for start, end in self._shorter:
            if crc_hqx(data[end + 1 : end + 3], crc_hqx(data[start:end], _CRC_START)) != _RESIDUE:
                return False
        return True


class Fields(Struct, frozen=True):
    """Where the variable fields of a telegram lie; all bytes not named are fixed.

    values            the value of each entry
    statuses, times   an element for each entry, None where the entry has no such field
    ignored           transaction ids, file id, signatures
    checksummed       (start, end) of the bytes that each message checksum covers
    """

    values: tuple[Place, ...]
    sensor_time: Place | None
    statuses: tuple[Place | None, ...]
    times: tuple[Place | None, ...]
    ignored: tuple[Place, ...]
    checksummed: tuple[tuple[int, int], ...]


def locate_fields(parsed: tuple[Sequence, ...]) -> Fields | None:
    """Where the fields of a telegram without escapes lie; None for one that only the full parser reads."""
    bodies = [body for message in parsed if (body := messages.list_response(message))]
    if len(bodies) != 1 or not all(map(_is_supported, parsed)):
        return None
    entries = tuple(messages.entries(bodies[0]))
    located = [(message, start, dict(_leaves(message, start, ()))) for message, start in _starts(parsed)]
    places = next(places for message, _, places in located if messages.list_response(message))
    values = tuple(places.get((*_ENTRIES, entry, _VALUE)) for entry in range(len(entries)))
    sensor_time = _time(places, _SENSOR_TIME)
    times = tuple(_time(places, (*_ENTRIES, entry, _TIME)) for entry in range(len(entries)))
    sent_times = (bodies[0].items[3], *(entry.items[_TIME] for entry in entries))
    if entries != _all_entries(bodies[0]) or None in values or not _are_located(sent_times, (sensor_time, *times)):
        return None
    return Fields(
        values=tuple(value for value in values if value),
        sensor_time=sensor_time,
        statuses=tuple(_number(places, (*_ENTRIES, entry, _STATUS)) for entry in range(len(entries))),
        times=times,
        ignored=tuple(place for message, _, places in located for place in _ignored(message, places, len(entries))),
        checksummed=tuple((start, start + tlv.size(message) - _CHECKSUM_AND_END) for message, start, _ in located),
    )


def _is_supported(message: Sequence) -> bool:
    """Whether it is a known message with a checksum of two bytes."""
    return messages.tag(message) in _IGNORED and tlv.size(message.items[4]) + 1 == _CHECKSUM_AND_END


def _all_entries(body: Sequence) -> tuple[Node, ...]:
    values = body.items[4]
    return values.items if isinstance(values, Sequence) else ()


def _are_located(sent: tuple[Node, ...], places: tuple[Place | None, ...]) -> bool:
    """Whether every time that was sent is one number at a known place."""
    return all((messages.time(node) is None) == (place is None) for node, place in zip(sent, places, strict=True))


def _starts(parsed: tuple[Sequence, ...]) -> Iterator[tuple[Sequence, int]]:
    position = len(START)
    for message in parsed:
        yield message, position
        position += tlv.size(message)


def _leaves(node: Node, start: int, path: _Path) -> Iterator[tuple[_Path, Place]]:
    """Every leaf below a node that begins at `start`, by its path."""
    if isinstance(node, Leaf):
        yield path, (node, start + node.head)
        return
    start += node.head
    for index, item in enumerate(node.items):
        yield from _leaves(item, start, (*path, index))
        start += tlv.size(item)


def _ignored(message: Sequence, places: dict[_Path, Place], entries: int) -> Iterator[Place]:
    strings, times = _IGNORED[messages.tag(message) or 0]
    signatures = ((*_ENTRIES, entry, _SIGNATURE) for entry in range(entries))
    yield from (places[path] for path in (_TRANSACTION_ID, *strings, *signatures) if path in places)
    yield from (place for path in times if (place := _time(places, path)))


def _number(places: dict[_Path, Place], path: _Path) -> Place | None:
    place = places.get(path)
    return place if place and messages.number(place[0]) is not None else None


def _time(places: dict[_Path, Place], path: _Path) -> Place | None:
    """Where the number of an SML_Time stands: bare, or behind its choice."""
    return _number(places, path) or _number(places, (*path, 1))


def _unpacker(places: tuple[Place, ...]) -> Callable[[bytes], tuple[Any, ...]]:
    """A function that gives the values at these places of a telegram, in their order."""
    form, position, odd = ">", 0, []
    for index, (leaf, start) in enumerate(places):
        code = _struct_code(leaf)
        if code is None:
            odd.append((index, leaf.kind == tlv.INTEGER))
        form += f"{start - position}x{code or f'{len(leaf.payload)}s'}"
        position = start + len(leaf.payload)
    unpack = Packing(form).unpack_from

    def unpack_odd_widths(telegram: bytes) -> tuple[Any, ...]:
        values = list(unpack(telegram))
        for index, signed in odd:
            values[index] = int.from_bytes(values[index], signed=signed)
        return tuple(values)

    return unpack_odd_widths if odd else unpack


def _struct_code(leaf: Leaf) -> str | None:
    """The code of a field in `struct`, None for an integer of a width that `struct` does not have."""
    if leaf.kind == tlv.BYTES:
        return f"{len(leaf.payload)}s"
    if leaf.kind == tlv.BOOLEAN:
        return "?"
    code = _STRUCT_CODES.get(len(leaf.payload))
    return code and (code if leaf.kind == tlv.INTEGER else code.upper())


def _mask(length: int, fields: Fields) -> int:
    """All ones where a byte is fixed."""
    mask = bytearray(b"\xff" * length)
    optional = (fields.sensor_time, *fields.statuses, *fields.times)
    for leaf, start in (*fields.values, *fields.ignored, *(place for place in optional if place)):
        mask[start : start + len(leaf.payload)] = bytes(len(leaf.payload))
    for _, end in fields.checksummed:
        mask[end + 1 : end + 3] = bytes(2)
    mask[-_TRANSPORT_CHECKSUM:] = bytes(_TRANSPORT_CHECKSUM)
    return int.from_bytes(mask, "little")


@lru_cache(maxsize=256)
def _advance(length: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Tables that carry the difference of two CRC registers over `length` bytes, by its high and its low byte.

    high, low = _advance(len(data))
    crc_hqx(data, a) == crc_hqx(data, b) ^ high[(a ^ b) >> 8] ^ low[(a ^ b) & 0xFF]
    """
    zeros = bytes(length)
    return (
        tuple(crc_hqx(zeros, byte << 8) for byte in range(256)),
        tuple(crc_hqx(zeros, byte) for byte in range(256)),
    )
