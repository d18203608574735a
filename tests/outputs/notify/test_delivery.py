"""Messages that wait: in order, retried, bounded, and kept over a restart."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from iskra_server.base.language import NOTHING
from iskra_server.outputs.notify.channel import Channel
from iskra_server.outputs.notify.delivery import MAX_WAITING, Delivery
from iskra_server.outputs.notify.memory import ChannelMemory
from iskra_server.outputs.notify.messages import Event, MeterMessage, Text, notification, trial_message
from outputs.notify.receivers import PAGE, channel, receiving
from running import free_port, until


def message(title: str = "x", event: Event = "silent", at: datetime | None = None) -> MeterMessage:
    return MeterMessage(
        event, "begin" if event == "silent" else "report", at or datetime.now(UTC), {"en": Text(title, "body")}
    )


def delivery(made: Channel, memory: ChannelMemory | None = None) -> Delivery:
    async def changed() -> None:
        """Nothing is stored here."""

    return Delivery(made, memory or ChannelMemory(), changed, first_retry_s=0.01, max_retry_s=0.05)


@asynccontextmanager
async def running(made: Delivery) -> AsyncIterator[None]:
    task = asyncio.create_task(made.run())
    try:
        yield
    finally:
        task.cancel()


def in_a_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    def run() -> None:
        asyncio.run(test())

    return run


async def become(condition: Any) -> None:
    await asyncio.to_thread(until, condition)


@in_a_loop
async def test_messages_wait_for_a_channel_that_is_away_and_arrive_in_order() -> None:
    port = free_port()
    made = delivery(channel(f"http://127.0.0.1:{port}/topic"))
    async with running(made):
        for title in ("first", "second"):
            made.enqueue(message(title))
        await become(lambda: made.sentence[0])
        assert "cannot be reached (Connection refused)" in made.sentence[0]
        assert (made.waiting, made.delivered, made.since is None) == (2, 0, False)
        with receiving(port) as receiver:
            await become(lambda: made.delivered == 2)
            assert [post["title"] for post in receiver.messages] == ["first", "second"]
        assert (made.sentence[0], made.since, made.waiting) == ("", None, 0)


@in_a_loop
async def test_an_error_is_tried_again_and_a_refusal_is_not() -> None:
    with receiving() as receiver:
        made = delivery(channel(f"{receiver.url}/topic"))
        receiver.status = 500
        async with running(made):
            made.enqueue(message("first"))
            await become(lambda: receiver.attempts > 2)
            assert made.waiting == 1
            receiver.status = 400
            await become(lambda: made.refused == 1)
            assert made.sentence[0].endswith("The message is lost.")
            receiver.status = 200
            made.enqueue(message("second"))
            await become(lambda: made.delivered == 1)
        assert [post["title"] for post in receiver.messages] == ["second"]
        assert made.sentence == NOTHING


@in_a_loop
async def test_what_waits_is_in_the_memory_and_sent_by_the_next_run() -> None:
    memory = ChannelMemory(waiting=[notification(message("kept"), "en", PAGE)])
    with receiving() as receiver:
        made = delivery(channel(f"{receiver.url}/topic"), memory)
        async with running(made):
            await become(lambda: made.delivered == 1)
        assert receiver.messages[0]["title"] == "kept"
    assert memory.waiting == []


@in_a_loop
async def test_a_message_that_waited_for_days_is_lost_and_counted() -> None:
    old = notification(message("old", at=datetime.now(UTC) - timedelta(days=3, minutes=1)), "en", PAGE)
    with receiving() as receiver:
        made = delivery(channel(f"{receiver.url}/topic"), ChannelMemory(waiting=[old]))
        async with running(made):
            await become(lambda: made.dropped == 1)
            assert "could not be sent for 3 days" in made.sentence[0]
            made.enqueue(message("new"))
            await become(lambda: made.delivered == 1)
        assert [post["title"] for post in receiver.messages] == ["new"]


@in_a_loop
async def test_a_clock_that_is_set_makes_no_message_too_old() -> None:
    with receiving() as receiver:
        made = delivery(channel(f"{receiver.url}/topic"))
        made.enqueue(message("1970", at=datetime(1970, 1, 1, 0, 5, tzinfo=UTC)))
        async with running(made):
            await become(lambda: made.delivered == 1)
        assert [post["title"] for post in receiver.messages] == ["1970"]


@in_a_loop
async def test_only_so_many_messages_wait() -> None:
    made = delivery(channel("http://127.0.0.1:9/topic", max_per_day=1000))
    for number in range(MAX_WAITING + 3):
        made.enqueue(message(str(number)))
    assert (made.waiting, made.dropped) == (MAX_WAITING, 3)
    assert made.sentence[0] == "A message for http://127.0.0.1:9 was lost: 50 messages wait already."


@in_a_loop
async def test_only_so_many_messages_are_sent_in_a_day_but_digests_are() -> None:
    now_s, memory = [1000.0], ChannelMemory()

    async def changed() -> None:
        """Nothing is stored here."""

    made = Delivery(channel("http://127.0.0.1:9/topic", max_per_day=2), memory, changed, wall_s=lambda: now_s[0])
    for _ in range(4):
        made.enqueue(message())
    assert (made.waiting, made.dropped) == (2, 2)
    assert "2 messages in 24 hours (notify.max_per_day) were reached" in made.sentence[0]
    made.enqueue(message(event="weekly"))
    assert made.waiting == 3
    now_s[0] += 86_401
    made.enqueue(message())
    assert (made.waiting, made.dropped, len(memory.queued_s)) == (4, 2, 1)


@in_a_loop
async def test_a_channel_gets_only_its_events() -> None:
    made = delivery(channel("http://127.0.0.1:9/topic", events="weekly"))
    made.enqueue(message())
    assert made.waiting == 0
    made.enqueue(message(event="weekly"))
    made.enqueue(trial_message(datetime.now(UTC)))
    assert made.waiting == 2
