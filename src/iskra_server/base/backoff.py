"""How long to wait before the next attempt: exponential back-off with jitter."""

import random
from collections.abc import Callable


class Backoff:
    """Delays that double from `first_s` up to `max_s`, until an attempt succeeds.

    `jitter` is the share of each delay that is random: 0 none, 0.5 "equal jitter", 1 "full jitter". Without it a
    thousand readers that lose their broker at the same moment would all come back at the same moment.
    `uniform` gives numbers from 0 to 1. `failures` counts the delays since the last `reset`.
    """

    def __init__(
        self, first_s: float, max_s: float, jitter: float = 0.5, uniform: Callable[[], float] = random.random
    ) -> None:
        self.failures = 0
        self._first_s, self._max_s = first_s, max_s
        self._jitter, self._uniform = jitter, uniform

    def next_s(self) -> float:
        """Count a failure; the seconds to wait after it."""
        # 2**1024 is no float
        delay_s = min(self._max_s, self._first_s * 2.0 ** min(self.failures, 100))
        self.failures += 1
        return delay_s * (1 - self._jitter * self._uniform())

    def reset(self) -> None:
        """An attempt has succeeded: the next failure waits `first_s` again."""
        self.failures = 0
