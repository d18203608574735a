import random
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iskra_server.codecs.sml.decoder import SmlDecoder
from iskra_server.history.model.records import PointBlock
from iskra_server.history.points.packing import compress
from iskra_server.history.points.points import (
    MAX_POINTS,
    MAX_REGISTERS,
    VERSION,
    Point,
    block_of,
    pack,
    point_of,
    read_column,
    unpack,
)
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading, Register
from iskra_server.meter.units import WATT, WATT_HOUR, Unit
from iskra_server.simulator.simulated_source import telegrams
from samples import IMPORT, METER_ID, POWER, energy, power, sample

RAW = st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(-300, 300)
REGISTERS = st.builds(
    Register,
    st.sampled_from([IMPORT, POWER, Obis.parse("31.7.0")]),
    RAW,
    st.sampled_from([None, -3, -1, 0, 3]),
    st.sampled_from([None, WATT_HOUR, Unit(0)]),
)
POINTS = st.lists(
    st.builds(Point, st.integers(0, 1 << 42), st.lists(REGISTERS, max_size=6).map(tuple)), min_size=1, max_size=20
)


@cache
def simulated(count: int, profile: str = "MT175") -> list[Point]:
    """A telegram a second, arriving up to 30 ms late."""
    begin, late = datetime(2026, 11, 22, 19, tzinfo=UTC), random.Random(1)
    decoder = SmlDecoder()
    readings = (
        result
        for telegram in islice(telegrams(profile, start=begin), count)
        for result in decoder.feed(telegram)
        if isinstance(result, Reading)
    )
    return [
        point_of(sample(*reading.registers, at_s=second + late.randint(0, 30) / 1000))
        for second, reading in enumerate(readings)
    ]


def spoilt(change: Callable[[bytearray], object]) -> bytes:
    """A block that was damaged before it was deflated: its checksum is right."""
    data = pack(simulated(30))
    body = bytearray(zlib.decompress(data[1:]))
    change(body)
    return data[:1] + zlib.compress(bytes(body))


def test_a_point_is_the_numbers_of_a_telegram_in_its_order() -> None:
    maker = Register(Obis.parse("129-129:199.130.3"), b"ISK")
    switch = Register(Obis.parse("0-0:96.3.10"), True)
    point = point_of(sample(maker, energy(123), switch, power(-40), at_s=1.2345))
    assert point == Point(1795341601234, (Register(IMPORT, 123, -1, WATT_HOUR), power(-40)))


def test_a_number_that_no_meter_has_is_left_out() -> None:
    point = point_of(sample(energy(1 << 63), energy(1, scaler=1 << 15), power(7)))
    assert point.registers == (power(7),)
    assert len(point_of(sample(*[power(7)] * 200)).registers) == MAX_REGISTERS


@given(POINTS)
def test_a_block_gives_back_every_point(points: list[Point]) -> None:
    assert unpack(pack(points)) == points


def test_a_register_may_appear_and_vanish_within_a_block() -> None:
    locked, open_ = (energy(12, 3),), (energy(123456, -1), power(321))
    points = [Point(at, registers) for at, registers in enumerate((locked, locked, open_, locked, open_))]
    points = [Point(p.at_ms, tuple(Register(r.obis, r.raw, r.scaler, r.unit) for r in p.registers)) for p in points]
    data = pack(points)
    assert unpack(data) == points
    assert read_column(data, POWER) == [(2, 321, 0), (4, 321, 0)]
    coarse, fine = (12, 3), (123456, -1)
    assert [row[1:] for row in read_column(data, IMPORT)] == [coarse, coarse, fine, coarse, fine]
    assert read_column(data, Obis.parse("2.8.0")) == []


@given(POINTS)
def test_a_column_equals_the_values_of_the_points(points: list[Point]) -> None:
    points = [Point(point.at_ms, tuple({r.obis: r for r in point.registers}.values())) for point in points]
    expected = [(p.at_ms, r.raw, r.scaler or 0) for p in points for r in p.registers if r.obis == POWER]
    assert read_column(pack(points), POWER) == expected


def test_a_minute_costs_about_six_bytes_a_telegram_and_a_quarter_three() -> None:
    points = simulated(900)
    minutes = sum(len(pack(points[begin : begin + 60])) for begin in range(0, 900, 60))
    assert len(points[0].registers) == 10
    assert minutes < 6 * 900
    assert len(pack(points)) < 3 * 900


@pytest.mark.parametrize("count", [0, MAX_POINTS + 1])
def test_a_block_has_its_limits(count: int) -> None:
    with pytest.raises(ValueError, match=f"1 to {MAX_POINTS} points, not {count}"):
        pack([Point(0, ())] * count)


def test_a_value_that_does_not_fit_64_bits_is_not_packed() -> None:
    for register in (energy(1 << 63), Register(IMPORT, b"x"), energy(1, scaler=1 << 15)):
        with pytest.raises(ValueError, match=r"1-0:1\.8\.0\*255 carries no number"):
            pack([Point(0, (register,))])
    with pytest.raises(ValueError, match="128 registers of a telegram at most"):
        pack([Point(0, (power(1),) * (MAX_REGISTERS + 1))])


def test_a_block_without_points_is_damaged() -> None:
    with pytest.raises(ValueError, match="it counts more than a block holds"):
        unpack(bytes((VERSION,)) + compress(bytes(16) + b"\1"))


def test_a_block_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="its version is not 1"):
        unpack(bytes((VERSION + 1,)) + pack([Point(0, ())])[1:])


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.__setitem__(slice(0, 2), b"\0\0"),
        lambda body: body.__setitem__(slice(0, 2), b"\xff\xff"),
        lambda body: body.__setitem__(slice(0, 2), b"\x1f\0"),
        lambda body: body.__setitem__(slice(2, 4), b"\xff\xff"),
        lambda body: body.__setitem__(slice(108, 109), b"\xff"),
        lambda body: body.__setitem__(slice(109, 111), b"\x05\0"),
        lambda body: body.__setitem__(slice(109, 111), b"\x0b\0"),
        lambda body: body.__setitem__(slice(129, 131), b"\1\0"),
        lambda body: body.pop(),
        lambda body: body.append(0),
    ],
    ids=[
        "no points",
        "too many points",
        "one point more",
        "too many columns",
        "too wide a layout",
        "a column twice",
        "no such column",
        "no such layout",
        "a byte less",
        "a byte more",
    ],
)
def test_damage_within_a_block_is_a_value_error(change: Callable[[bytearray], object]) -> None:
    with pytest.raises(ValueError, match="damaged"):
        unpack(spoilt(change))


@settings(max_examples=300)
@given(st.data())
def test_damage_anywhere_is_a_value_error_or_gives_points(choose: st.DataObject) -> None:
    def change(body: bytearray) -> None:
        for _ in range(choose.draw(st.integers(1, 3))):
            body[choose.draw(st.integers(0, len(body) - 1))] = choose.draw(st.integers(0, 255))

    data = spoilt(change)
    try:
        points = unpack(data)
    except ValueError as error:
        assert "the block of points is damaged" in str(error)
    else:
        assert len(points) <= MAX_POINTS
        read_column(data, POWER)


@given(st.binary(max_size=100))
def test_other_bytes_are_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="the block of points is damaged"):
        unpack(data)


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
