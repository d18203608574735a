"""A clock that is set differently for a program that a test starts: libfaketime, of the Debian package faketime."""

from pathlib import Path

_LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
MISSING = None if _LIBRARY else "needs the Debian package faketime"


def other_clock(**settings: str) -> dict[str, str]:
    """Its environment: `FAKETIME` is the moment or the difference, `FAKETIME_TIMESTAMP_FILE` a file that has it.

    Time spans and the times of files are ours, and it leaves alone how threads wait for each other: it would make them
    ask again and again, and run at a fiftieth of their speed.
    """
    return {
        "LD_PRELOAD": str(_LIBRARY),
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        "NO_FAKE_STAT": "1",
        **settings,
    }
