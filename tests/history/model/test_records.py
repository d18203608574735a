from decimal import Decimal
from typing import get_args

import pytest

from iskra_server.history.model.records import QUALITIES, Exact, Quality, quarter_of


def test_a_counter_keeps_every_digit() -> None:
    assert (Exact(107323090, -1).decimal, Exact(7167, 3).decimal) == (Decimal("10732309.0"), Decimal(7167000))


@pytest.mark.parametrize(("unix_s", "quarter"), [(0.0, 0), (899.999, 0), (900.0, 1), (1763805600.0, 1959784)])
def test_a_quarter_begins_at_its_boundary(unix_s: float, quarter: int) -> None:
    assert quarter_of(unix_s) == quarter


def test_every_quality_has_its_place_in_the_database() -> None:
    assert QUALITIES == get_args(Quality) == ("measured", "interpolated")
