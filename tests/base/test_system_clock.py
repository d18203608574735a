"""What the system says of its clock: on this computer, and on boards with and without a clock of their own."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from iskra_server.base.system_clock import FIRST_MOMENT_S, has_own_clock, synchronised_now


def test_the_checks_work_on_this_computer() -> None:
    assert synchronised_now() in (True, False, None)
    assert isinstance(has_own_clock(), bool)


def test_without_adjtimex_the_file_of_timesyncd_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda _: SimpleNamespace(adjtimex=lambda _: -1))
    marker = tmp_path / "synchronized"
    assert synchronised_now(marker) is None
    marker.touch()
    assert synchronised_now(marker) is True


@pytest.mark.parametrize(
    ("machine", "hctosys", "rtc_s", "has_own"),
    [
        ("x86_64", None, None, True),
        ("aarch64", None, None, False),
        ("armv7l", "0", FIRST_MOMENT_S, False),
        ("aarch64", "1", FIRST_MOMENT_S, True),
        # a Raspberry Pi 5 without a battery
        ("aarch64", "1", 40, False),
        ("aarch64", "1", None, False),
    ],
)
def test_a_board_has_a_clock_if_it_has_set_the_system_clock(
    tmp_path: Path, machine: str, hctosys: str | None, rtc_s: float | None, has_own: bool
) -> None:
    if hctosys is not None:
        (tmp_path / "rtc0").mkdir()
        (tmp_path / "rtc0/hctosys").write_text(f"{hctosys}\n")
    if rtc_s is not None:
        (tmp_path / "rtc0/since_epoch").write_text(f"{rtc_s:.0f}\n")
    assert has_own_clock(tmp_path, machine) is has_own
