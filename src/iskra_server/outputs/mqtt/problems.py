"""Whether a meter has a problem: a failed check of its source that lasts. A telegram that comes late is none.

A locked meter is none either: it is read, and has an entity of its own for its lock.
"""

from msgspec import Struct

from iskra_server.diagnosis.status import Status

FAULT, RECOVERED = "fault", "recovered"
# a first telegram may come after 10 s, and at the second speed that a port tries
APPEARS_AFTER_S = 20.0
# a fault that comes and goes is one
GONE_AFTER_S = 30.0
_OF_ITS_OWN = "unlocked"


class LastingProblem(Struct):
    """Of one meter. `is_on` is None while that is not decided: its source has just started.

    `since_s`: for how long the checks have had their present result, in boot time.
    """

    is_on: bool | None = None
    fails: bool | None = None
    since_s: float = 0.0

    def observe(self, status: Status, now_s: float) -> str | None:
        """The event of a change, FAULT or RECOVERED; None without one."""
        fails = has_failed(status)
        if fails != self.fails:
            self.fails, self.since_s = fails, now_s
        lasts_s = now_s - self.since_s
        if fails and not self.is_on and lasts_s >= APPEARS_AFTER_S:
            self.is_on = True
            return FAULT
        if not fails and self.is_on and lasts_s >= GONE_AFTER_S:
            self.is_on = False
            return RECOVERED
        if not fails and self.is_on is None:
            self.is_on = False
        return None


def has_failed(status: Status) -> bool:
    return any(check.state == "failed" and check.name != _OF_ITS_OWN for check in status.checks)
