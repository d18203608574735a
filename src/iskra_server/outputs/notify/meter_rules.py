"""Rules about a source's state: silent, another failed check, locked again. Pure: a status in, messages out.

    reading  ~~~~~~|                     |~~~~~~~~~~~~
    told           |---- limit ----|silent    |-- settles --|heard again

A source has one problem at a time. Of several sources of one meter the one that is well counts.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from iskra_server.diagnosis.advice import Advice
from iskra_server.diagnosis.status import Status
from iskra_server.outputs.notify.event_texts import fault_text, gone_text, heard_text, locked_text, silent_text
from iskra_server.outputs.notify.memory import Memory
from iskra_server.outputs.notify.messages import Event, MeterMessage

# a source is well, and a meter locked, when it has been so for this long, or for the limit where that is shorter
SETTLES_S = 60.0
_OF_ITS_OWN = "unlocked"
# checks that fail while a telegram is on its way
_TRANSIENT = frozenset(("first_telegram", "opening", "first_readout"))


class _Source(Struct):
    """Since when (boot time) it is seen, its condition holds, and its meter is locked or unlocked as it is now."""

    seen_s: float
    condition: str = ""
    since_s: float = 0.0
    locked: bool | None = None
    locked_since_s: float = 0.0


class MeterRules:
    """`limit_s`: how long a problem lasts before a message is sent; `repeat_s`: at least between two such messages."""

    def __init__(self, memory: Memory, limit_s: float, repeat_s: float) -> None:
        self._memory = memory
        self._limit_s, self._repeat_s = limit_s, repeat_s
        self._settles_s = min(SETTLES_S, limit_s)
        self._sources: dict[str, _Source] = {}

    def observe(self, statuses: Iterable[Status], boot_s: float, now: datetime) -> Iterator[MeterMessage]:
        """The messages that are due; `now` is local."""
        for source, status in self._by_meter(statuses).items():
            state = self._sources.setdefault(source, _Source(boot_s, since_s=boot_s, locked_since_s=boot_s))
            yield from self._problem(source, state, status, boot_s, now)
            yield from self._lock(source, state, status, boot_s, now)

    def _by_meter(self, statuses: Iterable[Status]) -> Mapping[str, Status]:
        """By the first source of each meter, the first status that is well."""
        chosen: dict[str, Status] = {}
        first: dict[str, str] = {}
        for status in statuses:
            if status.meter_id:
                self._memory.meters[status.source] = status.meter_id
            meter = self._memory.meters.get(status.source, status.source)
            source = first.setdefault(meter, status.source)
            if source not in chosen or (status.ok and not chosen[source].ok):
                chosen[source] = status
        return chosen

    def _problem(
        self, source: str, state: _Source, status: Status, boot_s: float, now: datetime
    ) -> Iterator[MeterMessage]:
        condition, advice = _condition(status)
        if condition != state.condition:
            state.condition, state.since_s = condition, boot_s
        lasts_s = boot_s - state.since_s
        if condition == "silent":
            age_s = status.facts.age_s
            lasts_s = boot_s - state.seen_s if age_s is None else age_s
        if not advice:
            if lasts_s >= self._settles_s:
                yield from self._gone(source, status, now, lasts_s, "silent", "fault")
            return
        if condition == "fault" and lasts_s >= self._settles_s:
            yield from self._gone(source, status, now, lasts_s, "silent")
        event: Event = "silent" if condition == "silent" else "fault"
        is_known = event == "fault" and self._memory.is_on(_key("silent", source))
        since_s = now.timestamp() - lasts_s
        if lasts_s < self._limit_s or is_known:
            return
        if self._memory.begin(_key(event, source), now.timestamp(), since_s, self._repeat_s):
            name, since = self._name(source, status), datetime.fromtimestamp(since_s, now.tzinfo)
            if event == "silent":
                # it takes the place of the fault
                self._memory.end(_key("fault", source))
                has_been_heard = status.facts.age_s is not None
                texts = silent_text(name, since if has_been_heard else None, now, advice)
            else:
                texts = fault_text(name, advice)
            yield self._with_meter(source, status, MeterMessage(event, "begin", now, texts))

    def _gone(self, source: str, status: Status, now: datetime, for_s: float, *events: Event) -> Iterator[MeterMessage]:
        """What has ended `for_s` seconds ago, of what people were told."""
        until = now - timedelta(seconds=for_s)
        for event in events:
            told = self._memory.end(_key(event, source))
            if told:
                name, since = self._name(source, status), datetime.fromtimestamp(told.since_s, now.tzinfo)
                texts = heard_text(name, since, until) if event == "silent" else gone_text(name, since, until)
                yield self._with_meter(source, status, MeterMessage(event, "end", now, texts))

    def _lock(
        self, source: str, state: _Source, status: Status, boot_s: float, now: datetime
    ) -> Iterator[MeterMessage]:
        locked = status.facts.locked if status.ok else None
        if locked != state.locked:
            state.locked, state.locked_since_s = locked, boot_s
        if locked is None or boot_s - state.locked_since_s < self._settles_s:
            return
        was_unlocked = self._memory.unlocked.get(source, False)
        self._memory.unlocked[source] = not locked
        key, now_s = _key("locked", source), now.timestamp()
        if not locked:
            self._memory.end(key)
        elif was_unlocked and self._memory.begin(key, now_s, now_s, self._repeat_s):
            advice = next(check.advice for check in status.checks if check.name == _OF_ITS_OWN)
            if advice:
                texts = locked_text(self._name(source, status), advice)
                yield self._with_meter(source, status, MeterMessage("locked", "begin", now, texts))

    def _name(self, source: str, status: Status) -> str:
        return status.facts.name or self._meter(source, status) or status.port

    def _meter(self, source: str, status: Status) -> str:
        return status.meter_id or self._memory.meters.get(source, "")

    def _with_meter(self, source: str, status: Status, message: MeterMessage) -> MeterMessage:
        """The message with its meter."""
        return MeterMessage(
            message.event,
            message.phase,
            message.at,
            message.texts,
            meter=self._meter(source, status),
            meter_name=status.facts.name,
            simulated=status.simulated,
        )


def _condition(status: Status) -> tuple[str, Advice | None]:
    """`silent`: no current value; `fault`: values arrive, but a check fails; "" with no advice: all is well."""
    if not status.ok:
        return "silent", status.advice
    failed = (check.advice for check in status.checks if check.state == "failed" and check.name != _OF_ITS_OWN)
    advice = next((advice for advice in failed if advice and advice.fault not in _TRANSIENT), None)
    return ("fault", advice) if advice else ("", None)


def _key(event: Event, source: str) -> str:
    return f"{event} {source}"
