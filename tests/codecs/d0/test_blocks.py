import pytest

import texts
from iskra_server.codecs.d0.blocks import Blocks, damage
from iskra_server.codecs.d0.frames import EOT, ETX, MAX_READOUT, D0Message
from iskra_server.codecs.text.parity import with_parity
from iskra_server.meter.reading import Fault, Reading


def message(text: str, *, ident: str = "", end: bytes = ETX, fits: bool = True, command: str = "") -> D0Message:
    return D0Message(ident, command, text, end, fits, text.encode())


def test_the_blocks_of_a_readout_are_one() -> None:
    blocks = Blocks()
    assert blocks.add(message("1.8.0(1*kWh)\r\n2.8.", ident=texts.D0_IDENT, end=EOT)) is None
    found = blocks.add(message("0(2*kWh)\r\n!\r\n"))
    assert isinstance(found, Reading)
    assert [str(each.obis) for each in found.registers] == ["1-0:1.8.0*255", "1-0:2.8.0*255"]
    assert found.byte_count == len("1.8.0(1*kWh)\r\n2.8.0(2*kWh)\r\n!\r\n")


def test_a_damaged_block_costs_the_readout() -> None:
    blocks = Blocks()
    assert blocks.add(message("1.8.0(1*kWh)\r\n", ident="ABC5x", end=EOT)) is None
    assert isinstance(blocks.add(message("2.8.0(2*kWh)\r\n", fits=False)), Fault)
    found = blocks.add(message("2.7.0(3*kW)\r\n!\r\n"))
    assert isinstance(found, Reading) and len(found.registers) == 1


@pytest.mark.parametrize("text", ["", "!\r\n", "(0033402.264*kWh)", "1.8.0*01(3*kWh)\r\n!\r\n"])
def test_what_says_nothing_of_now_is_no_reading(text: str) -> None:
    assert Blocks().add(message(text, ident="ABC5x")) is None


def test_a_command_is_nothing() -> None:
    assert Blocks().add(message("()", command="P0")) is None


def test_readouts_in_endless_blocks_are_bounded() -> None:
    blocks, part = Blocks(), "1.8.0(1*kWh)\r\n" * 500
    results = [blocks.add(message(part, end=EOT)) for _ in range(MAX_READOUT // len(part) + 1)]
    assert [each.kind for each in results if isinstance(each, Fault)] == ["oversize"]


def test_what_is_wrong_is_said() -> None:
    assert damage(message("1.8.0(1)")) == ""
    assert damage(message("1.8.0(1)", fits=False)) == "the block check is wrong"
    raw = bytearray(with_parity(b"1.8.0(1)"))
    raw[3] ^= 0x10
    assert damage(D0Message("", "", "1.8.0(1)", ETX, True, bytes(raw))) == "the parity of 1 characters is wrong"


def test_a_p1_telegram_that_lost_its_checksum_is_no_readout() -> None:
    assert isinstance(Blocks().add(message("1.8.0(1*kWh)\r\n", ident="ABC5x", end=b"!")), Reading)
    found = Blocks().add(message("1-3:0.2.8(50)\r\n1.8.0(1*kWh)\r\n", ident="ABC5x", end=b"!"))
    assert isinstance(found, Fault) and found.kind == "structure"
