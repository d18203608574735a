"""Lists whose descriptors have no tags."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pushes
from iskra_server.codecs.dlms import encoder, untagged
from iskra_server.codecs.dlms.axdr import Element
from iskra_server.codecs.dlms.encoder import array, octet_string, u1, u4
from iskra_server.codecs.errors import Malformed
from iskra_server.meter.obis import Obis
from trying import tries

ROWS = (
    (1, "0-0:42.0.0", 2, octet_string(b"EGD012345")),
    (40, "0-2:25.9.0", 1, octet_string(b"\0\2\x19\x09\0\xff")),
    (70, "0-0:96.3.10", 3, u1(1)),
    (3, "1-0:1.7.0", 2, u4(1234)),
    (3, "1-0:1.8.0", 2, u4(7654321)),
    (9, "0-0:10.0.0", 2, array(u4(1), u4(2))),
)


def listed(rows: tuple[tuple[int, str, int, Element], ...] = ROWS) -> bytes:
    body = b"\x02\x02\x16\x01\x01" + bytes((len(rows),))
    for interface_class, obis, attribute, value in rows:
        head = interface_class.to_bytes(2) + bytes(Obis.parse(obis)) + bytes((attribute,))
        body += b"\x02\x02" + head + encoder.element(value)
    return body


APDU = b"\x0f\0\0\0\1\0" + listed()


@pytest.mark.parametrize("chunk", [1, 7, None])
@pytest.mark.parametrize("stream", [APDU, APDU * 2, encoder.hdlc(APDU, 40)])
def test_a_list_is_read(stream: bytes, chunk: int | None) -> None:
    for reading in (found := pushes.readings(stream, chunk)):
        assert reading.meter_id == "EGD012345"
        assert {each.obis.short: str(each.value) for each in reading.numbers()} == {
            "1-0:1.7.0": "1234",
            "1-0:1.8.0": "7654321",
        }
    assert len(found) == (2 if stream == APDU * 2 else 1)


@pytest.mark.parametrize("bit", range(0, 8 * len(APDU), 3))
def test_a_flipped_bit_gives_no_reading_in_a_frame(bit: int) -> None:
    stream = bytearray(encoder.hdlc(APDU))
    stream[bit // 8] ^= 1 << bit % 8
    assert pushes.readings(bytes(stream)) == []


@pytest.mark.parametrize("end", range(len(listed())))
def test_a_cut_list_is_malformed(end: int) -> None:
    assert untagged.Walk(0).end(listed()[:end]) is None
    with pytest.raises(Malformed):
        untagged.parse(listed()[:end], 0)
    with pytest.raises(Malformed):
        untagged.parse(listed() + b"\0", 0)


@pytest.mark.parametrize("at", [0, 1, 2, 4, 5, 6, 7])
def test_another_head_is_none(at: int) -> None:
    data = bytearray(listed())
    data[at] = 0xFF
    with pytest.raises(Malformed):
        untagged.Walk(0).end(data)


@tries()
@given(st.binary(max_size=120), st.integers(0, 60))
def test_any_bytes_are_a_list_or_malformed(tail: bytes, cut: int) -> None:
    data = listed()[:cut] + tail
    try:
        element = untagged.parse(data, 0)
    except Malformed:
        return
    assert len(element.items[0].items) == len(element.items)
