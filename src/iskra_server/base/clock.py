"""The two clocks: boot time for arrivals and ages, wall clock for recorded times; and whether to trust the wall clock.

Boot time (CLOCK_BOOTTIME) runs on while the computer is suspended, and nobody can set it. Where the system has none
(macOS), or where a hypervisor pauses the whole machine, boot time stands still too; then the only trace of the pause
is that the wall clock is ahead afterwards. So an age always includes a step of the wall clock forward.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from iskra_server.base.system_clock import FIRST_MOMENT_S, has_own_clock, synchronised_now

# time synchronisation corrects by less than this all the time; more is a step
STEP_S = 60.0
# after a step, a clock that was trusted is trusted again when it has not been set for this long
SETTLE_S = 120.0
# a computer without a hardware clock and without time synchronisation: after this, nobody will set its clock
WAIT_S = 86_400.0
DAY_S = 86_400.0

# why the wall clock is not trusted: not set since boot; set by a step; earlier than a recorded time;
# stood still while a meter counted on
Doubt = Literal["unset", "stepped", "behind", "stood"]

log = logging.getLogger(__name__)

if hasattr(time, "CLOCK_BOOTTIME"):

    def boottime_s() -> float:
        """Seconds since this computer started, suspension included; never goes back."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

else:
    boottime_s = time.monotonic


def wall_ahead_s() -> float:
    """Wall clock minus boot time; constant until the wall clock is set or boot time stands still."""
    return time.time() - boottime_s()


def possible_pause_s(ahead_then_s: float) -> float:
    """Upper bound of a pause that boot time has not counted since the wall clock was ahead by `ahead_then_s`.

    0 unless the wall clock made a step forward. A corrected clock and a paused machine look the same here; we assume
    the pause, so that at worst a value is stale until the next telegram, a second or two later.
    """
    step_s = wall_ahead_s() - ahead_then_s
    return step_s if step_s > STEP_S else 0.0


class Step(NamedTuple):
    """The clock is trusted again and shows `to_s` where `from_s` was expected (Unix seconds)."""

    from_s: float
    to_s: float
    reason: Doubt


