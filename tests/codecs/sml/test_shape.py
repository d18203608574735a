import telegrams
from iskra_server.codecs.checksum import checksum
from iskra_server.codecs.sml import encoder, tlv
from iskra_server.codecs.sml.decoder import parse_telegram
from iskra_server.codecs.sml.shape import Shape, shape
from iskra_server.codecs.sml.tlv import Node


def shape_of(data: bytes) -> Shape | None:
    return shape(parse_telegram(data)[0])


def test_values_status_words_and_times_are_where_they_stand_on_the_wire() -> None:
    data = telegrams.telegram(seconds=0x01020304)
    found = shape_of(data)
    assert found is not None
    sent = [data[start : start + len(leaf.payload)] for leaf, start in found.values]
    assert sent == [b"ISK", telegrams.SERVER_ID, (123456789).to_bytes(8), (321).to_bytes(4), telegrams.KEY]
    assert found.sensor_time is not None
    assert data[found.sensor_time[1] :].startswith(bytes.fromhex("01020304"))
    assert [place is not None for place in found.statuses] == [False, False, True, False, False]
    assert found.times == (None,) * 5


def test_every_message_checksum_covers_what_the_shape_says() -> None:
    data = telegrams.telegram()
    found = shape_of(data)
    assert found is not None
    assert len(found.checks) == 3
    assert all(checksum(data[start:end]) == data[end + 1 : end + 3] for start, end in found.checks)


def test_unusual_telegrams_have_no_shape() -> None:
    first, listed, last = telegrams.list_messages()
    attention = encoder.message(b"\7", tlv.unsigned(0xFF01, 2), tlv.data(b"x"))
    local: Node = tlv.sequence(
        tlv.unsigned(3, 1), tlv.sequence(tlv.unsigned(1, 4), tlv.integer(60, 2), tlv.integer(60, 2))
    )
    moment = tlv.sequence(tlv.unsigned(1, 1), encoder.sec_index(7))
    timed = tlv.sequence(tlv.data(telegrams.IMPORT), *[tlv.ABSENT] * 4, moment, tlv.ABSENT)
    for data in (
        encoder.telegram([first, listed, listed, last]),
        encoder.telegram([first, attention, listed, last]),
        encoder.telegram([first, last]),
        telegrams.telegram(sensor_time=local),
        telegrams.telegram([timed]),
    ):
        assert shape_of(data) is None
