"""The facts of a central server, of a real database of each kind."""

import time
from contextlib import closing
from pathlib import Path

from sqlalchemy import insert, update

from fleet.batches import batch_of
from history.entries import METER, OTHER, epoch, quarter_reading
from iskra_server.diagnosis.central_state import CentralFacts, central_state
from iskra_server.fleet.central.central_facts import GONE_S, central_facts
from iskra_server.fleet.central.reader_state import ReaderState
from iskra_server.fleet.central.tables import IngestBatch, LastContact, Refusal, write_batch
from iskra_server.history.store.schema import conflict, meter, reader
from iskra_server.history.store.store import Store
from samples import METER_ID

NOW_S = 1_795_000_000
DAY_S = 86_400
_AWAY = '[{"ok":false,"sentence_de":"Der Anschluss ist weg."}]'


def faults(facts: CentralFacts) -> list[str]:
    return [problem.fault for problem in central_state(facts).problems]


def heard(*ages_s: int) -> IngestBatch:
    """Of each of the two meters and their readers, so long ago."""
    meters = (METER, OTHER)[: len(ages_s)]
    contacts = [LastContact(m.meter_id, m.meter_id, NOW_S - age) for m, age in zip(meters, ages_s, strict=True)]
    states = [
        ReaderState(f"house-{place}", NOW_S - age_s, place > 0, "" if place else "The port is gone.", _AWAY)
        for place, age_s in enumerate(ages_s)
    ]
    rows = [quarter_reading(meter=info) for info in meters]
    return batch_of([*rows, epoch()], list(meters), contacts, states)


def test_an_empty_database_has_no_reader_and_nothing_to_count(store: Store) -> None:
    # its months were made just now
    facts = central_facts(store, time.time())
    assert (facts.meters, facts.readers, facts.last_message, facts.skew_s) == (0, 0, None, None)
    assert (facts.waiting_quarters, facts.refused_quarters) == (None, None)
    assert faults(facts) == ["central_empty"]


def test_meters_and_readers_are_heard_silent_or_gone(store: Store) -> None:
    write_batch(store, heard(60, 1_801))
    facts = central_facts(store, NOW_S)
    assert (facts.meters, facts.silent_meters, facts.gone_meters) == (2, 1, 0)
    assert (facts.readers, facts.silent_readers, facts.gone_readers) == (2, 1, 0)
    assert (facts.failing_readers, facts.failing_reader, facts.failing_sentence) == (1, "house-0", "The port is gone.")
    assert facts.failing_sentence_de == "Der Anschluss ist weg."
    assert facts.silent_reader == "house-1"
    assert {"central_silent_readers", "central_failing_readers", "central_silent_meters"} <= set(faults(facts))
    assert facts.last_message is not None
    assert facts.last_message.timestamp() == NOW_S - 60
    later = central_facts(store, NOW_S + GONE_S - 100)
    assert (later.meters, later.silent_meters, later.gone_meters) == (1, 1, 1)
    assert (later.readers, later.silent_readers, later.gone_readers) == (1, 1, 1)


def test_a_meter_that_was_replaced_is_not_silent(store: Store) -> None:
    write_batch(store, heard(60, 3_600))
    with store.transaction() as connection:
        connection.execute(update(meter).where(meter.c.meter_id == OTHER.meter_id).values(replaced_by=1))
    facts = central_facts(store, NOW_S)
    assert (facts.meters, facts.silent_meters, facts.gone_meters) == (1, 0, 1)


def test_conflicts_refusals_and_the_worst_clock_are_counted(store: Store) -> None:
    batch = heard(60, 60)
    batch.refused = [Refusal(NOW_S - age_s, "t", f"{age_s} s ago", b"") for age_s in (2 * DAY_S, 600)]
    write_batch(store, batch)
    differing = {"series": 1, "reader": "x", "scaler": 0, "raw": 1, "kept_raw": None, "kept_scaler": None}
    columns = set(conflict.c.keys())
    rows = [
        {key: value for key, value in (differing | {"quarter": n, "quality": 0, "at_s": at}).items() if key in columns}
        for n, at in enumerate((NOW_S - 2 * DAY_S, NOW_S - 60))
    ]
    with store.transaction() as connection:
        connection.execute(insert(conflict), rows)
        for name, skew_s in (("house-0", 5), ("house-1", -400)):
            connection.execute(
                update(reader).where(reader.c.name == name).values(skew_s=skew_s, waiting=abs(skew_s), refused=2)
            )
    facts = central_facts(store, NOW_S)
    assert (facts.conflicts, facts.conflicts_last_day) == (2, 1)
    assert (facts.refused_messages, facts.refused_last_day, facts.refused_reason) == (2, 1, "600 s ago")
    assert (facts.skewed_reader, facts.skew_s) == ("house-1", -400)
    assert (facts.waiting_quarters, facts.refused_quarters) == (405, 4)
    told = {"central_conflicts", "central_refused", "central_refused_at_readers", "central_skew"}
    assert told <= set(faults(facts))
    assert METER_ID in {info.meter_id for info in store.meters()}


def test_readers_at_which_quarters_wait_for_a_reason_are_named(store: Store) -> None:
    """As after a meter was carried to another reader, of which nobody told the central server."""
    write_batch(store, heard(60, 60))

    def reported(name: str, **columns: int | None) -> CentralFacts:
        with store.transaction() as connection:
            connection.execute(update(reader).where(reader.c.name == name).values(columns))
        return central_facts(store, NOW_S)

    assert reported("house-0", waiting=3, oldest_s=NOW_S - 7_000, refused=0).waiting_readers == 0
    assert reported("house-1", waiting=5, oldest_s=NOW_S - DAY_S, refused=2).waiting_readers == 0
    facts = reported("house-1", refused=None)
    assert (facts.waiting_readers, facts.waiting_reader) == (1, "house-1")
    assert "central_waiting_readers" in faults(facts)
    facts = reported("house-0", oldest_s=NOW_S - 2 * DAY_S)
    assert (facts.waiting_readers, facts.waiting_reader) == (2, "house-0")
    # a silent reader is a fault of its own
    assert central_facts(store, NOW_S + 1_800).waiting_readers == 0


def test_the_months_that_have_partitions_are_counted_and_too_few_are_a_problem(central: Store, tmp_path: Path) -> None:
    now_s = time.time()
    before = central_facts(central, now_s).months_left
    # opening it has made three
    assert before is not None
    assert before >= 2
    central.make_partitions(24)
    assert (central_facts(central, now_s).months_left or 0) >= 23
    later = central_facts(central, now_s + 23 * 31 * DAY_S)
    assert faults(later)[-1] == "central_no_month"
    with closing(Store(f"sqlite:///{tmp_path}/iskra.sqlite")) as file:
        assert central_facts(file, now_s).months_left is None
