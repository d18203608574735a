"""Messages become a batch; each that cannot be read is refused with its reason, and the others are taken."""

from msgspec.structs import replace

from history.entries import METER, QUARTER, quarter_reading
from iskra_server.fleet import messages as message
from iskra_server.fleet.central.ingest import LARGEST, ReceivedMessage, take
from iskra_server.fleet.central.store import Heard
from samples import METER_ID

NOW_S = 1_800_000_000
TOO_MANY: dict[str, list[message.Value]] = {f"1-0:{place}.8.0*255": [] for place in range(101)}


def came(kind: str, payload: bytes) -> ReceivedMessage:
    return ReceivedMessage(f"iskra/v1/cellar/{kind}", payload)


def test_quarters_and_who_sent_them() -> None:
    taken = take([came("quarters", message.encode(message.quarters(METER, [quarter_reading()])))], NOW_S)
    assert (taken.records, taken.meters, taken.refused) == ([quarter_reading()], [METER], [])
    assert taken.heard == [Heard(METER_ID, "cellar", METER.last_s)]


def test_a_reader_whose_clock_runs_ahead_is_not_heard_of_in_the_future() -> None:
    ahead = message.quarters(METER, [quarter_reading()])
    payload = message.encode(ahead).replace(b"1763805600]", b"1900000000]")
    assert take([came("quarters", payload)], NOW_S).heard[0].at_s == NOW_S


def test_a_live_value() -> None:
    payload = message.encode(message.Live(1, METER_ID, 5, 230_000, {"1-0:1.8.0*255": (107323091, -1)}))
    assert take([came("live", payload)], NOW_S).heard == [Heard(METER_ID, "cellar", NOW_S, 230_000)]


def test_how_a_reader_stands() -> None:
    broken = message.SourceStatus("tcp://a", None, False, "port", "Nothing listens at a. Check it.")
    well = message.SourceStatus("tcp://b", METER_ID, True, None, "The meter is being read.")
    for sources, ok, sentence in (([well, broken], False, broken.sentence), ([well], True, "All sources are read.")):
        payload = message.encode(message.ReaderStatus(1, 5, "0.1", sources))
        (state,) = take([came("status", payload)], NOW_S).readers
        assert (state.name, state.at_s, state.ok, state.sentence) == ("cellar", NOW_S, ok, sentence)
    (gone,) = take([came("status", b"offline")], NOW_S).readers
    assert (gone.ok, gone.status) == (False, "[]")
    assert "not connected" in gone.sentence


def test_a_reader_of_a_thousand_broken_sources_is_heard() -> None:
    broken = message.SourceStatus("/dev/serial/by-id/" + "x" * 60, METER_ID, False, "port", "It is away. " * 20)
    taken = take([came("status", message.encode(message.ReaderStatus(1, 5, "0.1", [broken] * 1000)))], NOW_S)
    assert (len(taken.readers), taken.refused) == (1, [])


def test_what_cannot_be_read_is_refused_alone() -> None:
    good = came("quarters", message.encode(message.quarters(METER, [quarter_reading(QUARTER + 1)])))
    bad = [
        came("quarters", b"{"),
        came("else", b"{}"),
        came("quarters", b" " * (LARGEST + 1)),
        came("live", b'{"v":9}'),
        came("status", b'{"v":1,"x":' + b"[" * 100_000),
        came("live", b" " * (1 << 15)),
        came("quarters", message.encode(replace(message.quarters(METER, []), counters=TOO_MANY))),
    ]
    taken = take([bad[0], good, *bad[1:]], NOW_S)
    assert taken.records == [quarter_reading(QUARTER + 1)]
    assert sorted(taken.reasons) == [0, 2, 3, 4, 5, 6, 7]
    assert [len(refusal.data) for refusal in taken.refused] == [1, 2, 4096, 7, 4096, 4096, 2125]
    assert all(taken.reasons.values())
    assert taken.reasons[3] == "it has 1048577 bytes, 1048576 are the most"
    assert "length <= 100" in taken.reasons[7]
