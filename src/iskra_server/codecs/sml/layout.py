"""Remembered layouts: a meter repeats the same telegram with other numbers, so its shape needs parsing only once.

A telegram of known layout is read by one masked comparison (are all fixed bytes the same?), the checksums, and two
unpackings (values; times and status words). Whatever does not fit goes the long way through the full parser, which is
the truth: a property test holds the two equal.
"""

from binascii import crc_hqx
from collections.abc import Callable
from operator import itemgetter
from struct import Struct as Packing
from typing import Any

from iskra_server.codecs.checksum import REVERSED, Variant, advance
from iskra_server.codecs.sml import messages, tlv
from iskra_server.codecs.sml.shape import Place, Shape, shape
from iskra_server.codecs.sml.tlv import Leaf, Sequence
from iskra_server.meter.reading import MeterTime, Reading, Register

# a meter whose numbers change their width has a few dozen layouts
MAX_LAYOUTS = 64
# X-25 over bytes that end in their own checksum, as crc_hqx over reversed bytes gives it
_RESIDUE = 0x1D0F
_START = Variant.X25.start
_SIGNED = {1: "b", 2: "h", 4: "i", 8: "q"}
_TRANSPORT_CHECKSUM = 2


class Layouts:
    """The layouts of one stream, by length of the telegram."""

    def __init__(self) -> None:
        self._by_length: dict[int, list[Layout]] = {}
        self._count = 0

    def read(self, telegram: bytes) -> Reading | None:
        """The reading in a telegram without escapes, of known layout, whose checksums are right; else None."""
        layouts = self._by_length.get(len(telegram))
        if layouts is None:
            return None
        number = int.from_bytes(telegram, "little")
        for layout in layouts:
            if number & layout.mask == layout.fixed:
                return layout.read(telegram)
        return None

    def learn(self, telegram: bytes, parsed: tuple[Sequence, ...]) -> None:
        """Remember the layout of a telegram without escapes and with X-25 checksums, unless it is unusual."""
        known = shape(parsed)
        if known is None:
            return
        if self._count >= MAX_LAYOUTS:
            self._by_length.clear()
            self._count = 0
        (template,) = messages.readings(parsed, len(telegram))
        self._by_length.setdefault(len(telegram), []).append(Layout(telegram, known, template))
        self._count += 1


class Layout:
    """Where the values of a telegram lie, and what its other bytes must be (`mask`, `fixed`; both little-endian)."""

    def __init__(self, telegram: bytes, known: Shape, template: Reading) -> None:
        self._template = template
        *self._shorter, self._longest = sorted(known.checks, key=lambda check: check[1] - check[0])
        self._high, self._low = advance(self._longest[1] - self._longest[0])
        self._values = _unpacker(known.values)
        self._obis, self._scalers, self._units, self._statuses, self._times = zip(
            *((each.obis, each.scaler, each.unit, each.status, each.time) for each in template.registers), strict=True
        )
        sent = (known.sensor_time, *known.statuses, *known.times)
        moments = tuple(sorted((place for place in sent if place), key=itemgetter(1)))
        field_at = {position: field for field, (_, position) in enumerate(moments)}
        self._moments = _unpacker(moments)
        self._has_sensor_time = known.sensor_time is not None
        self._status_fields = [(entry, field_at[place[1]]) for entry, place in enumerate(known.statuses) if place]
        self._time_fields = [(entry, field_at[place[1]]) for entry, place in enumerate(known.times) if place]
        self.mask = _mask(len(telegram), known)
        self.fixed = int.from_bytes(telegram, "little") & self.mask

    def read(self, telegram: bytes) -> Reading | None:
        """The reading in a telegram whose fixed bytes fit; None where a checksum is wrong."""
        if not self._checksums_fit(telegram):
            return None
        template = self._template
        moments = self._moments(telegram)
        statuses = list(self._statuses)
        for entry, field in self._status_fields:
            statuses[entry] = moments[field]
        times = self._entry_times(moments) if self._time_fields else self._times
        raws = self._values(telegram)
        time = template.meter_time
        return Reading(
            template.meter_id,
            template.server_id,
            tuple(map(Register, self._obis, raws, self._scalers, self._units, statuses, times)),
            MeterTime(time.kind, moments[0]) if time and self._has_sensor_time else time,
            template.protocol,
            template.byte_count,
            template.widths,
        )

    def _entry_times(self, moments: tuple[Any, ...]) -> tuple[MeterTime | None, ...]:
        times = list(self._times)
        for entry, field in self._time_fields:
            before = times[entry]
            times[entry] = MeterTime(before.kind, moments[field]) if before else None
        return tuple(times)

    def _checksums_fit(self, telegram: bytes) -> bool:
        """The transport checksum and each message's own; the longest message is gone over only once."""
        data = telegram.translate(REVERSED)
        start, end = self._longest
        own = crc_hqx(data[start:end], _START)
        difference = crc_hqx(data[:start], _START) ^ _START
        behind = own ^ self._high[difference >> 8] ^ self._low[difference & 0xFF]
        # a message's checksum stands behind the head of its field
        if crc_hqx(data[end:], behind) != _RESIDUE or crc_hqx(data[end + 1 : end + 3], own) != _RESIDUE:
            return False
        for start, end in self._shorter:
            if crc_hqx(data[end + 1 : end + 3], crc_hqx(data[start:end], _START)) != _RESIDUE:
                return False
        return True


def _unpacker(places: tuple[Place, ...]) -> Callable[[bytes], tuple[Any, ...]]:
    """What gives the values at known places of a telegram, in the order of the places."""
    form, position, odd = ">", 0, []
    for index, (leaf, start) in enumerate(places):
        code = _code(leaf)
        if code is None:
            odd.append((index, leaf.kind == tlv.INTEGER))
        form += f"{start - position}x{code or f'{len(leaf.payload)}s'}"
        position = start + len(leaf.payload)
    unpack = Packing(form).unpack_from

    def widened(telegram: bytes) -> tuple[Any, ...]:
        values = list(unpack(telegram))
        for index, signed in odd:
            values[index] = int.from_bytes(values[index], signed=signed)
        return tuple(values)

    return widened if odd else unpack


def _code(leaf: Leaf) -> str | None:
    """The `struct` code of a field, None for an integer of a width that `struct` does not know."""
    if leaf.kind == tlv.BYTES:
        return f"{len(leaf.payload)}s"
    if leaf.kind == tlv.BOOLEAN:
        return "?"
    code = _SIGNED.get(len(leaf.payload))
    return code and (code if leaf.kind == tlv.INTEGER else code.upper())


def _mask(length: int, known: Shape) -> int:
    """All ones where a byte is fixed."""
    mask = bytearray(b"\xff" * length)
    moments = (known.sensor_time, *known.statuses, *known.times)
    for leaf, start in (*known.values, *known.passed, *(place for place in moments if place)):
        mask[start : start + len(leaf.payload)] = bytes(len(leaf.payload))
    for _, end in known.checks:
        mask[end + 1 : end + 3] = bytes(2)
    mask[-_TRANSPORT_CHECKSUM:] = bytes(_TRANSPORT_CHECKSUM)
    return int.from_bytes(mask, "little")
