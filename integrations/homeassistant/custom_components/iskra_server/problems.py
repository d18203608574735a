"""When a source has a problem, and when that is over, as the server's entities by MQTT have it. Pure.

A failed check counts when it lasts: a telegram that comes late is no problem. A locked meter is none either: it is
read, and has an entity and a repair issue of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from .model import Source

APPEARS_AFTER_S: Final = 20.0
# a fault that comes and goes is one
GONE_AFTER_S: Final = 30.0
_OF_ITS_OWN: Final = "unlocked"


@dataclass(frozen=True, slots=True)
class Change:
    """A problem of a source began, or is over."""

    source: Source
    is_over: bool


@dataclass(slots=True)
class _State:
    """`since_s`: when the checks got their present result."""

    fails: bool
    since_s: float
    is_on: bool = False

    @property
    def due_s(self) -> float:
        """When it changes if the checks stay as they are."""
        return self.since_s + (APPEARS_AFTER_S if self.fails else GONE_AFTER_S)


class Problems:
    """The problems of all sources, by the name of the source."""

    def __init__(self) -> None:
        self._states: dict[str, _State] = {}
        self._is_first = True

    def __contains__(self, source: Source) -> bool:
        state = self._states.get(source.name)
        return state is not None and state.is_on

    def update(self, sources: Iterable[Source], now_s: float) -> list[Change]:
        """What changed. A problem that is there at the start of Home Assistant was there before: it is no change."""
        before, self._states, changes = self._states, {}, []
        for source in sources:
            fails = any(check != _OF_ITS_OWN for check in source.failed_checks)
            state = before.get(source.name) or _State(fails, now_s, is_on=fails and self._is_first)
            self._states[source.name] = state
            if fails != state.fails:
                state.fails, state.since_s = fails, now_s
            if state.fails != state.is_on and now_s >= state.due_s:
                state.is_on = fails
                changes.append(Change(source, is_over=not fails))
        self._is_first = False
        return changes

    @property
    def due_s(self) -> float | None:
        """When the next change is due if all checks stay as they are; None if none is."""
        return min((state.due_s for state in self._states.values() if state.fails != state.is_on), default=None)
