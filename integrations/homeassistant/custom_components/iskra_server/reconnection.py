"""When to connect again. Pure; times are those of a monotonic clock, in seconds."""

from __future__ import annotations

from typing import Final

# a shorter stream is a failure as well, or a proxy that ends each of them would be asked without a pause
STEADY_S: Final = 10.0
_MAX_DELAY_S: Final = 60.0


class Reconnection:
    """Tell it of everything that arrives, and of each end."""

    def __init__(self) -> None:
        self._failures = 0
        self._began_s: float | None = None

    def on_arrival(self, now_s: float) -> None:
        if self._began_s is None:
            self._began_s = now_s

    def delay_s(self, now_s: float) -> float:
        """After the end of a connection, or without one: 0.0 for at once, as after a reload of the server."""
        if self._began_s is not None and now_s - self._began_s >= STEADY_S:
            self._failures = 0
        self._began_s = None
        self._failures += 1
        return float(min(2.0**self._failures, _MAX_DELAY_S)) if self._failures > 1 else 0.0
