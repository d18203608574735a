"""Messages become a batch: what cannot be read is refused, what is newer waits, the others are stored."""

import msgspec
import pytest

from history.entries import AT_S, METER, quarter_reading
from iskra_server.fleet import protocol
from iskra_server.fleet.central.ingest import MAX_BYTES, ReceivedMessage, ingest, live_contact
from iskra_server.fleet.central.reader_state import ReaderState
from iskra_server.fleet.central.tables import LastContact
from samples import METER_ID

NOW_S = 1_800_000_000
TOO_MANY: dict[str, list[protocol.CounterRow]] = {f"1-0:{place}.8.0*255": [] for place in range(101)}


def received(kind: str, payload: bytes, reader: str = "cellar") -> ReceivedMessage:
    return ReceivedMessage(f"iskra/v1/{reader}/{kind}", payload, NOW_S, correlation_data=b"session1\0\0\0\1")


def encoded(**changes: object) -> bytes:
    """A message with a quarter of METER; `changes` of its fields."""
    message = msgspec.to_builtins(protocol.quarters(METER, [quarter_reading()]))
    return msgspec.json.encode(message | changes)


def test_quarters_are_decoded_with_their_reader_and_its_session() -> None:
    batch = ingest([received("quarters", encoded(ledger="abc"))])
    (quarters,) = batch.quarters
    assert (quarters.reader, quarters.session, quarters.ledger) == ("cellar", b"session1", "abc")
    assert (quarters.records, quarters.meter) == ((quarter_reading(),), METER)
    assert (quarters.at_s, quarters.seen_s) == (NOW_S, METER.last_s)
    assert (batch.receipts, batch.refused) == ({}, [])


def test_no_contact_lies_in_the_future() -> None:
    (quarters,) = ingest([received("quarters", encoded(seen=[1, NOW_S + 5]))]).quarters
    assert quarters.seen_s == NOW_S


def test_the_newest_quarter_is_a_contact_where_the_reader_notes_days_only() -> None:
    (quarters,) = ingest([received("quarters", encoded(seen=[1, AT_S - 80_000]))]).quarters
    assert quarters.seen_s == AT_S


def test_a_meter_was_seen_before_its_first_reading_whatever_its_reader_says() -> None:
    (quarters,) = ingest([received("quarters", encoded(seen=[AT_S + 5000, AT_S + 6000]))]).quarters
    assert (quarters.meter.first_s, quarters.meter.last_s) == (AT_S, AT_S + 6000)


def test_a_live_value_is_stamped_with_its_arrival() -> None:
    payload = protocol.encode(protocol.LiveValues(1, METER_ID, 5, 230_000, {"1-0:1.8.0*255": (107323091, -1)}))
    assert live_contact(received("live", payload)) == LastContact(METER_ID, "cellar", NOW_S, 230_000, is_live=True)
    for bad in (b'{"v":9}', b" " * (1 << 15)):
        with pytest.raises(ValueError):
            live_contact(received("live", bad))


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"v": 2, "counters": "in another way"},
        {"tariff": 1},
        {"power": [[1, 2, 3, 4, 5, 6]]},
        {"counters": {"1-0:1.8.0*255": [[1, 2, 0, 0, 0, 9]]}},
        {"epochs": [["1-0:1.8.0*255", 1, 1, 1, 1, None, None, 9]]},
    ],
    ids=str,
)
def test_what_a_newer_reader_sends_waits(changes: dict[str, object]) -> None:
    batch = ingest([received("quarters", encoded(**changes)), received("quarters", encoded())])
    assert batch.receipts[0].state == "waits"
    assert "Update the central server" in batch.receipts[0].reason
    assert ([each.position for each in batch.quarters], batch.refused) == ([1], [])


def state_of(payload: bytes) -> ReaderState:
    (heard,) = ingest([received("status", payload)]).readers
    assert (heard.position, heard.reader, heard.session, heard.at_s) == (0, "cellar", b"session1", NOW_S)
    assert heard.state
    return heard.state


def test_unknown_fields_of_a_status_are_ignored() -> None:
    assert state_of(b'{"v":1,"at_s":5,"version":"9","sources":[],"more":1}').ok


def test_the_state_of_a_reader_names_its_first_fault() -> None:
    broken = protocol.ReaderSource("tcp://a", None, False, "port", "Nothing listens at a. Check it.")
    well = protocol.ReaderSource("tcp://b", METER_ID, True, None, "The meter is being read.")
    for sources, ok, sentence in (([well, broken], False, broken.sentence), ([well], True, "All sources are read.")):
        payload = protocol.encode(protocol.ReaderStatus(1, 5, "0.1", sources))
        state = state_of(payload)
        assert (state.name, state.at_s, state.ok, state.sentence) == ("cellar", NOW_S, ok, sentence)
        assert (state.version, state.skew_s) == ("0.1", 5 - NOW_S)
    gone = state_of(b"offline")
    assert (gone.ok, gone.status, gone.is_offline, gone.skew_s) == (False, "[]", True, None)
    assert "not connected" in gone.sentence


def test_what_a_reader_says_is_one_line_for_a_terminal() -> None:
    broken = protocol.ReaderSource("tcp://a", None, False, "port", "\x1b[2JAll is\nwell. " + "x" * 2_000)
    state = state_of(protocol.encode(protocol.ReaderStatus(1, 5, "0.1\x1b[2J", [broken])))
    assert (state.version, state.sentence) == ("0.1 [2J", f"[2JAll is well. {'x' * 984}")
    (refusal,) = ingest([received("quarters", encoded(counters={"\x1b[2J": []}))]).refused
    assert "[2J" in refusal.reason and refusal.reason.isprintable()


def test_a_reader_with_a_thousand_broken_sources_is_stored() -> None:
    broken = protocol.ReaderSource(
        "/dev/serial/by-id/" + "x" * 60, METER_ID, False, "port", "It is away. " * 20, "Es ist weg. " * 25
    )
    batch = ingest([received("status", protocol.encode(protocol.ReaderStatus(1, 5, "0.1", [broken] * 1000)))])
    assert (len(batch.readers), batch.refused) == (1, [])


def test_a_message_that_cannot_be_decoded_is_refused_alone() -> None:
    good = received("quarters", encoded())
    bad = [
        received("quarters", b"{"),
        received("else", b"{}"),
        received("quarters", b" " * (MAX_BYTES + 1)),
        received("quarters", encoded(v=0)),
        received("status", b'{"v":1,"x":' + b"[" * 100_000),
        received("quarters", encoded(counters=TOO_MANY)),
        received("quarters", encoded(meter="1 X\0")),
        received("quarters", encoded(), reader="x" * 101),
        received("quarters", encoded(), reader=""),
        received("quarters", encoded(), reader="x\x1b[2J"),
    ]
    batch = ingest([bad[0], good, *bad[1:]])
    assert [each.position for each in batch.quarters] == [1]
    assert {position: receipt.state for position, receipt in batch.receipts.items()} == dict.fromkeys(
        (0, *range(2, 11)), "refused"
    )
    assert [refusal.data for refusal in batch.refused] == [each.payload[:MAX_BYTES] for each in bad]
    assert all(receipt.reason for receipt in batch.receipts.values())
    assert batch.receipts[3].reason == "it has 1048577 bytes; the limit is 1048576"
    assert "length <= 100" in batch.receipts[6].reason
    assert batch.receipts[7].reason == "the name of the meter has control characters"
