"""The clocks of this program: boot time for arrivals and ages, the wall clock for what is written down.

Boot time (CLOCK_BOOTTIME) counts on while the computer is suspended, and nobody can set it. Where the system has none
(macOS), or where a hypervisor has paused the whole machine, it stands still as well: the only trace of the pause is
that the wall clock is ahead afterwards. So an age never says less than the wall clock's step forward allows.
"""

import time

# clocks are set by less all the time; a step is more
STEP_S = 60.0

if hasattr(time, "CLOCK_BOOTTIME"):

    def boottime_s() -> float:
        """Seconds since this computer started, suspension included; never goes back."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

else:
    boottime_s = time.monotonic


def wall_ahead_s() -> float:
    """How far the wall clock is ahead of boot time: the same for ever, until one is set or the other stood still."""
    return time.time() - boottime_s()


def unseen_s(ahead_then_s: float) -> float:
    """The time that may have passed unseen by boot time since the wall clock was ahead by `ahead_then_s`.

    0 unless the wall clock was set forward by a step. Who cannot tell a clock that was set right from a machine that
    was paused takes it for the pause: a value is then stale until the next telegram, which is a second or two.
    """
    step_s = wall_ahead_s() - ahead_then_s
    return step_s if step_s > STEP_S else 0.0
