"""Log lines: plain text for people, JSON for collectors. The clock is UTC, as everywhere."""

import logging
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

from iskra_server.secret import Secret, masking

_RECENT_LINES = 200
# a shorter one stands in ordinary words, and to mask these would tell it
_SHORTEST_SECRET = 8
# of each kind of line: so many may come one after the other, then one in so many seconds
_AT_ONCE = 6.0
_ONE_EVERY_S = 2400.0
_KINDS = 1000
# log.info(..., extra={ALWAYS: True}): what somebody has just asked for is never left out
ALWAYS = "always"


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


class Sparing(logging.Filter):
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


class _Masked(logging.Formatter):
    """Lines as another formatter writes them, but without secrets: others log and raise what we have told them."""

    def __init__(self, written: logging.Formatter, secrets: Iterable[Secret]) -> None:
        super().__init__()
        self._written = written
        self._mask = masking(secrets, _SHORTEST_SECRET)

    def format(self, record: logging.LogRecord) -> str:
        return self._mask(self._written.format(record))


def set_up(
    level: str, form: Literal["text", "json"], recent: Recent | None = None, secrets: Iterable[Secret] = ()
) -> None:
    """Log to stderr, from `level` ("debug" ... "error") on, and to `recent`; nowhere one of `secrets`."""
    handler = logging.StreamHandler(sys.stderr)
    formatter = JsonFormatter() if form == "json" else logging.Formatter("%(asctime)sZ %(levelname)s %(message)s")
    formatter.converter = time.gmtime
    if level != "debug":
        handler.addFilter(Sparing())
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
