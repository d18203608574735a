import pytest

import texts
from iskra_server.codecs.conversation import Send, Speed
from iskra_server.codecs.d0 import encoder
from iskra_server.codecs.d0.frames import D0Message
from iskra_server.codecs.d0.line import D0Line, Event
from iskra_server.codecs.text.parity import with_parity


def heard(line: D0Line) -> list[Event]:
    return list(iter(line.next, None))


def asked(message: bytes = b"/?!\r\n") -> D0Line:
    line = D0Line()
    assert line.send(message) == len(message) / 30
    return line


def test_what_is_sent_has_parity() -> None:
    line = asked()
    line.switch(300)
    line.switch(9600)
    assert list(line.steps) == [Speed(300), Send(with_parity(b"/?!\r\n")), Speed(9600)]


def test_an_identification_comes_at_once_and_once() -> None:
    line = D0Line()
    for byte in with_parity(encoder.identification(texts.D0_IDENT)):
        assert heard(line) == []
        line.feed(bytes((byte,)), 1.0)
    assert heard(line) == [texts.D0_IDENT]
    line.feed(encoder.readout(["1.8.0(1)"]), 2.0)
    (message,) = heard(line)
    assert isinstance(message, D0Message) and message.ident == texts.D0_IDENT
    line.feed(encoder.identification(texts.D0_IDENT), 3.0)
    assert heard(line) == [texts.D0_IDENT]
    assert line.last_byte_s == 3.0


@pytest.mark.parametrize("echo", [b"/?!\r\n", with_parity(b"/?!\r\n")])
@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_an_echo_is_dropped(echo: bytes, chunk: int) -> None:
    line = asked()
    data = echo + encoder.identification(texts.D0_IDENT)
    for at in range(0, len(data), chunk):
        line.feed(data[at : at + chunk], 0.0)
    assert heard(line) == [texts.D0_IDENT]
    assert line.is_echoed


def test_an_echo_is_not_needed_and_what_begins_like_one_is_none() -> None:
    line = asked()
    line.feed(b"/", 0.0)
    line.feed(encoder.identification(texts.D0_IDENT)[1:], 0.0)
    assert heard(line) == [texts.D0_IDENT]
    assert not line.is_echoed


def test_the_echo_of_a_command_is_no_answer() -> None:
    line = asked(encoder.read_register("1.8.0"))
    line.feed(encoder.read_register("1.8.0") + encoder.block("(1*kWh)"), 0.0)
    (message,) = heard(line)
    assert isinstance(message, D0Message) and message.text == "(1*kWh)"


def test_what_is_given_up_is_gone() -> None:
    line = D0Line()
    line.feed(encoder.identification("ABC5x") + b"\x021.8", 0.0)
    assert heard(line) == ["ABC5x"]
    assert line.pending == line.discard() > 4
    line.feed(encoder.block("1.8.0(1)"), 0.0)
    (message,) = heard(line)
    assert isinstance(message, D0Message) and message.ident == ""
