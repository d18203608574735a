"""The clocks of this program: boot time for arrivals and ages, the wall clock for what is written down.

Boot time (CLOCK_BOOTTIME) counts on while the computer is suspended, and nobody can set it. Where the system has none
(macOS), or where a hypervisor has paused the whole machine, it stands still as well: the only trace of the pause is
that the wall clock is ahead afterwards. So an age never says less than the wall clock's step forward allows.
"""

import asyncio
import ctypes
import logging
import os
import platform
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

# clocks are set by less all the time; a step is more
STEP_S = 60.0
# a clock that was believed and is then set is believed again when it has stayed so for so long
SETTLE_S = 120.0
# without a clock of its own and without time synchronisation: nobody will set it any more
WAIT_S = 86_400.0
DAY_S = 86_400.0
# a loop that did not run for so long was frozen, and what waited is read within so long afterwards
BEAT_S, FROZEN_S, BURST_S = 1.0, 4.0, 2.0
# this program was not there before
FIRST_MOMENT_S = datetime(2026, 1, 1, tzinfo=UTC).timestamp()

# not set since this computer started; set while it was believed; says what is past; stood still while a meter counted
Doubt = Literal["unset", "stepped", "behind", "stood"]

_RTC = Path("/sys/class/rtc")
# made by systemd-timesyncd when it has set the clock; gone after a reboot
_TIMESYNCD = Path("/run/systemd/timesync/synchronized")
# their firmware gives the time at the start; boards of other kinds have a clock only where one is wired to them
_FIRMWARE = ("x86", "i386", "i686", "amd64", "s390", "ppc")
_UNSYNCHRONISED = 0x40
_NOT_TOLD = -1
_TIMEX_BYTES, _STATUS_AT = 512, (40 if ctypes.sizeof(ctypes.c_long) == 8 else 20)

log = logging.getLogger(__name__)

