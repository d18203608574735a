import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeassistant_integration.pure import module

sse = module("sse")
STREAM = b"""retry: 2000

id: 17
event: reading
data: {"id":"1 ISK 00 12345678"}

:

event: status
data: {"ok":true}

"""
EVENTS = [("reading", "17", '{"id":"1 ISK 00 12345678"}'), ("status", "", '{"ok":true}')]


def events(*chunks: bytes) -> list[tuple[str, str, str]]:
    parser = sse.EventParser()
    return [tuple(event) for chunk in chunks for event in parser.feed(chunk)]


def test_events_have_their_name_id_and_data() -> None:
    assert events(STREAM) == EVENTS


@pytest.mark.parametrize("size", [1, 2, 7, 64])
def test_chunks_may_end_anywhere(size: int) -> None:
    assert events(*(STREAM[at : at + size] for at in range(0, len(STREAM), size))) == EVENTS


def test_a_proxy_may_send_carriage_returns() -> None:
    assert events(STREAM.replace(b"\n", b"\r\n")) == EVENTS


def test_data_of_several_lines_is_one_text() -> None:
    assert events(b"data: a\ndata: b\n\n") == [("message", "", "a\nb")]


def test_a_comment_and_an_unfinished_event_are_no_event() -> None:
    assert events(b":\n\n: heartbeat\n\n", b"event: reading\ndata: {") == []


def test_letters_of_several_bytes_may_be_cut() -> None:
    data = "data: Zähler\n\n".encode()
    assert events(data[:8], data[8:]) == [("message", "", "Zähler")]


@pytest.mark.parametrize("piece", [b"x" * 10, b"data: a\n", b"other: a\n", b"\ndata: a" * 3 + b"a" * 80])
def test_an_event_without_end_is_refused(piece: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 100)
    parser = sse.EventParser()
    with pytest.raises(ValueError, match="an event of more than 100 bytes"):
        for _ in range(20):
            assert list(parser.feed(piece)) == []


def test_many_events_are_not_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 100)
    assert len(events(*[b"data: " + b"x" * 80 + b"\n\n"] * 20)) == 20


@given(st.lists(st.binary(max_size=20) | st.sampled_from([b"\n", b"\n\n", b"data: a", b":", b"\r\n"])))
def test_any_bytes_give_the_same_events_however_they_are_cut(chunks: list[bytes]) -> None:
    assert events(*chunks) == events(b"".join(chunks))
