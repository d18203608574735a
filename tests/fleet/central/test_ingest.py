"""Messages become a batch; each that cannot be read is refused with its reason, and the others are batch."""

from msgspec.structs import replace

from history.entries import METER, QUARTER, quarter_reading
from iskra_server.fleet import protocol
from iskra_server.fleet.central.ingest import MAX_BYTES, ReceivedMessage, ingest
from iskra_server.fleet.central.tables import LastContact
from samples import METER_ID

NOW_S = 1_800_000_000
TOO_MANY: dict[str, list[protocol.CounterRow]] = {f"1-0:{place}.8.0*255": [] for place in range(101)}


def received(kind: str, payload: bytes) -> ReceivedMessage:
    return ReceivedMessage(f"iskra/v1/cellar/{kind}", payload)


def test_quarters_are_decoded_with_their_reader() -> None:
    batch = ingest([received("quarters", protocol.encode(protocol.quarters(METER, [quarter_reading()])))], NOW_S)
    assert (batch.records, batch.meters, batch.refused) == ([quarter_reading()], [METER], [])
    assert batch.contacts == [LastContact(METER_ID, "cellar", METER.last_s)]


def test_no_contact_lies_in_the_future() -> None:
    ahead = protocol.quarters(METER, [quarter_reading()])
    payload = protocol.encode(ahead).replace(b"1763805600]", b"1900000000]")
    assert ingest([received("quarters", payload)], NOW_S).contacts[0].at_s == NOW_S


def test_a_live_value() -> None:
    payload = protocol.encode(protocol.LiveValues(1, METER_ID, 5, 230_000, {"1-0:1.8.0*255": (107323091, -1)}))
    assert ingest([received("live", payload)], NOW_S).contacts == [
        LastContact(METER_ID, "cellar", NOW_S, 230_000, is_live=True)
    ]


def test_the_state_of_a_reader_names_its_first_fault() -> None:
    broken = protocol.ReaderSource("tcp://a", None, False, "port", "Nothing listens at a. Check it.")
    well = protocol.ReaderSource("tcp://b", METER_ID, True, None, "The meter is being read.")
    for sources, ok, sentence in (([well, broken], False, broken.sentence), ([well], True, "All sources are read.")):
        payload = protocol.encode(protocol.ReaderStatus(1, 5, "0.1", sources))
        (state,) = ingest([received("status", payload)], NOW_S).readers
        assert (state.name, state.at_s, state.ok, state.sentence) == ("cellar", NOW_S, ok, sentence)
    (gone,) = ingest([received("status", b"offline")], NOW_S).readers
    assert (gone.ok, gone.status) == (False, "[]")
    assert "not connected" in gone.sentence


def test_a_reader_with_a_thousand_broken_sources_is_stored() -> None:
    broken = protocol.ReaderSource("/dev/serial/by-id/" + "x" * 60, METER_ID, False, "port", "It is away. " * 20)
    batch = ingest([received("status", protocol.encode(protocol.ReaderStatus(1, 5, "0.1", [broken] * 1000)))], NOW_S)
    assert (len(batch.readers), batch.refused) == (1, [])


def test_a_message_that_cannot_be_decoded_is_refused_alone() -> None:
    good = received("quarters", protocol.encode(protocol.quarters(METER, [quarter_reading(QUARTER + 1)])))
    bad = [
        received("quarters", b"{"),
        received("else", b"{}"),
        received("quarters", b" " * (MAX_BYTES + 1)),
        received("live", b'{"v":9}'),
        received("status", b'{"v":1,"x":' + b"[" * 100_000),
        received("live", b" " * (1 << 15)),
        received("quarters", protocol.encode(replace(protocol.quarters(METER, []), counters=TOO_MANY))),
    ]
    batch = ingest([bad[0], good, *bad[1:]], NOW_S)
    assert batch.records == [quarter_reading(QUARTER + 1)]
    assert sorted(batch.reasons) == [0, 2, 3, 4, 5, 6, 7]
    assert [len(refusal.data) for refusal in batch.refused] == [1, 2, 4096, 7, 4096, 4096, 2125]
    assert all(batch.reasons.values())
    assert batch.reasons[3] == "it has 1048577 bytes; the limit is 1048576"
    assert "length <= 100" in batch.reasons[7]
