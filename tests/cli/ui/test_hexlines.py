"""The bytes as hex: nothing lost, and each telegram begins a line."""

import pytest

import telegrams
from iskra_server.cli.ui.hexlines import HexLines
from iskra_server.sources import hextext

STREAM = b"\x01\x02" + telegrams.telegram() + telegrams.telegram() + b"\x1b\x1b"


def shown(size: int) -> str:
    lines = HexLines()
    return "".join([*(lines.feed(STREAM[at : at + size]) for at in range(0, len(STREAM), size)), lines.end()])


@pytest.mark.parametrize("size", [1, 3, 7, 64, len(STREAM)])
def test_the_text_is_the_same_whatever_the_chunks_and_reads_back(size: int) -> None:
    assert shown(size) == shown(len(STREAM))
    assert hextext.parse(shown(size)) == STREAM


def test_a_telegram_begins_a_line_and_a_line_has_32_bytes() -> None:
    first, second, *rest = shown(64).splitlines()
    assert first == "01 02 "
    assert second.startswith("1b 1b 1b 1b 01 01 01 01 ")
    assert len(second.split()) == 32
    assert sum(line.startswith("1b 1b 1b 1b 01") for line in (second, *rest)) == 2


def test_nothing_is_nothing() -> None:
    assert HexLines().end() == ""
