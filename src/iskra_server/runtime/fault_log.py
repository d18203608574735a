"""Logs once when a meter begins to fail and once when it is read again, in the words of the status.

Left to others, who log it themselves: ports that cannot be opened (sources), readings that are held back (reader).
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable

from msgspec import Struct

from iskra_server.diagnosis.advice import Advice
from iskra_server.diagnosis.status import Status

LOOK_EVERY_S = 5.0
# a first telegram may take some seconds; a meter that falls silent is told of later anyway
FAILS_AFTER_S = 10.0
# one that comes and goes is not told of each time
WELL_AFTER_S = 30.0

log = logging.getLogger(__name__)
_OTHERS = frozenset(("device", "permission", "port"))
_TRANSIENT = frozenset(("first_telegram", "opening"))
_HELD_BACK = frozenset(("held_back", "went_back", "jumped"))


class _Meter(Struct):
    """`fault` is "" while all is well, None while others log; `logged` is what the log said last."""

    fault: str | None = ""
    since_s: float = 0.0
    logged: str = ""


class FaultLog:
    """`observe` looks at the status of every source, on any clock that only grows."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._meters: dict[str, _Meter] = {}

    def observe(self, status: Status) -> None:
        now_s = self._now_s()
        meter = self._meters.setdefault(status.source, _Meter(since_s=now_s))
        advice = _failed(status)
        fault = None if status.failed_check in _OTHERS else advice.fault if advice else ""
        if fault != meter.fault:
            meter.fault, meter.since_s = fault, now_s
        lasts_s = now_s - meter.since_s
        if advice and fault and fault != meter.logged and lasts_s >= FAILS_AFTER_S:
            meter.logged = fault
            log.warning(_line(status), advice.en)
        elif fault == "" and meter.logged and lasts_s >= WELL_AFTER_S:
            meter.logged = ""
            log.info(_line(status), "The meter is being read again.")

    def forget_others(self, sources: Iterable[str]) -> None:
        """Sources that are no longer configured."""
        kept = set(sources)
        self._meters = {source: meter for source, meter in self._meters.items() if source in kept}


async def watch(statuses: Callable[[], Iterable[Status]]) -> None:
    """For ever. Other work runs between one meter and the next."""
    faults = FaultLog()
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        seen: list[str] = []
        for status in statuses():
            faults.observe(status)
            seen.append(status.source)
            await asyncio.sleep(0)
        faults.forget_others(seen)


def _failed(status: Status) -> Advice | None:
    """The first failed check, or what keeps values away."""
    if not status.ok:
        advices = [status.advice]
    else:
        advices = [check.advice for check in status.checks if check.advice and check.state == "failed"]
    return next((advice for advice in advices if advice.fault not in _TRANSIENT | _HELD_BACK), None)


def _line(status: Status) -> str:
    """The log limits lines of one text: each source has its own, so that one that flaps leaves room for the others."""
    return (status.facts.name or status.port).replace("%", "%%") + ": %s"
