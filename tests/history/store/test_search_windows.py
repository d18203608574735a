"""Periods that together hold all that was asked for, the likeliest first."""

from itertools import pairwise

import pytest

from iskra_server.history.store.search_windows import Window, windows_before, windows_from

DAY = 96


@pytest.mark.parametrize(("moment", "heard"), [(1000, 900), (1000, 5000), (2**31 - 1, 900), (-5, 900)])
def test_windows_hold_all_before_a_moment_and_all_of_a_meter_from_it_on(moment: int, heard: int) -> None:
    before = list(windows_before(moment, heard, DAY))
    assert (before[0][1], before[-1][0]) == (moment, None)
    assert all(later[0] == earlier[1] for later, earlier in pairwise(before))
    after = list(windows_from(moment, heard, DAY))
    assert (after[0][0], after[-1][1]) == (max(moment, heard - DAY), None)
    assert all(earlier[1] == later[0] for earlier, later in pairwise(after))
    assert not [window for window in before + after if is_empty(window)]


def is_empty(window: Window) -> bool:
    first, end = window
    return first is not None and end is not None and first >= end


def test_the_month_in_which_a_meter_was_heard_comes_first() -> None:
    assert next(windows_before(1_000_000, 1_000_000, DAY)) == (1_000_000 - 31 * DAY, 1_000_000)
    # what may lie later than it was heard, and then its last month
    assert list(windows_before(1_000_000, 500_000, DAY))[:2] == [
        (500_192, 1_000_000),
        (500_192 - 31 * DAY, 500_192),
    ]
    # nothing lies before it was heard
    assert next(windows_from(-1, 500_000, DAY)) == (499_904, 499_904 + 31 * DAY)
