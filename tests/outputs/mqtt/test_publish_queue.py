"""What waits for a broker that does not keep up."""

import asyncio

from iskra_server.mqtt.message import Denied, Message, MqttError
from iskra_server.outputs.mqtt.publish_queue import WINDOW, PublishQueue
from iskra_server.outputs.state import OutputHealth


def ignored(_denied: Denied) -> None:
    """Nothing is denied here."""


def message(topic: str, number: int) -> Message:
    return Message(topic, b"%d" % number)


def test_while_the_broker_keeps_up_everything_goes_in_order() -> None:
    assert asyncio.run(sent_of([message("a", number) for number in range(WINDOW)])) == [
        b"%d" % number for number in range(WINDOW)
    ]


def test_behind_the_window_only_the_newest_of_each_topic_waits() -> None:
    flood = [message(topic, number) for number in range(1000) for topic in ("a", "b")]
    sent = asyncio.run(sent_of(flood))
    assert len(sent) == WINDOW + 2
    assert sent[-2:] == [b"999", b"999"]


def test_what_waits_keeps_its_order() -> None:
    full = [message("x", number) for number in range(WINDOW)]
    sent = asyncio.run(sent_of([*full, message("state", 1), message("availability", 2), message("state", 3)]))
    assert sent[WINDOW:] == [b"3", b"2"]


def test_how_long_the_broker_has_not_answered() -> None:
    async def ages_s() -> tuple[float, float, float]:
        answers: list[asyncio.Future[None]] = []

        def start(_: Message) -> asyncio.Future[None]:
            answers.append(asyncio.get_running_loop().create_future())
            return answers[-1]

        queue = PublishQueue(start, OutputHealth("mqtt"), ignored)
        idle = queue.oldest_age_s()
        queue.put(message("a", 1))
        await asyncio.sleep(0.05)
        waiting = queue.oldest_age_s()
        answers[0].set_result(None)
        await asyncio.sleep(0)
        return idle, waiting, queue.oldest_age_s()

    idle, waiting, answered = asyncio.run(ages_s())
    assert (idle, answered) == (0, 0)
    assert waiting >= 0.05


def test_what_the_broker_denies_is_not_delivered_and_what_waits_goes_on() -> None:
    health, denials = OutputHealth("mqtt"), list[Denied]()
    sent: list[str] = []
    answers: list[asyncio.Future[None]] = []

    def start(each: Message) -> asyncio.Future[None]:
        sent.append(each.topic)
        answers.append(asyncio.get_running_loop().create_future())
        return answers[-1]

    async def run() -> None:
        queue = PublishQueue(start, health, denials.append)
        for number in range(WINDOW + 1):
            queue.put(message(f"topic {number}", number))
        answers[0].set_exception(Denied("publishing to", "topic 0", "Not authorized"))
        answers[1].set_result(None)
        answers[2].set_exception(MqttError("the connection is lost"))
        await asyncio.sleep(0)

    asyncio.run(run())
    assert sent[-1] == f"topic {WINDOW}"
    assert [denied.action for denied in denials] == ["publishing to topic 0"]
    assert (health.state().delivered, health.state().refused) == (1, 1)


async def sent_of(messages: list[Message]) -> list[bytes]:
    """All are put at once, to a broker that acknowledges only then."""
    sent: list[bytes] = []
    answers: list[asyncio.Future[None]] = []

    def start(each: Message) -> asyncio.Future[None]:
        sent.append(each.payload)
        answers.append(asyncio.get_running_loop().create_future())
        return answers[-1]

    queue = PublishQueue(start, OutputHealth("mqtt"), ignored)
    for each in messages:
        queue.put(each)
    while answers:
        answers.pop(0).set_result(None)
        await asyncio.sleep(0)
    return sent
