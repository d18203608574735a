"""Log lines: plain text for people, JSON for collectors. The clock is UTC, as everywhere.

Nobody waits for a terminal that was stopped with Ctrl-S, or for a collector that hangs: a thread of its own writes, and
lines that find no room in its queue are dropped and counted.
"""

import logging
import os
import select
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from queue import Full, Queue
from threading import Thread
from typing import Literal

import msgspec

from iskra_server.base.secret import Secret, masking

_RECENT_LINES = 200
# a shorter one stands in ordinary words, and to mask these would tell it
_MIN_SECRET = 8
# of each kind of line: so many may come one after the other, then one in so many seconds
_AT_ONCE = 6.0
_ONE_EVERY_S = 2400.0
_KINDS = 1000
# log.info(..., extra={ALWAYS: True}): what somebody has just asked for is never left out
ALWAYS = "always"
_WAITING_LINES = 1000
# at the end of the process: what waits is written, or left behind
_FLUSH_S = 0.5
_STDERR = 2


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


class RateLimitFilter(logging.Filter):
    """Lets one kind of line through some forty times a day: a fault that comes and goes does not wear out a card.

    Lines of one kind are those with the same text before anything is filled in. What was left out is counted, and
    the next line of its kind says how many.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now_s = now_s
        # text -> how many more may come at once, since when, how many were left out
        self._kinds: dict[str, tuple[float, float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, ALWAYS, False):
            return True
        now_s, kind = self._now_s(), str(record.msg)
        left, since_s, omitted = self._kinds.get(kind, (_AT_ONCE, now_s, 0))
        left = min(_AT_ONCE, left + (now_s - since_s) / _ONE_EVERY_S)
        if left < 1:
            self._kinds[kind] = (left, now_s, omitted + 1)
            return False
        if len(self._kinds) >= _KINDS:
            self._kinds.clear()
        self._kinds[kind] = (left - 1, now_s, 0)
        if omitted:
            record.msg, record.args = f"{record.getMessage()} (and {omitted} more like it, left out)", None
        return True


class Recent(logging.Handler):
    """Keeps the last lines, for a support bundle."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: deque[str] = deque(maxlen=_RECENT_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


class Queued(logging.Handler):
    """Hands lines to a thread that writes them to a file descriptor. `dropped` counts those that it did not take."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.dropped = 0
        self._descriptor = descriptor
        self._lines: Queue[bytes] = Queue(_WAITING_LINES)
        Thread(target=self._write_all, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.put_nowait(self._encoded(record))
        except Full:
            self.dropped += 1
        except Exception:
            self.handleError(record)

    def flush(self) -> None:
        """Wait until everything is written, but not for long."""
        end_s = time.monotonic() + _FLUSH_S
        while self._lines.unfinished_tasks and time.monotonic() < end_s:
            time.sleep(0.005)

    @property
    def is_blocked(self) -> bool:
        """Whether the other end takes nothing now."""
        try:
            return not select.select([], [self._descriptor], [], 0)[1]
        except OSError:
            return False

    def _encoded(self, record: logging.LogRecord) -> bytes:
        return f"{self.format(record)}\n".encode(errors="backslashreplace")

    def _write_all(self) -> None:
        told = 0
        while True:
            is_taken = self._write(self._lines.get())
            if not is_taken:
                self.dropped += 1
            elif self.dropped > told and self._lines.empty():
                lost, told = self.dropped - told, self.dropped
                text = "%d log lines were dropped: the terminal or the log collector did not take them."
                self._write(self._encoded(logging.LogRecord(__name__, logging.WARNING, "", 0, text, (lost,), None)))
            self._lines.task_done()

    def _write(self, line: bytes) -> bool:
        """Whether it is taken. Not through sys.stderr, as its lock would hold up the end of the process."""
        while line:
            try:
                line = line[os.write(self._descriptor, line) :]
            except BlockingIOError:
                select.select([], [self._descriptor], [])
            except OSError:
                return False
        return True


def queued() -> Queued | None:
    """What writes the log of this process, where it is set up."""
    return next((each for each in logging.getLogger().handlers if isinstance(each, Queued)), None)


def dropped_lines() -> int:
    handler = queued()
    return handler.dropped if handler else 0


def end(status: int) -> None:
    """At the very end of a process: what waits is written. Where nobody takes it, the process ends at once.

    To end in the ordinary way is to flush stderr, which waits for whoever does not take it.
    """
    handler = queued()
    if handler:
        handler.flush()
        if handler.is_blocked:
            os._exit(status)


class _Masked(logging.Formatter):
    """Lines as another formatter writes them, but without secrets: others log and raise what we have told them."""

    def __init__(self, written: logging.Formatter, secrets: Iterable[Secret]) -> None:
        super().__init__()
        self._written = written
        self._mask = masking(secrets, _MIN_SECRET)

    def format(self, record: logging.LogRecord) -> str:
        return self._mask(self._written.format(record))


def set_up(
    level: str, form: Literal["text", "json"], recent: Recent | None = None, secrets: Iterable[Secret] = ()
) -> None:
    """Log to stderr, from `level` ("debug" ... "error") on, and to `recent`; nowhere one of `secrets`."""
    # kept where the level changes, as lines may wait in it; a process that was started without stderr has none
    handler: logging.Handler = queued() or (Queued(_STDERR) if sys.__stderr__ else logging.NullHandler())
    handler.filters.clear()
    formatter = JsonFormatter() if form == "json" else logging.Formatter("%(asctime)sZ %(levelname)s %(message)s")
    formatter.converter = time.gmtime
    if level != "debug":
        handler.addFilter(RateLimitFilter())
    masked = _Masked(formatter, secrets)
    # the last lines are kept whole: what is left out of the log says how fast a fault comes and goes
    handlers: list[logging.Handler] = [*((recent,) if recent else ()), handler]
    for each in handlers:
        each.setFormatter(masked)
    logging.basicConfig(level=level.upper(), handlers=handlers, force=True)
    least = logging.getLevelName(level.upper())
    for library in ("alembic", "httpx", "httpcore"):
        logging.getLogger(library).setLevel(max(logging.WARNING, least))
    # it warns of each request that is none: strangers do not write this log
    logging.getLogger("uvicorn").setLevel(max(logging.ERROR, least))
