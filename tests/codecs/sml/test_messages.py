"""The quirks of real meters, one test each (docs/meters.md), on telegrams of an invented meter."""

import pytest

import telegrams
from iskra_server.codecs.sml import encoder, tlv
from iskra_server.codecs.sml.decoder import parse_telegram
from iskra_server.codecs.sml.tlv import ABSENT, Leaf, Node, Sequence, octet_string
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import MeterTime, Reading, Register
from iskra_server.meter.units import WATT, WATT_HOUR, Unit

CODE = Obis.parse("1-0:0.8.1")
TRUE = Leaf(tlv.BOOLEAN, b"\x01")


def read(*entries: Sequence, sensor_time: Node | None = None, server_id: bytes = telegrams.SERVER_ID) -> Reading:
    (reading,) = telegrams.decode(telegrams.telegram(entries, sensor_time=sensor_time, server_id=server_id))
    assert isinstance(reading, Reading)
    return reading


def test_a_reading_holds_everything_the_meter_sent_in_order() -> None:
    (reading,) = telegrams.readings(telegrams.telegram())
    assert (reading.meter_id, reading.server_id) == ("1 ISK 00 12345678", telegrams.SERVER_ID)
    assert (reading.meter_time, reading.protocol) == (MeterTime("sec_index", 1000), "sml")
    assert reading.byte_count == len(telegrams.telegram())
    assert reading.registers == (
        Register(Obis.parse("129-129:199.130.3"), b"ISK"),
        Register(Obis.parse("1-0:0.0.9"), telegrams.SERVER_ID),
        Register(telegrams.IMPORT, 123456789, -1, WATT_HOUR, 0x182),
        Register(telegrams.POWER, 321, 0, WATT),
        Register(Obis.parse("129-129:199.130.5"), telegrams.KEY),
    )


@pytest.mark.parametrize(
    "value",
    [tlv.unsigned(2 ** (8 * width) - 1, width) for width in range(1, 9)]
    + [tlv.integer(-(2 ** (8 * width - 1)), width) for width in range(1, 9)]
    + [
        TRUE,
        tlv.Leaf(tlv.BOOLEAN, b"\0"),
        octet_string(b""),
        octet_string(bytes(300)),
    ],
)
def test_values_of_every_kind_and_width(value: Leaf) -> None:
    assert read(encoder.entry(CODE, value)).registers == (Register(CODE, value.value),)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (encoder.sec_index(7), MeterTime("sec_index", 7)),
        (encoder.sec_index(7, width=3), MeterTime("sec_index", 7)),
        (tlv.unsigned(9, 4), MeterTime("sec_index", 9)),
        (tlv.sequence(tlv.unsigned(2, 1), tlv.unsigned(1700000000, 4)), MeterTime("timestamp", 1700000000)),
        (
            tlv.sequence(
                tlv.unsigned(3, 1),
                tlv.sequence(tlv.unsigned(1700000000, 4), tlv.integer(60, 2), tlv.integer(-60, 2)),
            ),
            MeterTime("local", 1700000000, 60, -60),
        ),
        (ABSENT, None),
        (octet_string(b"noon"), None),
        (tlv.sequence(tlv.unsigned(4, 1), tlv.unsigned(1, 4)), None),
    ],
)
def test_time_in_every_form(sent: Node, expected: MeterTime | None) -> None:
    assert read(encoder.entry(CODE, tlv.unsigned(1, 1), time=sent), sensor_time=sent) == Reading(
        "1 ISK 00 12345678",
        telegrams.SERVER_ID,
        (Register(CODE, 1, time=expected),),
        expected,
        "sml",
        len(telegrams.telegram([encoder.entry(CODE, tlv.unsigned(1, 1), time=sent)], sensor_time=sent)),
        b"\x01",
    )


def test_a_checksum_below_256_may_come_as_one_byte() -> None:
    usual = len(telegrams.telegram(padding=0))
    written = [_with_short_checksums(telegrams.list_messages(seconds=seconds)) for seconds in range(1000, 1400)]
    short = [data for data in written if len(data) - data[-3] < usual]
    assert short
    assert [len(telegrams.readings(data * 2)) for data in short] == [2] * len(short)
    assert all(encoder.telegram(*parse_telegram(data)) == data for data in short)


def test_tags_may_be_u32_and_the_group_need_not_be_0() -> None:
    listed = telegrams.list_messages(tag_width=4)
    grouped = [Sequence((item.items[0], tlv.unsigned(3, 1), *item.items[2:])) for item in listed]
    assert len(telegrams.readings(encoder.telegram(grouped))) == 1