if hasattr(time, "CLOCK_BOOTTIME"):

    def boottime_s() -> float:
        """Seconds since this computer started, suspension included; never goes back."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

else:
    boottime_s = time.monotonic


def wall_ahead_s() -> float:
    """How far the wall clock is ahead of boot time: the same for ever, until one is set or the other stood still."""
    return time.time() - boottime_s()


def possible_pause_s(ahead_then_s: float) -> float:
    """The time that may have passed unseen by boot time since the wall clock was ahead by `ahead_then_s`.

    0 unless the wall clock was set forward by a step. Who cannot tell a clock that was set right from a machine that
    was paused takes it for the pause: a value is then stale until the next telegram, which is a second or two.
    """
    step_s = wall_ahead_s() - ahead_then_s
    return step_s if step_s > STEP_S else 0.0


class PauseDetector:
    """Notices when this process did not run: it was stopped, or the machine paused, or something held the loop up.

    What is read in the first moments afterwards may have waited since then.
    """

    def __init__(self, boot_s: Callable[[], float] = boottime_s) -> None:
        self._boot_s = boot_s
        self._beat_s: float | None = None
        self._frozen: tuple[float, float] | None = None

    async def run(self) -> None:
        while True:
            self.beat(self._boot_s())
            await asyncio.sleep(BEAT_S)

    def beat(self, now_s: float) -> None:
        if self._beat_s is not None and now_s - self._beat_s > FROZEN_S:
            log.warning(
                "This process did not run for %.0f s; what was sent meanwhile is read now.", now_s - self._beat_s
            )
            self._frozen = self._beat_s, now_s
        self._beat_s = now_s

    def waited_since_s(self, now_s: float) -> float | None:
        """Since when what is read now may have waited; None where it came just now."""
        if self._beat_s is None:
            return None
        self.beat(now_s)
        if self._frozen and now_s - self._frozen[1] <= BURST_S:
            return self._frozen[0]
        return None


class Step(NamedTuple):
    """The clock is believed, and shows `to_s` where `from_s` was expected (Unix seconds)."""

    from_s: float
    to_s: float
    reason: Doubt


class Clock:
    """The wall clock, whether it can be believed, and when it was set.

    It learns from pairs of both clocks: those of telegrams as they arrive, and its own look. What it is given as
    sources of time, of synchronisation and of a hardware clock can be others for a test.
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
        # by how much it was ahead before it was set, and when `step` was asked last
        self._believed_ahead_s = self._told_ahead_s = 0.0
        self._begun_s = 0.0
        self._settling_since_s: float | None = None
        self._unsettled_s: float | None = None
        self._lived_s = 0.0
        self._asked_s = -DAY_S
        self._was_synchronised: bool | None = None
        self._was_set = self._stood = False
        self._reason: Doubt = "stepped"

    @property
    def ahead_s(self) -> float:
        """By how much the wall clock is ahead of boot time."""
        return self._ahead_s or 0.0

    @property
    def wall_s(self) -> float:
        """What it said last."""
        return self._wall_s

    def update(self) -> None:
        self.observe(self._wall_now_s(), self._boot_now_s())

    def observe(self, wall_s: float, boot_s: float) -> None:
        """Both clocks at one moment, the older ones first."""
        ahead_s = wall_s - boot_s
        if self._ahead_s is None:
            self._told_ahead_s, self._begun_s = ahead_s, boot_s
        elif abs(ahead_s - self._ahead_s) > STEP_S:
            self._stepped(ahead_s, wall_s, boot_s)
        self._ahead_s, self._wall_s, self._boot_s = ahead_s, wall_s, boot_s

    def doubt(self) -> Doubt | None:
        """Why what the clock says is not to be believed; None while it is."""
        doubt = self._doubt()
        if doubt is not None:
            self._reason = doubt
        return doubt

    def note_recorded(self, moment_s: float) -> None:
        """History has recorded this moment: a clock that says an earlier one, by less than a day, is behind.

        Nobody but time synchronisation can tell then whether it was ahead before; else it waits until that moment has
        passed. What was recorded more than a day ahead, with nothing before it, was recorded by a clock that ran ahead.
        """
        self._lived_s = moment_s

    def note_standstill(self) -> None:
        """A meter counted on for longer than the wall clock says has passed."""
        if not self._stood:
            log.warning("The meter has counted on for longer than the clock of this computer.")
        self._stood = True

    def accept_step(self) -> None:
        """A meter counted on by as much as the wall clock was set forward: boot time stood still, both are right."""
        self._settling_since_s = None
        self._was_set = True

    def restart_settling(self) -> None:
        """Nothing that is older than a day by this clock is to be deleted before a day of running has gone by."""
        self._unsettled_s = self._boot_s

    @property
    def is_settled(self) -> bool:
        """Whether it is believed, and nobody has set it for a day of running."""
        unsettled_s = self._unsettled_s
        return self.doubt() is None and (unsettled_s is None or self._boot_s - unsettled_s >= DAY_S)

    def pop_step(self) -> Step | None:
        """By how much the clock is off where it was when it was believed last, once it is believed again; told once."""
        if self._ahead_s is None or self.doubt() is not None:
            return None
        before_s, self._told_ahead_s = self._told_ahead_s, self._ahead_s
        if abs(self._ahead_s - before_s) <= STEP_S:
            return None
        return Step(self._boot_s + before_s, self._wall_s, self._reason)

    def _stepped(self, ahead_s: float, wall_s: float, boot_s: float) -> None:
        log.warning("The clock of this computer was set from %s to %s.", _shown(boot_s + self.ahead_s), _shown(wall_s))
        was_believed, self._unsettled_s = self._doubt() is None, boot_s
        was_synchronised, self._asked_s = self._was_synchronised, -DAY_S
        set_by_network = was_synchronised is False and self._is_synchronised() is True
        if was_believed:
            self._believed_ahead_s = self.ahead_s
        if not was_believed and self._settling_since_s is None:
            # it waited for somebody to set it
            self._was_set, self._stood = True, False
        elif set_by_network or abs(ahead_s - self._believed_ahead_s) <= STEP_S:
            self._settling_since_s = None
        else:
            self._settling_since_s = boot_s

    def _doubt(self) -> Doubt | None:
        is_synchronised = self._is_synchronised()
        if self._wall_s < FIRST_MOMENT_S:
            return "unset"
        if self._settling_since_s is not None and self._boot_s - self._settling_since_s < SETTLE_S:
            return "stepped"
        self._settling_since_s = None
        if is_synchronised:
            return None
        if self._wall_s + STEP_S < self._lived_s <= self._wall_s + DAY_S:
            return "behind"
        if self._stood and self._boot_s - self._begun_s < WAIT_S:
            return "stood"
        # since this computer started: a restart of this program alone does not wait again
        is_set = self._has_own or self._was_set or self._boot_s >= WAIT_S
        return None if is_set else "unset"

    def _is_synchronised(self) -> bool | None:
        """Asked once a second: telegrams of a thousand meters come more often."""
        if self._boot_s - self._asked_s >= 1.0:
            self._asked_s, self._was_synchronised = self._boot_s, self._synchronised()
        return self._was_synchronised


def synchronised_now(timesyncd: Path = _TIMESYNCD) -> bool | None:
    """Whether the kernel says that its clock is set by the network; None where it does not tell.

    A sandbox may forbid to ask the kernel: then systemd-timesyncd tells if it has set the clock since the start.
    """
    timex = ctypes.create_string_buffer(_TIMEX_BYTES)
    try:
        status = ctypes.CDLL(None).adjtimex(timex)
    except (AttributeError, OSError):
        status = _NOT_TOLD
    if status == _NOT_TOLD:
        return timesyncd.exists() or None
    return not int.from_bytes(timex.raw[_STATUS_AT : _STATUS_AT + 4], sys.byteorder) & _UNSYNCHRONISED


def has_own_clock(rtc: Path = _RTC, machine: str = "") -> bool:
    """Whether this computer had the time when it started: from a clock with a battery, or from its host."""
    if os.name != "posix" or not Path("/proc").exists():
        return True
    if (machine or platform.machine()).startswith(_FIRMWARE):
        return True
    return any(_set_the_system(clock) for clock in rtc.glob("rtc*"))


def _set_the_system(clock: Path) -> bool:
    """A Raspberry Pi 5 without the battery for its clock sets the system as well, to 1970."""
    try:
        has_set = (clock / "hctosys").read_text().strip() == "1"
        return has_set and int((clock / "since_epoch").read_text()) >= FIRST_MOMENT_S
    except (OSError, ValueError):
        return False


def _shown(at_s: float) -> str:
    try:
        return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f"{at_s:.0f} s after 1970"
