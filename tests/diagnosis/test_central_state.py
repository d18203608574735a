from datetime import UTC, datetime

import pytest
from msgspec import structs

from iskra_server.diagnosis.central_sentences import SENTENCES
from iskra_server.diagnosis.central_state import CentralFacts, central_state, unreadable

WELL = CentralFacts(
    at=datetime(2026, 11, 28, tzinfo=UTC),
    meters=24,
    silent_meters=0,
    gone_meters=1,
    readers=3,
    silent_readers=0,
    gone_readers=1,
    failing_readers=0,
    skewed_reader="house-7",
    skew_s=2,
    months_left=23,
    conflicts=5,
    refused_messages=4,
)

WRONG: list[tuple[dict[str, object], str]] = [
    ({"readers": 0, "meters": 0}, "No reader has reported yet."),
    ({"months_left": 2}, "Months ahead that have partitions: 2."),
    ({"silent_readers": 2, "silent_reader": "house-9"}, "Silent readers: 2 of 3; house-9 for the longest time."),
    (
        {"failing_readers": 1, "failing_reader": "a", "failing_sentence": "The port is gone."},
        "Readers with a fault: 1 of 3, such as a.",
    ),
    (
        {"waiting_readers": 2, "waiting_reader": "attic"},
        "Readers at which quarter-hours wait that are older than two hours: 2 of 3, such as attic.",
    ),
    ({"silent_meters": 7}, "Meters of which nothing has come for half an hour or longer: 7 of 24."),
    ({"conflicts_last_day": 3}, "Values of the last day that differ from the stored ones: 3."),
    (
        {"refused_last_day": 1, "refused_reason": "no JSON"},
        "Messages of readers that were refused within the last day: 1; the newest one, because no JSON.",
    ),
    ({"refused_quarters": 4}, "Quarter-hours at readers that were refused: 4."),
    ({"skew_s": -61}, "The clock of reader house-7 is 61 s off."),
]


def test_old_conflicts_gone_meters_and_a_small_skew_are_no_problem() -> None:
    state = central_state(WELL)
    assert (state.ok, state.problems) == (True, ())


@pytest.mark.parametrize(("changes", "sentence"), WRONG)
def test_what_is_wrong_is_said_in_a_sentence(changes: dict[str, object], sentence: str) -> None:
    state = central_state(structs.replace(WELL, **changes))
    (problem,) = state.problems
    assert not state.ok
    assert problem.en.sentence.startswith(sentence)
    assert problem.de.sentence


def test_without_its_database_there_are_no_facts() -> None:
    state = unreadable("PostgreSQL went away.")
    assert (state.ok, state.facts) == (False, None)
    assert state.problems[0].en.next_step == "PostgreSQL went away."
    assert unreadable("").problems[0].fault == "central_unread"


def test_every_sentence_about_a_central_server_is_used() -> None:
    faults = {
        problem.fault for changes, _ in WRONG for problem in central_state(structs.replace(WELL, **changes)).problems
    }
    assert faults | {"central_unread", "central_database"} == SENTENCES.keys()
