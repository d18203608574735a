"""A UART's view of another speed; the pictures of SML's start mark were worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iskra_server.codecs.wire import received

START = bytes.fromhex("1b1b1b1b01010101")


@given(st.binary(max_size=40))
def test_at_its_own_speed_everything_is_seen_as_sent(data: bytes) -> None:
    assert received(data, 9600) == data
    assert received(data, 9600, resyncs=False) == data


@pytest.mark.parametrize(
    ("speed", "picture"),
    [
        # 0 11011000 1 with each bit doubled begins 00 1111 0011: start 0, bits 0 1111 001, stop 1
        (4800, "9e60"),
        # each bit four times: 0000 11111111: start 0, bits 000 11111
        (2400, "f8f8"),
        # each bit eight times: a low start and seven low bits, then one high
        (1200, "8080"),
        # every other bit: 0 1 1 0 ...
        (19200, "5a5a"),
    ],
)
def test_the_start_mark_at_another_speed(speed: int, picture: str) -> None:
    assert received(START, speed).hex().startswith(picture)


@given(st.binary(max_size=40), st.sampled_from([300, 2400, 38_400, 115_200]))
def test_a_reader_that_knows_the_parity_reads_everything(data: bytes, speed: int) -> None:
    assert received(data, speed, has_parity=True, read_at=speed, reads_parity=True) == data


def test_an_unexpected_parity_bit_is_a_missing_stop_bit() -> None:
    # two bits are set: the parity bit is 0, and a chip that waits for an idle line loses nothing but this bit
    assert received(b"\x03", 2400, has_parity=True, read_at=2400) == b"\x03"
    # a chip that goes on takes it as the next start bit, with the stop bit and the idle line as its bits
    assert received(b"\x03", 2400, has_parity=True, read_at=2400, resyncs=False) == b"\x03\xff"


@pytest.mark.parametrize(("speed", "read_at"), [(9600, 115_200), (2400, 38_400), (300, 9600)])
def test_a_reader_that_is_far_too_fast_sees_no_single_bits(speed: int, read_at: int) -> None:
    assert set(received(START, speed, read_at=read_at)) <= {0x00, 0x80, 0xC0, 0xE0, 0xF0, 0xF8, 0xFC, 0xFE, 0xFF}


@pytest.mark.parametrize("speed", [300, 600])
def test_far_slower_is_nothing_but_zeros(speed: int) -> None:
    assert set(received(START, speed)) == {0}


def test_upside_down_is_not_the_complement() -> None:
    picture = received(START, 9600, is_inverted=True)
    assert picture.strip(b"\0") != bytes(byte ^ 0xFF for byte in START)
    assert b"\x72\x72\x72" in picture
