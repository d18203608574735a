"""What becomes of a batch when the database is away, when a message cannot be stored, and when there is a bug."""

import logging
from threading import Event, Thread

import pytest
from msgspec.structs import replace

from fleet.field import counted, refusals
from history.entries import METER, OTHER, QUARTER, quarter_reading
from history.postgres import Postgres
from iskra_server.fleet import protocol
from iskra_server.fleet.central import batch_writer
from iskra_server.fleet.central.batch_writer import BatchWriter
from iskra_server.fleet.central.ingest import ReceivedMessage
from iskra_server.fleet.central.tables import IngestBatch, LastContact, Outcome, write_batch
from iskra_server.history.store.store import Store
from running import until
from samples import METER_ID

NOW_S = METER.last_s + 90_000


def message(place: int) -> ReceivedMessage:
    quarters = protocol.quarters(METER, [quarter_reading(QUARTER + place)])
    return ReceivedMessage("iskra/v1/cellar/quarters", protocol.encode(quarters), NOW_S)


def impossible() -> ReceivedMessage:
    """PostgreSQL alone notices it: no text column takes a NUL."""
    quarters = replace(protocol.quarters(METER, [quarter_reading(QUARTER + 20)]), ledger="\0")
    return ReceivedMessage("iskra/v1/cellar/quarters", protocol.encode(quarters), NOW_S)


def states(receipts: list[protocol.Receipt | None]) -> list[str]:
    return [receipt.state if receipt else "" for receipt in receipts]


def test_a_message_that_the_database_refuses_is_refused_alone(central: Store) -> None:
    bad = impossible()
    messages = [message(place) for place in range(20)]
    messages.insert(13, bad)
    contact = LastContact(METER_ID, "cellar", NOW_S, 5, is_live=True)
    written = BatchWriter(central, Event()).write(messages, [contact])
    assert states(written.receipts) == ["kept"] * 13 + ["refused"] + ["kept"] * 7
    assert (counted(central, "boundary"), written.live) == (20, 1)
    (refusal,) = refusals(central)
    assert refusal.data == bad.payload
    assert refusal.reason == "it cannot be stored: PostgreSQL text fields cannot contain NUL (0x00) bytes"
    reason = written.receipts[13].reason  # type: ignore[union-attr]
    assert "127.0.0.1" not in reason
    assert "iskra@" not in reason


def test_a_message_that_finds_a_bug_waits_and_the_others_go_on(
    central: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:

    def fail(store: Store, batch: IngestBatch) -> Outcome:
        if any(quarters.records == (quarter_reading(QUARTER + 3),) for quarters in batch.quarters):
            raise ZeroDivisionError("a bug")
        return write_batch(store, batch)

    monkeypatch.setattr(batch_writer, "write_batch", fail)
    written = BatchWriter(central, Event()).write([message(place) for place in range(8)])
    assert states(written.receipts) == ["kept"] * 3 + ["waits"] + ["kept"] * 4
    assert refusals(central) == []
    assert "a bug" in caplog.text
    assert "a bug" not in written.receipts[3].reason  # type: ignore[union-attr]


def test_a_new_meter_without_a_number_waits_and_known_ones_are_written(central: Store, postgres: Postgres) -> None:
    """PostgreSQL says 2200H, a class of faults of rows: it was the end of right quarters."""
    writer = BatchWriter(central, Event())
    writer.write([message(0)])
    postgres.run("SELECT setval('meter_id_seq', 2147483647)")
    new = protocol.quarters(OTHER, [quarter_reading(meter=OTHER)])
    messages = [
        message(1),
        ReceivedMessage("iskra/v1/attic/quarters", protocol.encode(new), NOW_S),
        message(2),
    ]
    written = writer.write(messages)
    assert states(written.receipts) == ["kept", "waits", "kept"]
    assert written.receipts[1].reason == "the central server cannot store it now; its log says why"  # type: ignore[union-attr]
    assert (counted(central, "boundary"), refusals(central)) == (3, [])


def test_a_batch_is_repeated_until_the_database_is_back(
    central: Store, postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    writer = BatchWriter(central, Event())
    postgres.stop()
    written: list[batch_writer.WrittenMessages] = []
    thread = Thread(target=lambda: written.append(writer.write([message(0)])))
    thread.start()
    until(lambda: "the collector tries again" in caplog.text)
    assert writer.away_since_s
    assert "cannot be reached" in writer.sentence
    postgres.start()
    thread.join()
    assert states(written[0].receipts) == ["kept"]
    assert not writer.away_since_s
    assert not writer.sentence
    assert "The database is back after " in caplog.text
    # one line for each reason, however often it was tried
    assert caplog.text.count("Connection refused") == 1


def test_a_writer_that_is_stopped_answers_nobody(central: Store, postgres: Postgres) -> None:
    stopping = Event()
    stopping.set()
    postgres.stop()
    assert BatchWriter(central, stopping).write([message(0), message(1)]).receipts == [None, None]
    postgres.start()
