"""How long a connection may be silent before it is taken for dead: a meter sends every second, or every 15 minutes."""

MAX_IDLE_S = 2000.0
# share of what was learned of long pauses that each read keeps: an outage is forgotten
_KEPT = 0.999


class IdleLimit:
    """Twice the longest pause, `shortest_s` at least; learned over all connections of a source."""

    def __init__(self, shortest_s: float) -> None:
        self.seconds = self._shortest_s = shortest_s
        self._read_s: float | None = None

    def note_read(self, now_s: float) -> None:
        """Bytes were read at `now_s` (boot time)."""
        pause_s = 0.0 if self._read_s is None else now_s - self._read_s
        self._read_s = now_s
        self.seconds = max(self._shortest_s, _KEPT * self.seconds, min(MAX_IDLE_S, 2 * pause_s))
