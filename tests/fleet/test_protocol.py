"""What travels: compact, exact, versioned, and the same at both ends."""

import socket
from collections.abc import Callable

import msgspec
import pytest

from history.entries import METER, QUARTER, epoch, power, quarter_reading
from iskra_server.fleet import protocol
from iskra_server.history.model.records import Exact, Record
from samples import EXPORT


def test_the_form_of_a_message() -> None:
    said = protocol.encode(protocol.quarters(METER, [quarter_reading(), power()]))
    assert said == (
        b'{"v":1,"meter":"1 ISK 00 12345678","server_id":"090149534b0000bc614e","seen":[1763805600,1763805600],'
        b'"counters":{"1-0:1.8.0*255":[[%d,107323091,-1,0,0]]},"power":[[%d,-1500,230000,69000000000,900]]}'
        % (QUARTER, QUARTER)
    )


def test_encoded_records_are_decoded_unchanged() -> None:
    rows: list[Record] = [
        quarter_reading(),
        quarter_reading(QUARTER + 1),
        quarter_reading(obis=EXPORT),
        power(),
        epoch(),
        epoch(2, Exact(7, -4)),
    ]
    heard = protocol.decode_quarters(protocol.encode(protocol.quarters(METER, rows)))
    assert sorted(map(repr, protocol.records(heard))) == sorted(map(repr, rows))
    assert protocol.info(heard) == METER


def test_a_day_of_a_meter_is_some_kilobytes() -> None:
    rows: list[Record] = [
        each for quarter in range(QUARTER, QUARTER + 96) for each in (quarter_reading(quarter), power(quarter))
    ]
    assert len(protocol.encode(protocol.quarters(METER, rows))) < 8_000


@pytest.mark.parametrize(
    "change",
    [{"v": 0}, {"meter": ""}, {"seen": [1]}, {"counters": {"1-0:1.8.0*255": [[-1, 1, 0, 0, 0]]}}, {"power": [[1]]}],
    ids=str,
)
def test_malformed_messages_are_refused(change: dict[str, object]) -> None:
    said = msgspec.json.decode(protocol.encode(protocol.quarters(METER, [quarter_reading()])))
    with pytest.raises(msgspec.ValidationError):
        protocol.decode_quarters(msgspec.json.encode(said | change))


def test_a_newer_message_is_told_apart_from_a_malformed_one() -> None:
    said = msgspec.json.decode(protocol.encode(protocol.quarters(METER, [quarter_reading()])))
    for change in ({"v": 2}, {"more": 1}, {"power": [[1, 2, 3, 4, 5, 6]]}):
        with pytest.raises(protocol.NewerMessage, match="Update the central server"):
            protocol.decode_quarters(msgspec.json.encode(said | change))


def test_the_topics_of_a_reader() -> None:
    assert protocol.ReaderTopics("iskra/v1", "cellar")["kept"] == "iskra/v1/cellar/kept"


def test_a_reader_has_a_name_that_a_topic_can_hold() -> None:
    assert protocol.check_reader_name("cellar-12") == "cellar-12"
    for name in ("", "house/cellar", "my house", "#", "x" * 101):
        with pytest.raises(ValueError, match="cannot be part of a topic"):
            protocol.check_reader_name(name)


def test_a_reader_without_a_name_has_that_of_its_user_else_one_that_no_copy_has() -> None:
    assert protocol.default_reader_name("house-7") == "house-7"
    for user in (None, "", "house/7"):
        made = {protocol.default_reader_name(user) for _ in range(5)}
        assert len(made) > 1
        assert all(protocol.check_reader_name(name).startswith(socket.gethostname()[:63]) for name in made)


@pytest.mark.parametrize("session", [b"", b"session1"])
def test_correlation_data_name_the_session_and_the_message(session: bytes) -> None:
    sent = protocol.Correlation(session, 70_000)
    assert protocol.correlation(bytes(sent)) == sent


@pytest.mark.parametrize("data", [b"", b"abc", b"12345", bytes(16)])
def test_other_correlation_data_are_of_no_reader(data: bytes) -> None:
    assert protocol.correlation(data) is None


@pytest.mark.parametrize(
    "receipt", [protocol.Receipt("kept"), protocol.Receipt("waits", "Later."), protocol.Receipt("refused", "Never.")]
)
def test_receipts_are_read_as_they_were_meant(receipt: protocol.Receipt) -> None:
    assert protocol.decode_receipt(protocol.encode_receipt(receipt)) == receipt


def test_a_collector_of_the_first_protocol_sends_the_reason_alone() -> None:
    assert protocol.decode_receipt(b"it is cut") == protocol.Receipt("refused", "it is cut")


@pytest.mark.parametrize("decode", [protocol.decode_quarters, protocol.decode_live, protocol.decode_status])
def test_nested_brackets_are_no_message(decode: Callable[[bytes], object]) -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        decode(b'{"v":1,"x":' + b"[" * 8_000)
    assert protocol.decode_receipt(b'{"x":' + b"[" * 8_000).state == "refused"


def test_a_message_with_more_rows_than_a_reader_sends_is_refused_not_put_off() -> None:
    """A reader that is refused divides it; one that is told to wait would send the same again."""
    rows = [quarter_reading(QUARTER + place) for place in range(201)]
    with pytest.raises(msgspec.ValidationError, match="length <= 200"):
        protocol.decode_quarters(protocol.encode(protocol.quarters(METER, rows)))
