"""Delivers the messages of one channel, the oldest first. One that cannot be sent now waits and is tried again.

message --> waits (at most 50, for at most three days) --> sent, in a thread
                ^------ after about 5 s, 10 s ... 15 min ------| not reachable
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from iskra_server.base.backoff import Backoff
from iskra_server.base.clock import boottime_s
from iskra_server.base.language import NOTHING, Bilingual, in_both
from iskra_server.base.threads import in_daemon_thread
from iskra_server.outputs.notify.channel import Channel
from iskra_server.outputs.notify.failures import MessageRefused, NotSent
from iskra_server.outputs.notify.http_channel import request_of, send_by_http
from iskra_server.outputs.notify.memory import ChannelMemory
from iskra_server.outputs.notify.messages import MeterMessage, Notification, notification

MAX_WAITING = 50
MAX_AGE = timedelta(days=3)
FIRST_RETRY_S, MAX_RETRY_S = 5.0, 900.0
# without progress the other side has ten seconds; in all, as an answer may arrive byte by byte
TOTAL_S = 60.0
_DAY_S = 86_400
_DIGESTS = ("weekly", "monthly")
_LOST = ("A message for {place} was lost: {reason}.", "Eine Nachricht an {place} ging verloren: {reason}.")
_REFUSED = ("{reason} The message is lost.", "{reason} Die Nachricht ist verloren.")
_TOO_MANY = (
    "{count} messages in 24 hours (notify.max_per_day) were reached",
    "{count} Nachrichten in 24 Stunden (notify.max_per_day) waren erreicht",
)
_NO_ROOM = ("{count} messages wait already", "{count} Nachrichten warten schon")
_TOO_OLD = ("it could not be sent for {days} days", "sie konnte {days} Tage lang nicht gesendet werden")

log = logging.getLogger(__name__)


async def send(channel: Channel, message: Notification) -> str:
    """The answer in words. Raises NotSent or MessageRefused."""
    if channel.kind == "email":
        # smtplib and email take 3 MB of memory
        from iskra_server.outputs.notify.mail import Mail  # noqa: PLC0415

        mail = Mail(channel, message)
        function, abort = mail.send, mail.abort
    else:
        request = request_of(channel, message)
        function, abort = (lambda: send_by_http(channel, request)), request.abort
    try:
        async with asyncio.timeout(TOTAL_S):
            return await in_daemon_thread(function)
    except TimeoutError:
        raise NotSent("silent", place=channel.place, seconds=TOTAL_S) from None
    finally:
        abort()


class Delivery:
    """`changed` is called when the memory of the channel has changed, and stores it."""

    def __init__(
        self,
        channel: Channel,
        memory: ChannelMemory,
        changed: Callable[[], Awaitable[None]],
        *,
        first_retry_s: float = FIRST_RETRY_S,
        max_retry_s: float = MAX_RETRY_S,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        self.channel = channel
        self.delivered = self.refused = self.dropped = 0
        self.sentence = NOTHING
        self.since: datetime | None = None
        self._memory = memory
        self._changed = changed
        self._backoff = Backoff(first_retry_s, max_retry_s)
        self._wall_s = wall_s
        # id of a message of this run -> when it was queued, by a clock that nobody sets
        self._queued_boot_s: dict[str, float] = {}
        self._arrival = asyncio.Event()
        if memory.waiting:
            self._arrival.set()

    @property
    def waiting(self) -> int:
        return len(self._memory.waiting)

    def enqueue(self, message: MeterMessage) -> None:
        """If this channel wants it. Above the limits it is lost, and counted; call `changed` afterwards."""
        channel, memory = self.channel, self._memory
        if message.event != "test" and message.event not in channel.events:
            return
        if message.event not in _DIGESTS:
            now_s = self._wall_s()
            memory.queued_s = [at_s for at_s in memory.queued_s if 0 <= now_s - at_s < _DAY_S]
            if len(memory.queued_s) >= channel.max_per_day:
                self._note_lost(in_both(_TOO_MANY, count=channel.max_per_day))
                return
            memory.queued_s.append(now_s)
        made = notification(message, channel.language, channel.page_url)
        memory.waiting.append(made)
        self._queued_boot_s[made.id] = boottime_s()
        if len(memory.waiting) > MAX_WAITING:
            self._queued_boot_s.pop(memory.waiting.pop(0).id, None)
            self._note_lost(in_both(_NO_ROOM, count=MAX_WAITING))
        self._arrival.set()

    async def run(self) -> None:
        while True:
            await self._arrival.wait()
            if await self._send_oldest():
                self._backoff.reset()
                if not self._memory.waiting:
                    self._arrival.clear()
            else:
                await asyncio.sleep(self._backoff.next_s())

    async def _send_oldest(self) -> bool:
        """Whether the next message can be sent at once."""
        waiting = self._memory.waiting
        if not waiting:
            return True
        message = waiting[0]
        if self._is_too_old(message):
            self._note_lost(in_both(_TOO_OLD, days=MAX_AGE.days))
        else:
            try:
                await send(self.channel, message)
            except NotSent as error:
                self._failed(error.both)
                return False
            except MessageRefused as error:
                self.refused += 1
                self._failed(in_both(_REFUSED, reason=error.both))
            else:
                self.delivered += 1
                if self.sentence != NOTHING:
                    log.info("%s takes messages again.", self.channel.place)
                self.sentence, self.since = NOTHING, None
        # the limit may have removed it meanwhile
        if waiting and waiting[0] is message:
            waiting.pop(0)
        self._queued_boot_s.pop(message.id, None)
        await self._changed()
        return True

    def _is_too_old(self, message: Notification) -> bool:
        queued_s = self._queued_boot_s.get(message.id)
        if queued_s is not None:
            return boottime_s() - queued_s > MAX_AGE.total_seconds()
        return datetime.fromtimestamp(self._wall_s(), UTC) - datetime.fromisoformat(message.at) > MAX_AGE

    def _note_lost(self, reason: Bilingual) -> None:
        self.dropped += 1
        log.warning("A message for %s is lost: %s.", self.channel.place, reason[0])
        if self.sentence == NOTHING:
            self._failed(in_both(_LOST, place=self.channel.place, reason=reason))

    def _failed(self, sentence: Bilingual) -> None:
        if sentence != self.sentence:
            log.warning("notify %s: %s", self.channel.name, sentence[0])
        self.sentence = sentence
        self.since = self.since or datetime.now(UTC)
