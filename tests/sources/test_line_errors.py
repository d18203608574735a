import fcntl
import os

import pytest

from iskra_server.sources.line_errors import LineErrors, counted
from sources.driver import Driver


def test_framing_errors_and_breaks_and_both_kinds_of_overruns_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "ioctl", Driver().ioctl)
    assert counted(0) == LineErrors(framing=7 + 1, overruns=5 + 2)


def test_a_driver_that_counts_nothing_says_so() -> None:
    near, far = os.openpty()
    assert counted(far) is None
    os.close(near)
    os.close(far)
    assert counted(far) is None
