"""What the operating system says of its clock: whether it is synchronised, and was right when the computer started."""

import ctypes
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

# this program is newer than any earlier time
FIRST_MOMENT_S = datetime(2026, 1, 1, tzinfo=UTC).timestamp()

_RTC = Path("/sys/class/rtc")
# systemd-timesyncd creates it when it has set the clock; a reboot removes it
_TIMESYNCD = Path("/run/systemd/timesync/synchronized")
# their firmware provides the time at boot; other boards have a clock only if one is wired to them
_FIRMWARE = ("x86", "i386", "i686", "amd64", "s390", "ppc")
# struct timex of adjtimex(2): STA_UNSYNC in its field status
_STA_UNSYNC = 0x40
_TIMEX_BYTES, _STATUS_AT = 512, (40 if ctypes.sizeof(ctypes.c_long) == 8 else 20)


def synchronised_now(timesyncd: Path = _TIMESYNCD) -> bool | None:
    """Whether the kernel reports its clock as synchronised; None where it is unknown.

    A sandbox may forbid adjtimex(2); then systemd-timesyncd's file says whether it has set the clock since boot.
    """
    timex = ctypes.create_string_buffer(_TIMEX_BYTES)
    try:
        status = ctypes.CDLL(None).adjtimex(timex)
    except (AttributeError, OSError):
        status = -1
    if status == -1:
        return timesyncd.exists() or None
    return not int.from_bytes(timex.raw[_STATUS_AT : _STATUS_AT + 4], sys.byteorder) & _STA_UNSYNC


def has_own_clock(rtc: Path = _RTC, machine: str = "") -> bool:
    """Whether this computer knew the time at boot: from a clock with a battery, or from its host."""
    if os.name != "posix" or not Path("/proc").exists():
        return True
    if (machine or platform.machine()).startswith(_FIRMWARE):
        return True
    return any(_has_set_system_clock(clock) for clock in rtc.glob("rtc*"))


def _has_set_system_clock(clock: Path) -> bool:
    """A Raspberry Pi 5 without a battery for its clock also sets the system clock, to 1970."""
    try:
        has_set = (clock / "hctosys").read_text().strip() == "1"
        return has_set and int((clock / "since_epoch").read_text()) >= FIRST_MOMENT_S
    except (OSError, ValueError):
        return False
