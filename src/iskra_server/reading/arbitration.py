"""Which source speaks for a meter that several sources read: two heads, or a head and a bridge to it.

The first that brings it. Another takes over when that one has been silent for some telegrams, has closed, or reads
another meter by now; so a plug that moves is followed at once, and what came late on one line never mixes with what
came in time on the other.
"""

from typing import Protocol

# a meter pushes every 1 to 4 s
SILENCE_S = 10.0


class SpeakingSource(Protocol):
    """What can speak for a meter: `reads` names the meter that it brings, None while its port is closed."""

    @property
    def reads(self) -> str | None: ...


class SourceArbiter:
    """One for all sources."""

    def __init__(self) -> None:
        self._spoke: dict[str, tuple[SpeakingSource, float]] = {}

    def accepts(self, speaker: SpeakingSource, meter_id: str, now_s: float) -> bool:
        """Whether this source's telegram is the meter's reading, at a monotonic moment; if so, it is noted."""
        holder, last_s = self._spoke.get(meter_id, (speaker, now_s))
        if holder is not speaker and holder.reads == meter_id and now_s - last_s <= SILENCE_S:
            return False
        self._spoke[meter_id] = speaker, now_s
        return True

    def holder(self, meter_id: str) -> SpeakingSource | None:
        """Who speaks for a meter now."""
        return self._spoke[meter_id][0] if meter_id in self._spoke else None