def test_attention_and_unknown_messages_are_passed_over() -> None:
    attention = encoder.message(b"\7", tlv.unsigned(0xFF01, 2), tlv.sequence(octet_string(b"x"), octet_string(b"y")))
    unknown = encoder.message(b"\7", tlv.unsigned(0x0999, 2), octet_string(b"whatever"))
    first, listed, last = telegrams.list_messages()
    data = encoder.telegram([first, attention, unknown, listed, unknown, last])
    assert telegrams.readings(data)[0].registers == telegrams.readings(telegrams.telegram())[0].registers
    assert telegrams.decode(encoder.telegram([attention])) == []


def test_a_reading_knows_how_many_bytes_each_integer_took() -> None:
    sent = (
        tlv.integer(-3, 1),
        tlv.unsigned(7, 3),
        octet_string(b"ISK"),
        TRUE,
        tlv.integer(5, 8),
    )
    data = telegrams.telegram([encoder.entry(CODE, value) for value in sent])
    # the second time the layout is known
    assert [reading.widths for reading in telegrams.readings(data * 2)] == [bytes((1, 3, 0, 0, 8))] * 2


def test_two_lists_in_a_telegram_are_two_readings() -> None:
    first, listed, last = telegrams.list_messages()
    assert [reading.part for reading in telegrams.readings(encoder.telegram([first, listed, listed, last]))] == [0, 1]


def test_an_absent_value_keeps_the_telegram() -> None:
    reading = read(encoder.entry(CODE, ABSENT, scaler=tlv.integer(-1, 1)), *telegrams.meter_entries())
    assert reading.registers[0] == Register(CODE, b"", -1)
    assert reading.registers[0].value is None
    assert len(reading.registers) == 6


def test_a_missing_scaler_is_0_not_1() -> None:
    value = read(encoder.entry(CODE, tlv.unsigned(42, 1))).registers[0].value
    assert value == 42


def test_a_unit_outside_the_table_is_kept() -> None:
    assert read(encoder.entry(CODE, tlv.unsigned(1, 1), unit=tlv.unsigned(0, 1))).registers[0].unit == Unit(0)


@pytest.mark.parametrize(
    "odd",
    [
        octet_string(b"no list"),
        tlv.sequence(octet_string(CODE)),
        tlv.sequence(octet_string(b"short"), *[ABSENT] * 6),
        tlv.sequence(octet_string(CODE), ABSENT, ABSENT, ABSENT, tlv.integer(1000, 2), tlv.unsigned(1, 1), ABSENT),
    ],
)
def test_an_odd_entry_costs_itself_and_not_the_telegram(odd: Node) -> None:
    values = tlv.sequence(*telegrams.meter_entries(), odd)
    body = tlv.sequence(ABSENT, octet_string(telegrams.SERVER_ID), ABSENT, ABSENT, values, ABSENT, ABSENT)
    data = encoder.telegram([encoder.message(b"\1", tlv.unsigned(0x0701, 2), body)])
    assert [len(reading.registers) for reading in telegrams.readings(data * 3)] == [5, 5, 5]


def test_a_value_may_be_a_time() -> None:
    moment = tlv.sequence(tlv.unsigned(1, 1), encoder.sec_index(77))
    entry = tlv.sequence(octet_string(CODE), ABSENT, ABSENT, ABSENT, ABSENT, moment, ABSENT)
    assert read(entry).registers == (Register(CODE, 77),)


def test_a_list_without_a_server_id_takes_it_from_its_registers() -> None:
    assert read(*telegrams.meter_entries(), server_id=b"").meter_id == "1 ISK 00 12345678"
    assert read(encoder.entry(CODE, tlv.unsigned(1, 1)), server_id=b"").meter_id == "unknown"


@pytest.mark.parametrize("damaged", [octet_string(b""), tlv.sequence(), tlv.sequence(*[ABSENT] * 6)])
def test_something_else_than_a_message_is_a_fault(damaged: Node) -> None:
    (fault,) = telegrams.decode(encoder.wrap(tlv.encode(damaged) + b"\x01" * 3))
    assert not isinstance(fault, Reading)
    assert fault.kind == "structure"


def test_more_padding_than_payload_is_a_fault() -> None:
    (fault,) = telegrams.decode(encoder.wrap(b"\x76", padding=9))
    assert not isinstance(fault, Reading)
    assert fault.kind == "structure"


def _with_short_checksums(parsed: list[Sequence]) -> bytes:
    """A telegram as a meter writes it that drops the leading zero of a checksum."""
    data = b""
    for message in map(encoder.encoded, parsed):
        value = int.from_bytes(message[-3:-1])
        data += message[:-4] + tlv.encode(tlv.unsigned(value, 1 if value < 256 else 2)) + b"\0"
    return encoder.wrap(data)
