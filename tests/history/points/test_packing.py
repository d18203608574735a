import struct
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from iskra_server.history.points.packing import (
    MAX_BYTES,
    Cursor,
    compress,
    decode_series,
    decompress,
    encode_series,
    is_storable,
)

INTEGERS = st.integers(-(1 << 63), (1 << 63) - 1)
# a step from one end to the other wraps around, and is short then
ENDS = st.integers(-(1 << 63), -(1 << 63) + 300) | st.integers((1 << 63) - 300, (1 << 63) - 1)


@given(st.lists(INTEGERS | ENDS | st.integers(-300, 300), min_size=1, max_size=50))
@example([-(1 << 63), (1 << 63) - 1])
@example([(1 << 63) - 1, -(1 << 63), -(1 << 63) + 40_000])
def test_a_series_decodes_to_what_was_encoded(values: list[int]) -> None:
    packed = encode_series(values)
    assert Cursor(packed).series(len(values)) == packed
    assert list(decode_series(packed, len(values))) == values


@pytest.mark.parametrize(
    ("values", "data"), [([7], 0), ([7, 7, 7], 0), ([7, 8, 6], 2), ([0, 128], 2), ([0, -128], 1), ([0, 1 << 40], 8)]
)
def test_a_step_is_as_wide_as_the_widest_needs(values: list[int], data: int) -> None:
    assert len(encode_series(values)) == 9 + data


@pytest.mark.parametrize(("value", "fits"), [((1 << 63) - 1, True), (1 << 63, False), (-(1 << 63), True)])
def test_a_number_of_64_bits_can_be_stored(value: int, fits: bool) -> None:
    assert is_storable(value) is fits


@given(st.binary(max_size=200))
def test_what_was_deflated_inflates_again(data: bytes) -> None:
    assert decompress(compress(data)) == data


@pytest.mark.parametrize(
    "data",
    [b"", b"points", compress(b"points")[:-1], compress(b"points") + b"!", zlib.compress(bytes(MAX_BYTES + 1))],
    ids=["nothing", "other", "cut off", "followed", "a bomb"],
)
def test_damaged_bytes_do_not_inflate(data: bytes) -> None:
    with pytest.raises(ValueError, match="the block of points is damaged"):
        decompress(data)


def test_a_cursor_reads_on_and_says_where_bytes_are_missing() -> None:
    cursor = Cursor(struct.pack("<4HB", 3, 4, 5, 6, 7))
    assert (cursor.numbers("<H"), cursor.read(1), list(cursor.rows("<xB", 2))) == ((3,), b"\4", [(5,), (6,)])
    assert cursor.read(1) == b"\0"
    with pytest.raises(ValueError, match="ends too early"):
        cursor.numbers("<H")
    with pytest.raises(ValueError, match="bytes follow its end"):
        cursor.end()


def test_a_width_that_no_number_has_is_damage() -> None:
    with pytest.raises(ValueError, match="3 bytes"):
        Cursor(struct.pack("<qB", 0, 3) + bytes(30)).series(4)
