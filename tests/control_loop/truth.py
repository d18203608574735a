"""A checker that knows the truth: each telegram has a power of its own, so an answer says of which telegram it is.

An answer is wrong where no telegram had this power, where its telegram was older than the limit when it was asked for,
where the server was started after the telegram, and where the same client has had a newer one before. An answer is
missing where the server could have given one; a busy machine misses some.
"""

from bisect import bisect_right
from collections import Counter
from math import inf

# telegrams of one run: one a second for most of a day
FIRST_W, LAST_W = 101, 60_000
# on a machine that is not busy
LATE_S = 0.5


class Truth:
    """`wrong` and `missing` are sentences; `oldest_s` is the highest age of an answer when it came.

    `late_s`: how late a busy machine may be from the telegram on the wire to its record. Times are monotonic seconds.
    """

    def __init__(self, stale_after_s: float, late_s: float = LATE_S) -> None:
        self.wrong: list[str] = []
        self.missing: list[str] = []
        self.answers, self.refusals = Counter[str](), Counter[str]()
        self.oldest_s = 0.0
        self._stale_after_s, self._late_s = stale_after_s, late_s
        self._sent_s: list[float] = []
        self._started_s = self._moved_s = 0.0
        self._ready_s = inf
        self._newest: dict[str, int] = {}

    def next_power_w(self, now_s: float) -> int:
        """The power of a telegram that is sent now."""
        self._sent_s.append(now_s)
        return FIRST_W + len(self._sent_s) - 1

    def started(self, now_s: float) -> None:
        """The server is started now; it was not there before, and is not ready yet."""
        self._started_s, self._ready_s = now_s, inf

    def ready(self, now_s: float) -> None:
        """The server answers."""
        self._ready_s = now_s

    def stopped(self) -> None:
        self._ready_s = inf

    def clock_moved(self, until_s: float) -> None:
        """The wall clock of the server moves until then: an answer may be missing before the next telegram."""
        self._moved_s = until_s

    def check(self, client: str, asked_s: float, answered_s: float, power_w: float | None) -> None:
        """What a client was answered; None is no answer."""
        if power_w is None:
            self.refusals[client] += 1
            if self._should_answer(asked_s, answered_s):
                self.missing.append(f"{client}: none {asked_s - self._ready_s:.2f} s after the start")
            return
        self.answers[client] += 1
        number = round(power_w) - FIRST_W
        if not 0 <= number < len(self._sent_s):
            self.wrong.append(f"{client}: {power_w} W was never sent")
            return
        sent_s = self._sent_s[number]
        self.oldest_s = max(self.oldest_s, answered_s - sent_s)
        if asked_s - sent_s > self._stale_after_s + self._late_s:
            self.wrong.append(f"{client}: the telegram was {asked_s - sent_s:.2f} s old when it was asked for")
        if sent_s < self._started_s <= asked_s:
            self.wrong.append(f"{client}: a telegram from before the start of the server")
        if number < self._newest.get(client, 0):
            self.wrong.append(f"{client}: telegram {number} after {self._newest[client]}")
        self._newest[client] = number

    def _should_answer(self, asked_s: float, answered_s: float) -> bool:
        """Whether the server ran, and had a current telegram, from well before the question to the end."""
        newest = bisect_right(self._sent_s, asked_s - self._late_s) - 1
        if newest < 0 or self._sent_s[newest] < max(self._ready_s + self._late_s, self._moved_s):
            return False
        return answered_s - self._sent_s[newest] < self._stale_after_s - self._late_s
