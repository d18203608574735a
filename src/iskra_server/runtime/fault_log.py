"""Logs once that a meter is read, once when it starts to fail and once when it is read again, with the sentence of the
status.

Not logged here: ports that cannot be opened (sources log them), readings that are held back (the reader logs them).
"""

import asyncio
import logging
import time
from collections.abc import Callable, Container, Iterable, Iterator

from msgspec import Struct

from iskra_server.diagnosis.advice import Advice
from iskra_server.diagnosis.status import Status
from iskra_server.outputs.state import OutputState, notices_by_output

LOOK_EVERY_S = 5.0
# a first telegram may come after 10 s, and at the second speed that a port tries
FAILS_AFTER_S = 20.0
# a fault that comes and goes is not logged each time
HEALTHY_AFTER_S = 30.0

log = logging.getLogger(__name__)
_LOGGED_BY_SOURCES = frozenset(("device", "permission", "port"))
_TRANSIENT = frozenset(("first_telegram", "opening"))
_LOGGED_BY_READER = frozenset(("held_back", "went_back", "jumped", "beyond_rating", "below_zero"))


class _Meter(Struct):
    """`fault` is "" while all is well, None while another module logs; `logged` is the last logged fault.

    `meter_id` is the meter that was logged as being read.
    """

    fault: str | None = ""
    since_s: float = 0.0
    logged: str = ""
    meter_id: str = ""


class FaultLog:
    """`observe` takes the status of each source; `now_s` is a monotonic clock."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._meters: dict[str, _Meter] = {}

    def observe(self, status: Status) -> None:
        now_s = self._now_s()
        meter = self._meters.setdefault(status.source, _Meter(since_s=now_s))
        advice = _failed(status)
        fault = None if status.failed_check in _LOGGED_BY_SOURCES else _subject(advice.fault) if advice else ""
        self._log_found(meter, status)
        if fault != meter.fault:
            meter.fault, meter.since_s = fault, now_s
        lasts_s = now_s - meter.since_s
        if advice and fault and fault != meter.logged and lasts_s >= FAILS_AFTER_S:
            meter.logged = fault
            log.warning(_line(status), advice.en)
        elif fault == "" and meter.logged and lasts_s >= HEALTHY_AFTER_S:
            meter.logged = ""
            log.info(_line(status), "The meter is being read again.")

    @staticmethod
    def _log_found(meter: _Meter, status: Status) -> None:
        found, facts = status.meter_id or "", status.facts
        if status.ok and found not in ("", meter.meter_id):
            meter.meter_id = found
            parts = (f"reading meter {found}", facts.protocol.upper(), facts.line)
            log.info(_line(status), ", ".join(filter(None, parts)))

    def forget_others(self, sources: Iterable[str]) -> None:
        """Sources that are no longer configured."""
        kept = set(sources)
        self._meters = {source: meter for source, meter in self._meters.items() if source in kept}


async def watch(statuses: Callable[[], Iterable[Status]], outputs: Callable[[], Iterable[OutputState]]) -> None:
    """Endless. Other tasks run between two meters. A notice of an output is logged once."""
    faults, logged = FaultLog(), set[tuple[str, str]]()
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        seen: list[str] = []
        for status in statuses():
            faults.observe(status)
            seen.append(status.source)
            await asyncio.sleep(0)
        faults.forget_others(seen)
        logged |= set(log_notices(outputs(), logged))


def log_notices(outputs: Iterable[OutputState], logged: Container[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Logs the notices that are not in `logged`, and gives them: name of the output, fault."""
    for notice, names in notices_by_output(outputs).items():
        if new := [name for name in names if (name, notice.fault) not in logged]:
            log.warning(f"{', '.join(new)}: %s", notice.en)
            yield from ((name, notice.fault) for name in new)


def _failed(status: Status) -> Advice | None:
    """Of the first failed check."""
    if not status.ok:
        advices = [status.advice]
    else:
        advices = [check.advice for check in status.checks if check.advice and check.state == "failed"]
    return next((advice for advice in advices if advice.fault not in _TRANSIENT | _LOGGED_BY_READER), None)


def _subject(fault: str) -> str:
    """The stages of a search ("silence_searching", "silence_asking", ...) are one fault."""
    return next((begin for begin in ("silence", "noise", "speed") if fault.startswith(f"{begin}_")), fault)


def _line(status: Status) -> str:
    """The log limits lines of the same message: with the source in the message, each source has its own limit."""
    return (status.facts.name or status.port).replace("%", "%%") + ": %s"
