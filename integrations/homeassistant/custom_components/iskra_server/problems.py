"""When a source has a problem, and when that is over. Pure.

A source that delivers no current value has one at once; a failed check beside current values counts when it lasts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from .model import Source

# a single damaged telegram fails a check for a moment
LASTS_AFTER_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Change:
    """A problem of a source that began, is another one now, or is over."""

    source: Source
    is_over: bool


class Problems:
    """The problems of all sources, by the name of the source."""

    def __init__(self) -> None:
        self._failing_since: dict[str, float] = {}
        # source -> its fault
        self._faults: dict[str, str] = {}
        self._is_first = True

    def __contains__(self, source: Source) -> bool:
        return source.name in self._faults

    def update(self, sources: Iterable[Source], now_s: float) -> list[Change]:
        """What changed. The first diagnosis after a start is no change."""
        changes = []
        sources = list(sources)
        for name in self._failing_since.keys() - {source.name for source in sources}:
            del self._failing_since[name]
            self._faults.pop(name, None)
        for source in sources:
            before = self._faults.get(source.name)
            if source.ok and source.failed_check is None:
                self._failing_since.pop(source.name, None)
                if self._faults.pop(source.name, None):
                    changes.append(Change(source, is_over=True))
                continue
            since_s = self._failing_since.setdefault(source.name, now_s)
            if (before or not source.ok or now_s - since_s >= LASTS_AFTER_S) and before != source.fault:
                self._faults[source.name] = source.fault
                changes.append(Change(source, is_over=False))
        was_first, self._is_first = self._is_first, False
        return [] if was_first else changes

    @property
    def is_waiting(self) -> bool:
        """Whether a check has failed for too short a time to count."""
        return bool(self._failing_since.keys() - self._faults.keys())