class Clock:
    """The wall clock: whether it can be trusted, and by how much it was set.

    Judged by pairs of both clocks: of each arriving telegram (`observe`), and of now (`update`).
    """

    def __init__(
        self,
        *,
        wall_s: Callable[[], float] = time.time,
        boot_s: Callable[[], float] = boottime_s,
        synchronised: Callable[[], bool | None] | None = None,
        has_own: bool | None = None,
    ) -> None:
        self._wall_now_s, self._boot_now_s = wall_s, boot_s
        self._synchronised = synchronised or synchronised_now
        self._has_own = has_own_clock() if has_own is None else has_own
        self._wall_s = self._boot_s = 0.0
        self._ahead_s: float | None = None
        # ahead_s before the last step while trusted, and at the last `pop_step`
        self._trusted_ahead_s = self._popped_ahead_s = 0.0
        self._first_boot_s = 0.0
        self._stepped_at_s: float | None = None
        self._settling_from_s: float | None = None
        self._recorded_s = 0.0
        self._checked_at_s = -DAY_S
        self._was_synchronised: bool | None = None
        self._was_set = self._stood_still = False
        self._reason: Doubt = "stepped"

    @property
    def ahead_s(self) -> float:
        """Wall clock minus boot time, at the last observation."""
        return self._ahead_s or 0.0

    @property
    def wall_s(self) -> float:
        """Unix seconds, at the last observation."""
        return self._wall_s

    def update(self) -> None:
        self.observe(self._wall_now_s(), self._boot_now_s())

    def observe(self, wall_s: float, boot_s: float) -> None:
        """Both clocks at the same moment; call in the order of time."""
        ahead_s = wall_s - boot_s
        if self._ahead_s is None:
            self._popped_ahead_s, self._first_boot_s = ahead_s, boot_s
        elif abs(ahead_s - self._ahead_s) > STEP_S:
            self._handle_step(ahead_s, wall_s, boot_s)
        self._ahead_s, self._wall_s, self._boot_s = ahead_s, wall_s, boot_s

    def doubt(self) -> Doubt | None:
        """Why the clock is not trusted; None while it is."""
        doubt = self._doubt()
        if doubt is not None:
            self._reason = doubt
        return doubt

    def note_recorded(self, moment_s: float) -> None:
        """History has a record of this time (Unix seconds): a clock that shows an earlier one is behind.

        Then only time synchronisation can tell which of both was wrong; otherwise the clock is trusted once it has
        passed that time. A record more than a day ahead counts as written by a clock that ran ahead, and is ignored.
        """
        self._recorded_s = moment_s

    def note_standstill(self) -> None:
        """More time has passed on a meter's own clock than on the wall clock."""
        if not self._stood_still:
            log.warning("More time has passed on the meter's clock than on the clock of this computer.")
        self._stood_still = True

    def accept_step(self) -> None:
        """Trust the clock after a step that a meter's clock made too: boot time stood still, the step is right."""
        self._stepped_at_s = None
        self._was_set = True

    def restart_settling(self) -> None:
        """After a long gap in history: `is_settled` only after another day of boot time."""
        self._settling_from_s = self._boot_s

    @property
    def is_settled(self) -> bool:
        """Whether old data may be deleted by this clock: trusted, and not set for a day of boot time."""
        from_s = self._settling_from_s
        return self.doubt() is None and (from_s is None or self._boot_s - from_s >= DAY_S)

    def pop_step(self) -> Step | None:
        """Once, when the clock is trusted again: its step since it was trusted last; None where there was none."""
        if self._ahead_s is None or self.doubt() is not None:
            return None
        before_s, self._popped_ahead_s = self._popped_ahead_s, self._ahead_s
        if abs(self._ahead_s - before_s) <= STEP_S:
            return None
        return Step(self._boot_s + before_s, self._wall_s, self._reason)

    def _handle_step(self, ahead_s: float, wall_s: float, boot_s: float) -> None:
        log.warning("The clock of this computer was set from %s to %s.", _utc(boot_s + self.ahead_s), _utc(wall_s))
        was_trusted, self._settling_from_s = self._doubt() is None, boot_s
        was_synchronised, self._checked_at_s = self._was_synchronised, -DAY_S
        set_by_network = was_synchronised is False and self._is_synchronised() is True
        if was_trusted:
            self._trusted_ahead_s = self.ahead_s
        if not was_trusted and self._stepped_at_s is None:
            # this is the correction that it was waiting for
            self._was_set, self._stood_still = True, False
        elif set_by_network or abs(ahead_s - self._trusted_ahead_s) <= STEP_S:
            self._stepped_at_s = None
        else:
            self._stepped_at_s = boot_s

    def _doubt(self) -> Doubt | None:
        is_synchronised = self._is_synchronised()
        if self._wall_s < FIRST_MOMENT_S:
            return "unset"
        if self._stepped_at_s is not None and self._boot_s - self._stepped_at_s < SETTLE_S:
            return "stepped"
        self._stepped_at_s = None
        if is_synchronised:
            return None
        if self._wall_s + STEP_S < self._recorded_s <= self._wall_s + DAY_S:
            return "behind"
        if self._stood_still and self._boot_s - self._first_boot_s < WAIT_S:
            return "stood"
        # WAIT_S since boot: a restart of this program alone does not wait again
        is_set = self._has_own or self._was_set or self._boot_s >= WAIT_S
        return None if is_set else "unset"

    def _is_synchronised(self) -> bool | None:
        """Checked at most once a second: a thousand meters send more telegrams than that."""
        if self._boot_s - self._checked_at_s >= 1.0:
            self._checked_at_s, self._was_synchronised = self._boot_s, self._synchronised()
        return self._was_synchronised


def _utc(at_s: float) -> str:
    try:
        return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f"{at_s:.0f} s after 1970"
