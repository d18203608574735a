"""Telegrams as hex text in a stream come out as bytes, however they are cut; everything else passes as it is."""

import random

import pytest

import telegrams
from iskra_server.meter.reading import Reading
from iskra_server.sources.smltext import SmlText

SERIES = telegrams.series(3)
TEXT = b"".join(b"mac=00:08:DC:00:00:01\r\nboot=1\r\nSML(" + each.hex().upper().encode() + b")\r\n" for each in SERIES)


def passed(stream: bytes, size: int) -> bytes:
    text = SmlText()
    return b"".join(text.feed(part) for part in telegrams.chunks(stream, size))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000, 1 << 20])
@pytest.mark.parametrize("stream", [TEXT, TEXT.lower().replace(b"sml(", b"SML(")])
def test_telegrams_as_hex_text_come_out_as_telegrams(stream: bytes, size: int) -> None:
    found = telegrams.decode(passed(stream, size))
    assert [item for item in found if isinstance(item, Reading)] == telegrams.readings(b"".join(SERIES))


@pytest.mark.parametrize("size", [1, 5, 4096])
@pytest.mark.parametrize("stream", [b"".join(SERIES), b"SML( SML(1B SML(01 ", random.Random(1).randbytes(5000)])
def test_everything_else_passes_as_it_is(stream: bytes, size: int) -> None:
    assert passed(stream, size) == stream


def test_nothing_waits_for_what_comes_next() -> None:
    text = SmlText()
    assert text.feed(b"\x01S") == b"\x01S"
    assert text.feed(b"SML(1B1B") == b"SML(1B1B"
    assert text.feed(b"1B1B0") == b"\x1b" * 4
    assert text.feed(b"1") == b"\x01"
    assert text.feed(b")\r\n") == b")\r\n"
