"""Which source of a meter is published, where several sources read it: two heads, or a head and a bridge to it.

The first source that reads a meter is published. Another one takes over after the first has been silent for some
telegrams, is closed, or reads another meter. So a head that moves to another port is followed at once, and delayed
telegrams of one source never mix with current ones of the other.
"""

from typing import Protocol

from msgspec import Struct

# three telegrams of most meters, which send every 1 to 4 s
SILENCE_S = 10.0
# of the interval of meters that send, or are asked, more rarely
_MISSED = 2.0


class MeterSource(Protocol):
    """`reads` is the meter that a source reads now, None while its port is closed."""

    @property
    def reads(self) -> str | None: ...


class _Accepted(Struct):
    """The source of a meter, its last telegram, and the time between its telegrams: one long gap counts double."""

    source: MeterSource
    last_s: float
    interval_s: float = SILENCE_S / _MISSED

    def note(self, now_s: float) -> None:
        self.interval_s = max(SILENCE_S / _MISSED, min(now_s - self.last_s, 2 * self.interval_s))
        self.last_s = now_s


class SourceArbiter:
    """One for all readers."""

    def __init__(self) -> None:
        self._accepted: dict[str, _Accepted] = {}

    def accepts(self, source: MeterSource, meter_id: str, now_s: float) -> bool:
        """Whether a telegram of this source, received at `now_s` (boot time), is published."""
        current = self._accepted.get(meter_id)
        if current is not None and current.source is source:
            current.note(now_s)
            return True
        if current and current.source.reads == meter_id and now_s - current.last_s <= _MISSED * current.interval_s:
            return False
        self._accepted[meter_id] = _Accepted(source, now_s)
        return True
