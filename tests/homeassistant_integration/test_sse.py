import pytest

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


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_LINE_BYTES", 100)
    parser = sse.EventParser()
    assert list(parser.feed(b"data: " + b"x" * 90)) == []
    with pytest.raises(ValueError, match="a line of more than 100 bytes"):
        list(parser.feed(b"x" * 10))
