"""A name has one session at a time; both of two are told. What is wrong with a reader is said in a sentence."""

from msgspec.structs import replace

from iskra_server.fleet.central.reader_problems import problem
from iskra_server.fleet.central.reader_state import (
    SILENT_AFTER_S,
    NameLease,
    ReaderMessage,
    ReaderState,
    lease_names,
    list_readers,
)
from iskra_server.fleet.central.tables import IngestBatch, Outcome, write_batch
from iskra_server.history.store.store import Store

FIRST, OTHER, OLD = b"first...", b"other...", b""
NOW_S = 1_795_000_000


def status(
    session: bytes, at_s: int, *, ok: bool = True, offline: bool = False, skew_s: int | None = None
) -> ReaderMessage:
    sentence = "Gone." if offline else "Fine." if ok else "No port."
    state = ReaderState("house-7", at_s, ok and not offline, sentence, "[]", "1.0", skew_s, 5, 1, 9, is_offline=offline)
    return ReaderMessage(0, "house-7", session, at_s, state)


def send(store: Store, *heard: ReaderMessage) -> Outcome:
    placed = [replace(each, position=place) for place, each in enumerate(heard)]
    return write_batch(store, IngestBatch(readers=placed), heard[-1].at_s)


def test_two_sessions_of_one_name_are_both_told(store: Store) -> None:
    """A3: a copied card. The second one waits, and the page says so."""
    assert send(store, status(FIRST, NOW_S)).receipts == {}
    outcome = send(store, status(OTHER, NOW_S + 9, ok=False))
    assert {notice.session for notice in outcome.notices} == {FIRST, OTHER}
    reasons = {notice.receipt.reason for notice in outcome.notices} | {
        each.reason for each in outcome.receipts.values()
    }
    assert reasons == {
        "another reader named house-7 was heard at 2026-11-18T11:06:40Z: give each reader its own uplink.reader"
    }
    ((row,), _) = list_readers(store, limit=9)
    assert (row.ok, row.sentence, row.rival_s) == (True, "Fine.", NOW_S + 9)
    told = problem(row, NOW_S + 10)
    assert told
    assert told.fault == "reader_name"
    assert problem(row, NOW_S + 9 + SILENT_AFTER_S) is None


def test_a_name_is_free_after_a_goodbye_or_ten_minutes(store: Store) -> None:
    send(store, status(FIRST, NOW_S))
    # the broker says goodbye for a session that has not the name: nothing changes
    send(store, status(OTHER, NOW_S + 1, offline=True))
    assert list_readers(store, limit=9)[0][0].sentence == "Fine."
    send(store, status(FIRST, NOW_S + 2, offline=True))
    ((row,), _) = list_readers(store, limit=9)
    assert (row.sentence, row.version, row.meters) == ("Gone.", "1.0", 0)
    assert send(store, status(OTHER, NOW_S + 3)).notices == []
    assert len(send(store, status(FIRST, NOW_S + SILENT_AFTER_S)).notices) == 2
    assert send(store, status(FIRST, NOW_S + 4 + SILENT_AFTER_S)).notices == []


def test_a_reader_that_is_told_of_another_one_and_does_not_answer_loses_its_name(store: Store) -> None:
    """It was restarted, and its goodbye was lost: the broker was away, or no collector ran."""

    def waits(session: bytes, after_s: int, *, sends_quarters: bool = False) -> bool:
        heard = (
            ReaderMessage(0, "house-7", session, NOW_S + after_s)
            if sends_quarters
            else status(session, NOW_S + after_s)
        )
        return bool(send(store, heard).receipts)

    assert [waits(FIRST, 0), waits(OTHER, 9), waits(OTHER, 100)] == [False, True, True]
    # any answer counts
    assert [waits(FIRST, 120, sends_quarters=True), waits(OTHER, 160), waits(OTHER, 310)] == [False, True, True]
    assert [waits(OTHER, 311), waits(FIRST, 320)] == [False, True]
    assert [waits(OTHER, 400, sends_quarters=True), waits(FIRST, 480)] == [False, True]


def test_quarters_that_come_after_the_goodbye_of_their_session_take_no_name(store: Store) -> None:
    """Another collector had them, or the broker delivers them again. The reader has started anew meanwhile."""
    send(store, status(FIRST, NOW_S), status(FIRST, NOW_S + 1, offline=True))
    late = ReaderMessage(0, "house-7", FIRST, NOW_S + 2)
    assert send(store, late).receipts == {}
    outcome = send(store, status(OTHER, NOW_S + 3), ReaderMessage(0, "house-7", OTHER, NOW_S + 3))
    assert (outcome.receipts, outcome.notices) == ({}, [])
    assert send(store, late).receipts[0].state == "waits"


def test_readers_of_the_first_protocol_need_no_session(store: Store) -> None:
    assert send(store, status(FIRST, NOW_S), status(OLD, NOW_S + 1)).notices == []
    assert send(store, status(OLD, NOW_S + 2)).receipts == {}


def test_the_order_within_a_batch_counts() -> None:
    names = lease_names({}, [status(FIRST, NOW_S), status(FIRST, NOW_S + 1, offline=True), status(OTHER, NOW_S + 1)])
    assert (names.leases, names.waiting) == ({"house-7": NameLease(OTHER, NOW_S + 1, 0)}, {})


def test_quarters_from_before_a_goodbye_do_not_take_the_name_again() -> None:
    """Two collectors: one wrote the will of a reader that was killed before the other one its last quarters."""
    gone = lease_names({}, [status(FIRST, NOW_S), status(FIRST, NOW_S + 1, offline=True)]).leases
    late = lease_names(gone, [ReaderMessage(0, "house-7", FIRST, NOW_S + 1)])
    restarted = lease_names(late.leases, [status(OTHER, NOW_S + 2)])
    assert (late.waiting, restarted.waiting, restarted.leases["house-7"].session) == ({}, {}, OTHER)
    # but those of a reader that is back take it
    assert lease_names(gone, [ReaderMessage(0, "house-7", OTHER, NOW_S + 2)]).leases["house-7"].session == OTHER


def test_of_two_statuses_in_one_batch_the_last_counts(store: Store) -> None:
    send(store, status(FIRST, NOW_S, skew_s=5), status(FIRST, NOW_S + 1, ok=False, skew_s=-2))
    ((row,), following) = list_readers(store, limit=1)
    assert (row.sentence, row.skew_s, row.waiting, row.refused, row.oldest_s) == ("No port.", -2, 5, 1, 9)
    assert following is None


def test_a_status_that_waited_at_the_broker_is_no_wrong_clock(store: Store) -> None:
    seen = []
    for place, skew_s in enumerate((2, -300, 1, -300, -301, 3, 400, -5)):
        send(store, status(FIRST, NOW_S + place, skew_s=skew_s))
        seen.append(list_readers(store, limit=9)[0][0].skew_s)
    send(store, status(FIRST, NOW_S + 99, offline=True))
    assert seen == [2, None, 1, None, -301, 3, 400, -5]
    assert list_readers(store, limit=9)[0][0].skew_s == -5
