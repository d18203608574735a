from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pushes
from iskra_server.codecs.dlms import encoder, notification
from iskra_server.codecs.errors import Malformed
from iskra_server.meter.reading import MeterTime
from trying import tries

BODY = encoder.structure(encoder.u4(1))


def clock(when: datetime, deviation: int = -60, status: int = 0) -> bytes:
    fields = (when.month, when.day, when.isoweekday(), when.hour, when.minute, when.second, 0xFF)
    return when.year.to_bytes(2) + bytes(fields) + deviation.to_bytes(2, signed=True) + bytes((status,))


def test_a_notification_has_time_and_body() -> None:
    sent = notification.parse(pushes.apdu(BODY))
    assert sent.time == MeterTime("timestamp", pushes.CLOCK_S, 60, 60)
    assert sent.body == BODY


def test_the_time_may_be_absent_or_an_octet_string() -> None:
    assert notification.parse(pushes.apdu(BODY, b"")).time is None
    apdu = pushes.apdu(BODY)
    sent, right = notification.parse(apdu[:5] + b"\x09" + apdu[5:]), notification.parse(apdu)
    assert (sent.time, sent.body, sent.body_at) == (right.time, right.body, right.body_at + 1)


@tries()
@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2099, 12, 31)),  # noqa: DTZ001
    st.integers(-840, 840),
    st.sampled_from([0, 0x80, 0xFF, 0x02]),
)
def test_a_time_with_deviation_is_utc(when: datetime, deviation: int, status: int) -> None:
    when = when.replace(microsecond=0, tzinfo=UTC)
    time = notification.meter_time(clock(when, deviation, status))
    assert time is not None
    assert datetime.fromtimestamp(time.seconds, UTC) == when + timedelta(minutes=deviation)
    assert time.utc_offset_min + time.season_offset_min == -deviation
    assert time.season_offset_min == (60 if status == 0x80 else 0)


def test_a_time_without_deviation_is_the_clock_on_the_wall() -> None:
    when = datetime(2026, 11, 27, 3, 4, 5, tzinfo=UTC)
    assert notification.meter_time(clock(when, -0x8000)) == MeterTime("wall", int(when.timestamp()))
    assert notification.meter_time(clock(when, -0x8000, 0x80)) == MeterTime(
        "wall", int(when.timestamp()), season_offset_min=60
    )


@pytest.mark.parametrize(
    "text",
    [
        "07eaff1b05030405ff800000",  # no month
        "07ea021e05030405ff800000",  # 30 February
        "ffffffffffffffffff8000ff",
        "07ea0b1b05030405ff800001",  # the meter says that it is invalid
        "07eafd1b05030405ff800000",  # the change of season
        "07ea0b1b05030405",
    ],
)
def test_a_time_that_is_none(text: str) -> None:
    assert notification.meter_time(bytes.fromhex(text)) is None


@pytest.mark.parametrize(
    "text",
    ["07eaff1b05030405ff800000", "ffffffffffffffffff8000ff", "07ea0b1bff030405ff800000", "07ea0b1b00030405ff8000ff"],
)
def test_fields_may_be_left_out(text: str) -> None:
    assert notification.is_date_time(bytes.fromhex(text))


@pytest.mark.parametrize("at", [0, 2, 3, 4, 5, 6, 7, 8, 9])
def test_a_field_out_of_range_is_no_time(at: int) -> None:
    value = bytearray(pushes.CLOCK)
    value[at] = 0xC8
    assert not notification.is_date_time(bytes(value))


@pytest.mark.parametrize(
    ("apdu", "sentence"),
    [
        ("", "begins with nothing, expected 0f"),
        ("0e", "begins with 0e, expected 0f"),
        ("0f000000", "ends before its list"),
        ("0f0000000100", "ends before its list"),
        ("0f000000010c07ea", "ends before its list"),
        ("0f0000000107", "no date-time stands before the list"),
        ("0f000000010cffffc8", "ends before its list"),
        ("0f000000010c" + "c8" * 12 + "00", "the date-time before the list is impossible"),
    ],
)
def test_what_is_malformed_is_named(apdu: str, sentence: str) -> None:
    with pytest.raises(Malformed, match=sentence):
        notification.parse(bytes.fromhex(apdu), is_strict=True)


def test_a_lost_clock_costs_no_value_where_a_checksum_is_right() -> None:
    sent = notification.parse(encoder.notification(BODY, b"\xc8" * 12))
    assert sent.time is None and sent.body == BODY
