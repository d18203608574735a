"""What notifications remember over a restart, in one small file: what was sent, and messages that wait.

It is written whole to a new file, which then takes the old one's place; so a power cut leaves one of both.
"""

import logging
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from iskra_server.base.language import NOTHING, in_both
from iskra_server.base.spool import sync
from iskra_server.outputs.notify.messages import Notification, as_json

# what ended so long ago is forgotten
_KEPT_S = 60 * 86_400
_MAX_BYTES = 4_000_000
_UNWRITABLE = (
    "{file} cannot be written ({reason}); after a restart messages may come twice.",
    "{file} kann nicht geschrieben werden ({reason}); nach einem Neustart kommen Nachrichten vielleicht doppelt.",
)

log = logging.getLogger(__name__)


class ReportedEvent(Struct):
    """About one event of one meter: whether people know that it lasts, since when it does, when they were told last."""

    is_on: bool = False
    since_s: float = 0.0
    told_s: float = 0.0


class ChannelMemory(Struct):
    """Messages that wait, the oldest first, and when the last ones were sent, in Unix seconds."""

    waiting: list[Notification] = []
    queued_s: list[float] = []


class Memory(Struct):
    """told      by "EVENT SOURCE"; `repeat_after_s` must pass between two messages about the same
    meters    the meter that each source brought last, to name one that is silent after a restart
    unlocked  sources whose meter was unlocked when it was read last
    digests   the first day of the period that each digest was sent for last
    channels  by name
    """

    told: dict[str, ReportedEvent] = {}
    meters: dict[str, str] = {}
    unlocked: dict[str, bool] = {}
    digests: dict[str, str] = {}
    base_load_day: str = ""
    channels: dict[str, ChannelMemory] = {}

    def begin(self, key: str, now_s: float, since_s: float, repeat_after_s: float) -> bool:
        """Whether people are told now that something lasts since `since_s`."""
        told = self.told.setdefault(key, ReportedEvent())
        # a time in the future is that of a clock that was wrong
        if told.is_on or 0 <= now_s - told.told_s < repeat_after_s:
            return False
        self.told[key] = ReportedEvent(is_on=True, since_s=since_s, told_s=now_s)
        return True

    def end(self, key: str) -> ReportedEvent | None:
        """What people know to last, and what does not any more."""
        told = self.told.get(key)
        if told is None or not told.is_on:
            return None
        self.told[key] = ReportedEvent(is_on=False, since_s=told.since_s, told_s=told.told_s)
        return told

    def is_on(self, key: str) -> bool:
        return key in self.told and self.told[key].is_on

    def forget_old(self, now_s: float, sources: Iterable[str]) -> None:
        """What ended long ago, and what is about sources that are no longer configured."""
        kept = set(sources)
        self.meters = {source: meter for source, meter in self.meters.items() if source in kept}
        self.unlocked = {source: unlocked for source, unlocked in self.unlocked.items() if source in kept}
        self.told = {key: told for key, told in self.told.items() if told.is_on or now_s - told.told_s < _KEPT_S}


class MemoryFile:
    """Loads and stores the memory; `error` says why it cannot be stored. Methods block."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.error = NOTHING
        self._stored = b""

    def load(self) -> tuple[Memory, bool]:
        """The memory, and whether there was one. One that cannot be read is moved aside."""
        try:
            with self.path.open("rb") as file:
                data = file.read(_MAX_BYTES)
            return msgspec.json.decode(data, type=Memory), True
        except FileNotFoundError:
            return Memory(), False
        except (OSError, ValueError) as error:
            aside = self.path.with_suffix(".damaged")
            log.warning("%s cannot be read (%s); it is moved to %s.", self.path, error, aside.name)
            try:
                self.path.replace(aside)
            except OSError:
                log.warning("%s cannot be moved.", self.path)
            return Memory(), False

    def store(self, data: bytes) -> None:
        """Synced to the disk when this returns, unless `error` says why not."""
        if data == self._stored:
            return
        part = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path)
            sync(self.path.parent)
        except OSError as error:
            if self.error == NOTHING:
                log.warning("%s cannot be written: %s.", self.path, error.strerror)
            self.error = in_both(_UNWRITABLE, file=self.path, reason=error.strerror)
            return
        self._stored, self.error = data, NOTHING


def encoded(memory: Memory) -> bytes:
    return as_json(memory)
