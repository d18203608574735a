"""The fast path gives exactly what the full parser gives."""

from binascii import crc_hqx

from hypothesis import given
from hypothesis import strategies as st

import telegrams
from iskra_server.codecs.checksum import checksum
from iskra_server.codecs.sml import encoder, tlv
from iskra_server.codecs.sml.decoder import SmlDecoder, parse_telegram
from iskra_server.codecs.sml.fast_path import MAX_LAYOUTS, Fields, Layouts, _advance, locate_fields
from iskra_server.codecs.sml.tlv import Node, Sequence
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading

WIDTHS = st.integers(1, 8)


@st.composite
def shapes(draw: st.DrawFn) -> list[tuple[int, bool, bool, bool, int]]:
    """(width, signed, with status, with time, scaler) of up to ten entries."""
    entry = st.tuples(WIDTHS, st.booleans(), st.booleans(), st.booleans(), st.integers(-3, 3))
    return draw(st.lists(entry, min_size=1, max_size=10))


def telegram_of(shape: list[tuple[int, bool, bool, bool, int]], draw: st.DataObject, seconds: int) -> bytes:
    entries = []
    for k, (width, signed, status, time, scaler) in enumerate(shape):
        raw = draw.draw(st.binary(min_size=width, max_size=width))
        entries.append(
            encoder.entry(
                Obis(bytes((1, 0, k, 8, 0, 255))),
                tlv.Leaf(tlv.INTEGER if signed else tlv.UNSIGNED, raw),
                scaler=tlv.integer(scaler, 1),
                unit=tlv.unsigned(30, 1),
                status=tlv.unsigned(draw.draw(st.integers(0, 2**32 - 1)), 4) if status else tlv.ABSENT,
                time=encoder.sec_index(seconds) if time else tlv.ABSENT,
            )
        )
    return telegrams.telegram([*entries, *telegrams.meter_entries()[:1]], seconds=seconds)


def by_full_parser(data: bytes) -> list[Reading]:
    """A new decoder has no layouts."""
    return telegrams.readings(data)


@given(shapes(), st.data())
def test_the_fast_path_equals_the_full_parser(
    shape: list[tuple[int, bool, bool, bool, int]], choose: st.DataObject
) -> None:
    decoder = SmlDecoder()
    for seconds in (1, 2**31, 2**32 - 1):
        data = telegram_of(shape, choose, seconds)
        assert list(decoder.feed(data)) == by_full_parser(data)


def layouts_of(data: bytes) -> Layouts:
    layouts = Layouts()
    layouts.learn(data, parse_telegram(data)[0])
    return layouts


def test_the_second_telegram_of_a_meter_is_read_by_its_layout() -> None:
    first, second = telegrams.series(2)
    assert layouts_of(first).read(second) == by_full_parser(second)[0]


def test_a_telegram_with_another_fixed_byte_is_left_to_the_full_parser() -> None:
    layouts = layouts_of(telegrams.telegram())
    for other in (
        telegrams.telegram(server_id=bytes.fromhex("090149534b0000bc614f")),
        telegrams.telegram(telegrams.meter_entries(scaler=-2)),
        telegrams.telegram(telegrams.meter_entries(power=None)),
        telegrams.telegram(sensor_time=tlv.sequence(tlv.unsigned(2, 1), tlv.unsigned(1000, 4))),
    ):
        assert layouts.read(other) is None
        assert len(by_full_parser(other)) == 1


def test_a_telegram_with_a_wrong_checksum_is_left_to_the_full_parser() -> None:
    data = telegrams.telegram()
    layouts = layouts_of(data)
    assert layouts.read(data) is not None
    for at in range(8, len(data)):
        damaged = data[:at] + bytes((data[at] ^ 0x10,)) + data[at + 1 :]
        assert layouts.read(damaged) is None


def test_message_checksums_are_checked_too() -> None:
    data = telegrams.telegram()
    parsed, _, padding = parse_telegram(data)
    payload = bytearray(b"".join(map(tlv.encode, parsed)))
    payload[payload.index(b"\x63", 20) + 1] ^= 0xFF
    damaged = encoder.wrap(bytes(payload), padding=padding)
    assert layouts_of(data).read(damaged) is None


def test_escapes_inside_are_read_the_by_full_parser() -> None:
    plain = telegrams.telegram(telegrams.meter_entries(energy=1))
    escaped = telegrams.telegram(telegrams.meter_entries(energy=0x1B1B1B1B1B))
    readings = telegrams.readings(plain + escaped + plain + escaped)
    assert [reading.registers[2].raw for reading in readings] == [1, 0x1B1B1B1B1B] * 2


def test_the_number_of_layouts_is_bounded() -> None:
    decoder = SmlDecoder()
    for k in range(3 * MAX_LAYOUTS):
        entries: list[Sequence] = [encoder.entry(telegrams.IMPORT, tlv.unsigned(k, 1 + k % 8))] * (1 + k % 50)
        data = telegrams.telegram(entries, seconds=k)
        assert list(decoder.feed(data)) == by_full_parser(data)


def fields_of(data: bytes) -> Fields | None:
    return locate_fields(parse_telegram(data)[0])


def test_values_status_words_and_times_are_located_on_the_wire() -> None:
    data = telegrams.telegram(seconds=0x01020304)
    fields = fields_of(data)
    assert fields is not None
    sent = [data[start : start + len(leaf.payload)] for leaf, start in fields.values]
    assert sent == [b"ISK", telegrams.SERVER_ID, (123456789).to_bytes(8), (321).to_bytes(4), telegrams.KEY]
    assert fields.sensor_time is not None
    assert data[fields.sensor_time[1] :].startswith(bytes.fromhex("01020304"))
    assert [place is not None for place in fields.statuses] == [False, False, True, False, False]
    assert fields.times == (None,) * 5


def test_the_bytes_under_each_message_checksum_are_located() -> None:
    data = telegrams.telegram()
    fields = fields_of(data)
    assert fields is not None
    assert len(fields.checksummed) == 3
    assert all(checksum(data[start:end]) == data[end + 1 : end + 3] for start, end in fields.checksummed)


def test_unusual_telegrams_get_no_layout() -> None:
    first, listed, last = telegrams.list_messages()
    attention = encoder.message(b"\7", tlv.unsigned(0xFF01, 2), tlv.octet_string(b"x"))
    local: Node = tlv.sequence(
        tlv.unsigned(3, 1), tlv.sequence(tlv.unsigned(1, 4), tlv.integer(60, 2), tlv.integer(60, 2))
    )
    moment = tlv.sequence(tlv.unsigned(1, 1), encoder.sec_index(7))
    timed = tlv.sequence(tlv.octet_string(telegrams.IMPORT), *[tlv.ABSENT] * 4, moment, tlv.ABSENT)
    for data in (
        encoder.telegram([first, listed, listed, last]),
        encoder.telegram([first, attention, listed, last]),
        encoder.telegram([first, last]),
        telegrams.telegram(sensor_time=local),
        telegrams.telegram([timed]),
    ):
        assert fields_of(data) is None


@given(st.binary(max_size=600), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
def test_the_difference_of_two_registers_is_carried_over_bytes(data: bytes, one: int, other: int) -> None:
    high, low = _advance(len(data))
    difference = one ^ other
    carried = high[difference >> 8] ^ low[difference & 0xFF]
    assert crc_hqx(data, one) == crc_hqx(data, other) ^ carried
