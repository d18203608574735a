"""What is wrong with a reader is said in English and German: what it sent, or what the central server knows."""

import pytest
from msgspec.structs import replace

from iskra_server.diagnosis.advice import advise
from iskra_server.fleet import protocol
from iskra_server.fleet.central.ingest import ReceivedMessage, ingest
from iskra_server.fleet.central.reader_problems import last_state, problem
from iskra_server.fleet.central.reader_state import ReaderRow
from samples import METER_ID

NOW_S = 1_795_000_000
FINE = ReaderRow("house-7", NOW_S, True, "All sources are read.", "[]")
SILENCE = advise("silence", {"port": "/dev/ttyUSB0"})


@pytest.mark.parametrize(
    ("row", "fault", "sentence", "satz"),
    [
        (FINE, "", "", ""),
        (replace(FINE, skew_s=-60), "", "", ""),
        (
            replace(FINE, skew_s=400),
            "reader_ahead",
            "Its clock is 400 s ahead of that of the central server",
            "Seine Uhr geht gegenüber der Zentrale 400 s vor",
        ),
        (
            replace(FINE, skew_s=-61),
            "reader_behind",
            "Its clock is 61 s behind that of the central server",
            "Seine Uhr geht gegenüber der Zentrale 61 s nach",
        ),
        (replace(FINE, ok=False, sentence="No port.", skew_s=400), "reader_fault", "No port.", "No port."),
        (
            replace(FINE, rival_s=NOW_S, ok=False),
            "reader_name",
            "Two readers are named house-7",
            "Zwei Lesegeräte heißen house-7",
        ),
    ],
)
def test_what_is_wrong_with_a_reader(row: ReaderRow, fault: str, sentence: str, satz: str) -> None:
    wrong = problem(row, NOW_S + 1)
    assert (wrong.fault if wrong else "") == fault
    assert str(wrong.en if wrong else "").startswith(sentence)
    assert str(wrong.de if wrong else "").startswith(satz)


def stored(payload: bytes) -> tuple[str, str]:
    """The sentence and the sources that a status leaves in the database."""
    batch = ingest([ReceivedMessage("iskra/v1/house-7/status", payload, NOW_S)])
    ((state,)) = (heard.state for heard in batch.readers)
    assert state
    return state.sentence, state.status


def test_the_german_of_a_reader_is_that_of_its_first_fault() -> None:
    well = protocol.ReaderSource("tcp://b", METER_ID, True, None, "The meter is being read.")
    broken = protocol.ReaderSource("/dev/ttyUSB0", None, False, "data", str(SILENCE.en), str(SILENCE.de))
    locked = protocol.ReaderSource("tcp://c", None, False, "port", "Nothing listens.", "Niemand hört zu.")
    status = protocol.ReaderStatus(1, NOW_S, "0.1", [well, broken, locked])
    advice = last_state(*stored(protocol.encode(status)))
    assert (str(advice.en), str(advice.de)) == (str(SILENCE.en), str(SILENCE.de))


def test_a_reader_that_sends_no_german_is_quoted() -> None:
    source = b'{"source":"tcp://a","meter":null,"ok":false,"broken":"port","sentence":"Nothing listens."}'
    advice = last_state(*stored(b'{"v":1,"at_s":5,"version":"0.0.9","sources":[%s]}' % source))
    assert (str(advice.en), str(advice.de)) == ("Nothing listens.", "Nothing listens.")


def test_what_the_central_server_says_itself_is_in_both_languages() -> None:
    assert last_state(*stored(b"offline")) == advise("reader_disconnected")
    assert last_state(*stored(protocol.encode(protocol.ReaderStatus(1, 5, "0.1", [])))) == advise("reader_well")
    unheard = advise("reader_unheard")
    assert last_state(str(unheard.en), "[]") == unheard
