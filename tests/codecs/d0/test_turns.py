from collections.abc import Generator
from typing import Any

import pytest

from iskra_server.codecs.conversation import Send
from iskra_server.codecs.d0 import encoder
from iskra_server.codecs.d0.line import D0Line
from iskra_server.codecs.d0.speeds import Learned
from iskra_server.codecs.d0.turns import PAUSE_S, REACTION_S, Turns


def result(turn: Generator[float, Any, Any], value: object = None) -> Any:
    with pytest.raises(StopIteration) as end:
        turn.send(value)
    return end.value.value


def test_the_end_of_a_message_follows_from_the_clock() -> None:
    turns = Turns(D0Line(), 10.0)
    turn = turns.send(b"/?!\r\n")
    assert next(turn) == 10.0
    turns.now_s = 10.2
    assert result(turn) == pytest.approx(10.2 + 5 / 30)
    assert isinstance(turns.line.steps[-1], Send)


def test_a_wait_ends_when_it_ends_whatever_is_heard() -> None:
    turn = Turns(D0Line(), 10.0).wait(11.0)
    assert [next(turn), turn.send("ABC5x")] == [11.0, 11.0]
    assert result(turn) is None


def test_what_has_begun_in_time_is_waited_for_and_then_given_up() -> None:
    turns = Turns(D0Line(), 10.0)
    turn = turns.receive(12.0)
    assert next(turn) == 12.0
    turns.line.feed(b"/ABC", 11.9)
    turns.now_s = 12.0
    assert turn.send(None) == 11.9 + REACTION_S
    turns.now_s = 13.5
    assert result(turn) is None
    assert [each.kind for each in turns.results if hasattr(each, "kind")] == ["cut"]


def test_silence_counts_from_the_last_character() -> None:
    turns = Turns(D0Line(), 10.0)
    turn = turns.wait_for_silence()
    assert next(turn) == 10.0 + PAUSE_S
    turns.line.feed(b"x", 11.0)
    turns.now_s = 12.0
    assert turn.send(None) == 11.0 + PAUSE_S
    turns.now_s = 13.0
    assert result(turn) is True


def test_the_line_is_switched_behind_the_acknowledgement() -> None:
    turns = Turns(D0Line(), 10.0)
    turn = turns.acknowledge(Learned("5", 0.05), encoder.READOUT)
    assert next(turn) == 10.0
    assert turn.send(None) == pytest.approx(10.0 + 0.2 + 0.05)
    assert turns.line.baud == 300
    turns.now_s = 10.25
    assert result(turn) > 10.25 + REACTION_S
    assert turns.line.baud == 9600
