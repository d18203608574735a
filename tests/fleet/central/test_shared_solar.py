"""Par. 42b EnWG: what is generated is conserved in every quarter, to the last unit."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iskra_server.fleet.central.shared_solar import dynamic_shares, static_key, static_shares

ENERGY = st.integers(0, 10**9)
HOUSE = st.lists(ENERGY, min_size=1, max_size=30)
TURN = st.integers(0, 3_000_000)


def test_the_dynamic_key_follows_consumption() -> None:
    assert dynamic_shares(600, [100, 200, 900], 0) == [50, 100, 450]
    # more sun than use: everybody gets all, the rest is surplus
    assert dynamic_shares(5000, [100, 200, 900], 0) == [100, 200, 900]
    assert dynamic_shares(600, [0, 0], 0) == [0, 0]
    assert dynamic_shares(0, [5, 7], 0) == [0, 0]


def test_the_static_key_leaves_what_one_does_not_use_as_surplus() -> None:
    key = static_key([Decimal("0.5"), Decimal("0.25"), Decimal("0.25")])
    shares = static_shares(1000, [100, 400, 250], key, 0)
    assert shares == [100, 250, 250]
    assert 1000 - sum(shares) == 400
    # a part of the plant that nobody has is surplus too
    assert static_shares(1000, [900, 900], static_key([Decimal("0.1"), Decimal("0.2")]), 0) == [100, 200]


def test_units_that_are_left_go_to_the_largest_remainders() -> None:
    # 10 x 1/6, 2/6, 3/6 = 1.67, 3.33, 5
    assert dynamic_shares(10, [100, 200, 300], 0) == [2, 3, 5]
    third = static_key([Decimal("0.33")] * 3)
    # 3.3 each are 9.9: nine units, not ten
    assert sum(static_shares(10, [99] * 3, third, 0)) == 9


def test_of_equal_remainders_everybody_is_first_in_turn() -> None:
    got = [dynamic_shares(1, [7, 7, 7], turn) for turn in range(3)]
    assert sorted(got) == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]


@pytest.mark.parametrize(("parts", "sentence"), [(["0.6", "0.5"], "add up to 1.1"), (["-0.1"], "negative")])
def test_a_key_that_gives_more_than_there_is_is_an_error(parts: list[str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        static_key(list(map(Decimal, parts)))


@given(generation=ENERGY, consumption=HOUSE, turn=TURN)
def test_the_dynamic_key_conserves(generation: int, consumption: list[int], turn: int) -> None:
    shares = dynamic_shares(generation, consumption, turn)
    total = sum(consumption)
    assert sum(shares) == min(generation, total)
    for share, used in zip(shares, consumption, strict=True):
        assert 0 <= share <= used
        assert not total or abs(share - Fraction(min(generation, total) * used, total)) < 1


@given(generation=ENERGY, consumption=HOUSE, turn=TURN, data=st.data())
def test_the_static_key_conserves(generation: int, consumption: list[int], turn: int, data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.integers(0, 500), min_size=len(consumption), max_size=len(consumption)))
    parts = [Decimal(weight) / Decimal(500 * len(weights)) for weight in weights]
    # divisions by 3 are cut: the key is what was written
    shares = static_shares(generation, consumption, static_key(parts), turn)
    surplus = generation - sum(shares)
    assert surplus >= 0
    for share, used, part in zip(shares, consumption, parts, strict=True):
        assert 0 <= share <= used
        assert abs(share - min(Fraction(used), Fraction(part) * generation)) < 1
