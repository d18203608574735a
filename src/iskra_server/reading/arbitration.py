"""Which source of a meter is published, where several sources read it: two heads, or a head and a bridge to it.

The first source that reads a meter is published. Another one takes over after the first has been silent for some
telegrams, is closed, or reads another meter. So a head that moves to another port is followed at once, and delayed
telegrams of one source never mix with current ones of the other.
"""

from typing import Protocol

# a meter sends every 1 to 4 s
SILENCE_S = 10.0


class MeterSource(Protocol):
    """`reads` is the meter that a source reads now, None while its port is closed."""

    @property
    def reads(self) -> str | None: ...


class SourceArbiter:
    """One for all readers."""

    def __init__(self) -> None:
        self._accepted: dict[str, tuple[MeterSource, float]] = {}

    def accepts(self, source: MeterSource, meter_id: str, now_s: float) -> bool:
        """Whether a telegram of this source, received at `now_s` (boot time), is published."""
        current, last_s = self._accepted.get(meter_id, (source, now_s))
        if current is not source and current.reads == meter_id and now_s - last_s <= SILENCE_S:
            return False
        self._accepted[meter_id] = source, now_s
        return True
