import pytest

from iskra_server.history.model.records import PointBlock
from iskra_server.history.points.blocks import block_of
from iskra_server.history.points.points import Point, pack
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register
from iskra_server.meter.units import WATT
from samples import METER_ID, energy, power


def test_a_block_is_packed_and_tells_its_power() -> None:
    points = [Point(at_ms, (energy(5), power(watts))) for at_ms, watts in ((1999, 40), (2999, -7), (4000, 10))]
    assert block_of(METER_ID, points) == PointBlock(METER_ID, 1, 4, 3, pack(points), -7000, 14_333, 40_000)


def test_telegrams_without_power_do_not_count_in_its_mean() -> None:
    points = [Point(1000, (power(40),)), Point(2000, (energy(5),)), Point(3000, (power(-20),))]
    block = block_of(METER_ID, points)
    assert (block.count, block.min_mw, block.mean_mw, block.max_mw) == (3, -20_000, 10_000, 40_000)


@pytest.mark.parametrize("register", [energy(5), Register(Obis.parse("16.7.0"), 5, 127, WATT)])
def test_without_power_there_is_none(register: Register) -> None:
    block = block_of(METER_ID, [Point(1000, (register,))])
    assert (block.min_mw, block.mean_mw, block.max_mw) == (None, None, None)


def test_a_clock_that_went_back_does_not_turn_a_block_around() -> None:
    block = block_of(METER_ID, [Point(9000, ()), Point(4000, ())])
    assert (block.first_s, block.last_s) == (4, 9)
