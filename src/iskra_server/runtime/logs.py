"""Log lines: plain text for people, JSON for collectors. The clock is UTC, as everywhere.

A terminal that was stopped with Ctrl-S, or a collector that hangs, must not block the server: a thread writes the
lines, and those that find its queue full are dropped and counted.
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
# a shorter secret may be part of ordinary words: masking these would reveal it
_MIN_SECRET = 8
# of each kind of line: a burst, then one in so many seconds
_BURST = 6.0
_ONE_EVERY_S = 2400.0
_MAX_KINDS = 1000
# log.info(..., extra={ALWAYS: True}) is not rate limited: the answer to something that a user just did
ALWAYS = "always"
_QUEUE_LINES = 1000
# at the end of the process
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
    """Passes each kind of line about forty times a day: a fault that comes and goes must not wear out an SD card.

    A kind is the message before its arguments are inserted. Omitted lines are counted, and the next line of the kind
    says how many.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now_s = now_s
        # message -> how many more may pass, since when, how many were omitted
        self._kinds: dict[str, tuple[float, float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, ALWAYS, False):
            return True
        now_s, kind = self._now_s(), str(record.msg)
        left, since_s, omitted = self._kinds.get(kind, (_BURST, now_s, 0))
        left = min(_BURST, left + (now_s - since_s) / _ONE_EVERY_S)
        if left < 1:
            self._kinds[kind] = (left, now_s, omitted + 1)
            return False
        if len(self._kinds) >= _MAX_KINDS:
            self._kinds.clear()
        self._kinds[kind] = (left - 1, now_s, 0)
        if omitted:
            record.msg, record.args = f"{record.getMessage()} ({omitted} similar lines omitted)", None
        return True


class RecentLines(logging.Handler):
    """Keeps the last lines, for a support bundle."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: deque[str] = deque(maxlen=_RECENT_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


class QueuedHandler(logging.Handler):
    """A thread writes the lines to a file descriptor. `dropped` counts those that found its queue full."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.dropped = 0
        self._descriptor = descriptor
        self._lines: Queue[bytes] = Queue(_QUEUE_LINES)
        Thread(target=self._write_all, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.put_nowait(self._encoded(record))
        except Full:
            self.dropped += 1
        except Exception:
            self.handleError(record)

    def flush(self) -> None:
        """Wait until everything is written, _FLUSH_S at most."""
        end_s = time.monotonic() + _FLUSH_S
        while self._lines.unfinished_tasks and time.monotonic() < end_s:
            time.sleep(0.005)

    @property
    def is_blocked(self) -> bool:
        """Whether a write would block now."""
        try:
            return not select.select([], [self._descriptor], [], 0)[1]
        except OSError:
            return False

    def _encoded(self, record: logging.LogRecord) -> bytes:
        return f"{self.format(record)}\n".encode(errors="backslashreplace")

    def _write_all(self) -> None:
        reported = 0
        while True:
            is_written = self._write(self._lines.get())
            if not is_written:
                self.dropped += 1
            elif self.dropped > reported and self._lines.empty():
                lost, reported = self.dropped - reported, self.dropped
                text = "%d log lines were dropped: the terminal or the log collector did not read them."
                self._write(self._encoded(logging.LogRecord(__name__, logging.WARNING, "", 0, text, (lost,), None)))
            self._lines.task_done()

    def _write(self, line: bytes) -> bool:
        """Whether it was written. Not by sys.stderr: its lock would block the end of the process."""
        while line:
            try:
                line = line[os.write(self._descriptor, line) :]
            except BlockingIOError:
                select.select([], [self._descriptor], [])
            except OSError:
                return False
        return True


def queued_handler() -> QueuedHandler | None:
    """None before `set_up`."""
    return next((handler for handler in logging.getLogger().handlers if isinstance(handler, QueuedHandler)), None)


def dropped_lines() -> int:
    handler = queued_handler()
    return handler.dropped if handler else 0


def flush_or_exit(status: int) -> None:
    """Write the queued lines. Where nobody reads them, end the process: Python would block in flushing stderr."""
    handler = queued_handler()
    if handler:
        handler.flush()
        if handler.is_blocked:
            os._exit(status)


class _MaskingFormatter(logging.Formatter):
    """The lines of another formatter without secrets: libraries log what they were given."""

    def __init__(self, formatter: logging.Formatter, secrets: Iterable[Secret]) -> None:
        super().__init__()
        self._formatter = formatter
        self._mask = masking(secrets, _MIN_SECRET)

    def format(self, record: logging.LogRecord) -> str:
        return self._mask(self._formatter.format(record))


def set_up(
    level: str, form: Literal["text", "json"], recent: RecentLines | None = None, secrets: Iterable[Secret] = ()
) -> None:
    """Log to stderr and to `recent`, from `level` ("debug" ... "error") on, without `secrets`."""
    # an existing one is kept: lines may wait in it. A process may have been started without stderr
    handler: logging.Handler = queued_handler() or (QueuedHandler(_STDERR) if sys.__stderr__ else logging.NullHandler())
    handler.filters.clear()
    formatter = JsonFormatter() if form == "json" else logging.Formatter("%(asctime)sZ %(levelname)s %(message)s")
    formatter.converter = time.gmtime
    if level != "debug":
        handler.addFilter(RateLimitFilter())
    masked = _MaskingFormatter(formatter, secrets)
    # the recent lines are not rate limited: they show how often a fault comes and goes
    handlers: list[logging.Handler] = [*((recent,) if recent else ()), handler]
    for target in handlers:
        target.setFormatter(masked)
    logging.basicConfig(level=level.upper(), handlers=handlers, force=True)
    level_number = logging.getLevelName(level.upper())
    for library in ("alembic", "httpx", "httpcore"):
        logging.getLogger(library).setLevel(max(logging.WARNING, level_number))
    # they log each connection and each invalid request: clients must not fill this log
    for library in ("uvicorn", "websockets"):
        logging.getLogger(library).setLevel(max(logging.ERROR, level_number))
