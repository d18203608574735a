"""A remembered layout must give exactly what the full parser gives."""

from hypothesis import given
from hypothesis import strategies as st

import telegrams
from iskra_server.codecs.sml import encoder, tlv
from iskra_server.codecs.sml.decoder import SmlDecoder, parse_telegram
from iskra_server.codecs.sml.layout import MAX_LAYOUTS, Layouts
from iskra_server.codecs.sml.tlv import Sequence
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading

WIDTHS = st.integers(1, 8)


@st.composite
def shapes(draw: st.DrawFn) -> list[tuple[int, bool, bool, bool, int]]:
    """(width, signed, with status, with time, scaler) of up to ten entries."""
    entry = st.tuples(WIDTHS, st.booleans(), st.booleans(), st.booleans(), st.integers(-3, 3))
    return draw(st.lists(entry, min_size=1, max_size=10))


def filled(shape: list[tuple[int, bool, bool, bool, int]], draw: st.DataObject, seconds: int) -> bytes:
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


def long_way(data: bytes) -> list[Reading]:
    """A fresh decoder remembers nothing."""
    return telegrams.readings(data)


@given(shapes(), st.data())
def test_a_known_layout_reads_as_the_full_parser_does(
    shape: list[tuple[int, bool, bool, bool, int]], choose: st.DataObject
) -> None:
    decoder = SmlDecoder()
    for seconds in (1, 2**31, 2**32 - 1):
        data = filled(shape, choose, seconds)
        assert list(decoder.feed(data)) == long_way(data)


def learnt(data: bytes) -> Layouts:
    layouts = Layouts()
    layouts.learn(data, parse_telegram(data)[0])
    return layouts


def test_the_second_telegram_of_a_meter_is_read_by_its_layout() -> None:
    first, second = telegrams.series(2)
    assert learnt(first).read(second) == long_way(second)[0]


def test_another_fixed_byte_is_not_read_by_the_layout() -> None:
    layouts = learnt(telegrams.telegram())
    for other in (
        telegrams.telegram(server_id=bytes.fromhex("090149534b0000bc614f")),
        telegrams.telegram(telegrams.meter_entries(scaler=-2)),
        telegrams.telegram(telegrams.meter_entries(power=None)),
        telegrams.telegram(sensor_time=tlv.sequence(tlv.unsigned(2, 1), tlv.unsigned(1000, 4))),
    ):
        assert layouts.read(other) is None
        assert len(long_way(other)) == 1


def test_a_wrong_checksum_is_not_read_by_the_layout() -> None:
    data = telegrams.telegram()
    layouts = learnt(data)
    assert layouts.read(data) is not None
    for at in range(8, len(data)):
        damaged = data[:at] + bytes((data[at] ^ 0x10,)) + data[at + 1 :]
        assert layouts.read(damaged) is None


def test_a_message_checksum_is_demanded_by_the_layout_too() -> None:
    data = telegrams.telegram()
    parsed, _, padding = parse_telegram(data)
    payload = bytearray(b"".join(map(tlv.encode, parsed)))
    payload[payload.index(b"\x63", 20) + 1] ^= 0xFF
    damaged = encoder.wrap(bytes(payload), padding=padding)
    assert learnt(data).read(damaged) is None


def test_escapes_inside_are_read_the_long_way() -> None:
    plain = telegrams.telegram(telegrams.meter_entries(energy=1))
    escaped = telegrams.telegram(telegrams.meter_entries(energy=0x1B1B1B1B1B))
    found = telegrams.readings(plain + escaped + plain + escaped)
    assert [reading.registers[2].raw for reading in found] == [1, 0x1B1B1B1B1B] * 2


def test_a_meter_that_changes_its_widths_all_the_time_is_remembered_within_bounds() -> None:
    decoder = SmlDecoder()
    for k in range(3 * MAX_LAYOUTS):
        entries: list[Sequence] = [encoder.entry(telegrams.IMPORT, tlv.unsigned(k, 1 + k % 8))] * (1 + k % 50)
        data = telegrams.telegram(entries, seconds=k)
        assert list(decoder.feed(data)) == long_way(data)
