"""The dialogue of a D0 meter and what lines do to it; time is passed in."""

import pytest

import d0meter
from iskra_server.codecs.d0 import encoder
from iskra_server.codecs.text.parity import SEVEN_BITS, with_parity
from iskra_server.simulator.d0_wire import D0Wire

LINES = ["1.8.0(1*kWh)"]
REGISTERS = {"1.8.0": "(0000001.000*kWh)"}


def told(wire: D0Wire, message: bytes, at_s: float, until_s: float) -> bytes:
    """What arrives until then, after a message was sent; in seven bits."""
    wire.write(with_parity(message), at_s)
    return wire.read(until_s).translate(SEVEN_BITS)


def test_without_an_acknowledgement_the_readout_follows_at_300_baud() -> None:
    wire = D0Wire([d0meter.meter("ABC5x", LINES)])
    assert told(wire, b"/?!\r\n", 0, 2) == b"/ABC5x\r\n"
    # 0.17 s request, 0.2 s reaction, 0.27 s identification, 2 s of patience, 20 characters
    assert wire.read(2.6) == b""
    assert wire.read(10).translate(SEVEN_BITS) == encoder.readout(LINES)


def test_a_request_needs_even_parity_and_the_right_address() -> None:
    wire = D0Wire([d0meter.meter("ABC5x", LINES, address="11111111")])
    wire.write(b"/?!\r\n", 0)
    assert wire.read(10) == b""
    assert told(wire, b"/?22222222!\r\n", 10, 20) == b""
    assert told(wire, b"/?11111111!\r\n", 20, 22) == b"/ABC5x\r\n"


def test_in_programming_mode_it_answers_registers_and_is_deaf_to_requests() -> None:
    wire = D0Wire([d0meter.meter("ABC5x", LINES, registers=REGISTERS)])
    told(wire, b"/?!\r\n", 0, 1)
    wire.write(with_parity(b"\x06051\r\n"), 1)
    wire.read(1.21)
    wire.configure(9600)
    assert wire.read(2).translate(SEVEN_BITS) == encoder.command("P0", "()")
    assert told(wire, encoder.read_register("1.8.0"), 2, 3) == encoder.block("(0000001.000*kWh)")
    assert told(wire, encoder.read_register("1.7.0"), 3, 4) == encoder.block("(ERROR)")
    wire.configure(300)
    assert told(wire, b"/?!\r\n", 4, 20) == b""
    assert told(wire, b"/?!\r\n", 62, 63) == b""
    # it forgets the session after a minute
    assert told(wire, b"/?!\r\n", 70, 71) == b"/ABC5x\r\n"


def test_a_break_ends_programming_mode_at_once() -> None:
    asked = d0meter.meter("ABC5x", LINES, registers=REGISTERS)
    asked.is_programming, asked.baud = True, 9600
    wire = D0Wire([asked], baud=9600)
    told(wire, encoder.BREAK, 0, 1)
    wire.configure(300)
    assert told(wire, b"/?!\r\n", 1, 2) == b"/ABC5x\r\n"
    assert asked.received == [encoder.BREAK, b"/?!\r\n"]


def test_an_echo_comes_first_and_without_a_head_nothing_else() -> None:
    asked = d0meter.meter("ABC5x", LINES)
    wire = D0Wire([asked], is_echoed=True)
    assert told(wire, b"/?!\r\n", 0, 1) == b"/?!\r\n/ABC5x\r\n"
    wire.is_deaf = True
    assert told(wire, b"/?!\r\n", 30, 40) == b"/?!\r\n"
    assert asked.received == [b"/?!\r\n"]


def test_a_speed_that_changes_within_a_request_breaks_it() -> None:
    asked = d0meter.meter("ABC5x", LINES)
    wire = D0Wire([asked])
    wire.write(with_parity(b"/?!\r\n"), 0)
    assert wire.read(0.1) == b""
    wire.configure(9600)
    assert (wire.read(10), asked.received) == (b"", [])


@pytest.mark.parametrize("baud", [2400, 9600, 19200])
def test_a_readout_at_another_speed_is_noise(baud: int) -> None:
    wire = D0Wire([d0meter.meter("ABC5x", LINES)])
    told(wire, b"/?!\r\n", 0, 2)
    wire.configure(baud)
    noise = wire.read(10)
    assert noise and with_parity(encoder.readout(LINES)[:6]) not in noise


def test_lost_characters_are_lost_by_their_share() -> None:
    wire = D0Wire([d0meter.meter("ABC5x", LINES * 100)], lost=0.1)
    for at_s in range(0, 2000, 100):
        wire.write(with_parity(b"/?!\r\n"), at_s)
        heard = wire.read(at_s + 99)
        if len(heard) > 100:
            break
    assert 0.8 < len(heard) / len(encoder.readout(LINES * 100)) < 0.99


def test_a_rate_shortens_the_characters_and_not_the_pauses() -> None:
    wire = D0Wire([d0meter.meter("ABC5x", LINES)], rate=100)
    assert told(wire, b"/?!\r\n", 0, 0.2) == b""
    assert wire.read(0.21).translate(SEVEN_BITS) == b"/ABC5x\r\n"
