from iskra_server.codecs.conversation import Conversation, Send, Speed
from iskra_server.codecs.d0.session import D0Session


def test_the_session_of_d0_keeps_the_contract() -> None:
    conversation: Conversation = D0Session(5.0)
    assert conversation.wakes_at_s == 5.0
    assert [type(step) for step in conversation.due(5.0)] == [Speed, Send]
    assert conversation.wakes_at_s > 5.0
    assert list(conversation.due(5.1)) == []
    assert list(conversation.feed(b"", 5.1)) == []
    assert conversation.close() == b""
