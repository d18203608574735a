"""Checksums, block checks and parity are right again, in the form in which the meter sends them."""

import re

import pytest

import texts
from iskra_server.codecs.checksum import arc, bcc
from iskra_server.codecs.d0 import encoder as d0
from iskra_server.codecs.p1.decoder import x25
from iskra_server.codecs.text.parity import SEVEN_BITS, with_parity, wrong_bytes
from iskra_server.redact.pseudonyms import Pseudonyms
from iskra_server.redact.text_masking import TextMasking


def masked(data: bytes, *, is_p1: bool) -> bytes:
    masking = TextMasking(Pseudonyms(), is_p1=is_p1)
    return masking.feed(data) + masking.end()


def p1_with(digits: str) -> bytes:
    return texts.p1_telegram()[:-6] + digits.encode()


BODY = texts.p1_telegram()[:-6]


@pytest.mark.parametrize(
    ("digits", "form"),
    [
        (f"{arc(BODY):04X}\r\n", "{arc:04X}\r\n"),
        (f"{arc(BODY):04x}\r\n", "{arc:04x}\r\n"),
        (f"{arc(BODY):04X}\0\r\n", "{arc:04X}\0\r\n"),
        (f"{arc(BODY):04X}", "{arc:04X}"),
        (f"{x25(BODY):04X}\r\n", "{x25:04X}\r\n"),
    ],
)
def test_a_checksum_is_right_again(digits: str, form: str) -> None:
    output = masked(p1_with(digits), is_p1=True)
    body = output[: output.rindex(b"!") + 1]
    assert output[len(body) :].decode() == form.format(arc=arc(body), x25=x25(body))
    assert body != BODY


def test_a_checksum_that_is_always_0000_stays() -> None:
    lines = texts.p1_lines()[1:]
    stream = texts.p1_telegram(lines)[:-6] + b"0000\r\n"
    output = masked(stream, is_p1=True)
    assert output.endswith(b"!0000\r\n")
    assert texts.P1_ID.encode().hex().upper().encode() not in output
    assert output.count(b"kWh") == stream.count(b"kWh")


def test_a_block_check_is_right_again_whatever_byte_it_becomes() -> None:
    checks = set()
    for serial in range(63_000_100, 63_000_300, 7):
        output = masked(texts.d0_readout([f"C.1.0({serial})", f"1.8.0(0000{serial % 977:03}.5*kWh)"]), is_p1=False)
        block = output[output.index(b"\x02") + 1 :]
        assert bcc(block[:-1]) == block[-1]
        assert str(serial).encode() not in output
        checks.add(block[-1])
    assert len(checks) > 3


def test_parity_is_right_again() -> None:
    output = masked(with_parity(texts.d0_readout()), is_p1=False)
    assert wrong_bytes(output) == 0
    assert output.translate(SEVEN_BITS) == masked(texts.d0_readout(), is_p1=False)


def test_readouts_in_blocks_and_single_registers_are_masked_too() -> None:
    first = d0.block("C.1.0(70347617)\r\n1.8.0(0033402.264*kWh)\r\n", is_last=False)
    stream = d0.identification("ISK5ME162-0099") + first + d0.block("2.8.0(0000013.465*kWh)\r\n!\r\n")
    stream += d0.command("P0", "()") + d0.block("(0033402.265*kWh)") + d0.block("(70347617)")
    output = masked(stream, is_p1=False)
    assert output.endswith(d0.command("P0", "()") + d0.block("(0033402.265*kWh)") + d0.block("(00000001)"))
    assert b"C.1.0(00000001)\r\n1.8.0(0033402.264*kWh)\r\n\x04" in output


def test_a_damaged_readout_becomes_zeros_and_counts() -> None:
    masking = TextMasking(Pseudonyms(), is_p1=False)
    damaged = texts.d0_readout().replace(b"8048", b"8049")
    output = masking.feed(damaged + texts.d0_readout()) + masking.end()
    assert re.match(rb"[\0\r\n ]{%d}/ISk5" % len(damaged), output)
    assert masking.blanked > 0.8 * len(damaged)
