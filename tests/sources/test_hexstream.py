"""Telegrams as hex text in a stream; binary telegrams pass untouched, whatever they hold."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pushes
import telegrams
import texts
from iskra_server.codecs.decoder import DECODERS
from iskra_server.codecs.detecting import DetectingDecoder
from iskra_server.codecs.dlms import encoder
from iskra_server.meter.reading import Fault, Reading
from iskra_server.sources.hexstream import HexTextDecoder, begins_telegram
from trying import tries

SERIES = telegrams.series(3)
HDLC = encoder.hdlc(pushes.apdu(pushes.tagged()))
MBUS = encoder.mbus(pushes.apdu(pushes.tagged()))
SIZES = [1, 2, 3, 7, 64, 1000, 1 << 20]


def marked(data: bytes) -> bytes:
    return b"mac=00:08:DC:00:00:01\r\nboot=1\r\nSML(" + data.hex().upper().encode() + b")\r\n"


TEXT = b"".join(map(marked, SERIES))


def decoded(stream: bytes, size: int) -> bytes:
    decoder = HexTextDecoder()
    return b"".join(decoder.feed(part) for part in telegrams.chunks(stream, size))


def readings(protocol: str, data: bytes) -> list[Reading]:
    return [item for item in DECODERS[protocol]().feed(data) if isinstance(item, Reading)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("stream", [TEXT, TEXT.lower(), TEXT.swapcase()], ids=["as sent", "lower", "swapped"])
def test_telegrams_in_brackets_are_decoded(stream: bytes, size: int) -> None:
    assert readings("sml", decoded(stream, size)) == telegrams.readings(b"".join(SERIES))


def wrapped(data: bytes, width: int, gap: bytes, form: str) -> bytes:
    digits = data.hex().encode()
    text = gap.join(digits[place : place + width] for place in range(0, len(digits), width))
    return b"boot=1\r\nsml(" + text + b")\r\n" if form == "brackets" else b"boot=1\r\n" + text + b"\r\n.\r\n"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("width", "gap", "form"),
    [
        (76, b"\r\n", "brackets"),
        # a line may end within a byte
        (77, b"\n", "brackets"),
        (2, b" ", "lines"),
        (2, b":", "lines"),
        (2, b".", "lines"),
        (32, b"\r\n", "lines"),
    ],
)
def test_line_breaks_and_separators_between_bytes(width: int, gap: bytes, form: str, size: int) -> None:
    stream = b"".join(wrapped(data, width, gap, form) for data in SERIES)
    assert readings("sml", decoded(stream, size)) == telegrams.readings(b"".join(SERIES))


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize("form", ["brackets", "lines"])
@pytest.mark.parametrize(
    ("protocol", "data"),
    [("p1", texts.p1_telegram()), ("d0", texts.d0_readout()), ("dlms", HDLC), ("dlms", MBUS)],
    ids=["P1", "D0", "HDLC", "M-Bus"],
)
def test_telegrams_of_every_protocol(protocol: str, data: bytes, form: str, size: int) -> None:
    stream = wrapped(data, 1 << 20, b"", form) * 2
    expected = readings(protocol, data)
    assert expected
    assert readings(protocol, decoded(stream, size)) == expected * 2


@pytest.mark.parametrize("form", ["brackets", "lines"])
@pytest.mark.parametrize(
    ("protocol", "data"),
    [
        ("sml", telegrams.telegram()),
        ("p1", texts.p1_telegram()),
        ("d0", texts.d0_readout()),
        ("dlms", HDLC),
        ("dlms", MBUS),
    ],
    ids=["SML", "P1", "D0", "HDLC", "M-Bus"],
)
def test_a_reader_finds_the_protocol_of_hex_text(protocol: str, data: bytes, form: str) -> None:
    hex_text, reader = HexTextDecoder(), DetectingDecoder()
    stream = wrapped(data, 32, b"\r\n", form) * 3
    results = [item for part in telegrams.chunks(stream, 50) for item in reader.feed(hex_text.feed(part))]
    assert [item for item in results if isinstance(item, Reading)] == readings(protocol, data) * 3
    # the other lines are noise, and nothing is damaged
    assert {item.kind for item in results if isinstance(item, Fault)} <= {"noise"}


def test_a_line_that_lost_a_digit_costs_only_its_own_telegram() -> None:
    lines = [data.hex().encode() for data in SERIES]
    stream = b"\n".join([lines[0][:-1], lines[1], lines[2]]) + b"\n"
    assert readings("sml", decoded(stream, 1 << 20)) == telegrams.readings(b"".join(SERIES[1:]))


@pytest.mark.parametrize("size", [1, 5, 4096])
@pytest.mark.parametrize(
    "stream",
    [
        b"".join(SERIES),
        texts.p1_telegram() * 2,
        texts.d0_readout() * 2,
        # hex text within a telegram: an identity, a message
        texts.p1_telegram(["0-0:96.1.1(3153414733313030303030)", "0-0:96.13.0(1B1B1B1B010101012F49534B35)"]),
        b"SML( SML(1B SML(01 ",
        b"1B1B1B1B",
        random.Random(1).randbytes(5000),
    ],
)
def test_other_bytes_pass_unchanged(stream: bytes, size: int) -> None:
    assert decoded(stream, size) == stream


def test_marks_behind_each_other_cost_linear_time() -> None:
    """Each is the beginning of a telegram; 64 times as many took 2,000 times as long."""
    mark = b"\n1B1B1B1B01010101z"

    def cpu_s(count: int) -> float:
        data, began_s = mark * count, time.process_time()
        assert len(decoded(data, len(data))) == count * 10
        return time.process_time() - began_s

    cpu_s(100)
    assert cpu_s(64_000) < 64 * 8 * max(min(cpu_s(1000) for _ in range(3)), 0.001)


def test_every_whole_byte_is_passed_on_at_once() -> None:
    decoder = HexTextDecoder()
    assert decoder.feed(b"\x01S") == b"\x01S"
    assert decoder.feed(b"SML(1B1B1B1B0101") == b"SML(1B1B1B1B0101"
    assert decoder.feed(b"01017") == b"\x1b\x1b\x1b\x1b\1\1\1\1"
    assert decoder.feed(b"6") == b"\x76"
    assert decoder.feed(b")\r\n") == b")\r\n"


def test_raw_bytes_after_hex_text_pass_at_once() -> None:
    decoder = HexTextDecoder()
    decoder.feed(TEXT)
    assert decoder.feed(SERIES[0]) == SERIES[0]


def is_marked(stream: bytes) -> bool:
    """Whether hex text begins: what is unlike the binary bytes that the property is about."""
    lines = stream.replace(b"\r", b"\n").split(b"\n")
    words = [part for line in lines for part in (line, *line.split(b"(")[1:])]
    return any(begins_telegram(word) for word in words)


@tries()
@given(st.lists(st.binary(max_size=40) | st.text("0123456789abcdefABCDEF(\r\n: SML1B", max_size=60).map(str.encode)))
def test_binary_bytes_that_look_like_hex_pass_in_any_pieces(parts: list[bytes]) -> None:
    stream = b"".join(parts)
    if is_marked(stream):
        return
    decoder = HexTextDecoder()
    assert [decoder.feed(part) for part in parts] == parts


@tries()
@given(st.lists(st.binary(max_size=30)), st.integers(0, 2), st.lists(st.integers(1, 50), min_size=1))
def test_no_piecing_changes_what_is_decoded(noise: list[bytes], telegram: int, sizes: list[int]) -> None:
    stream = b"\n".join(noise) + marked(SERIES[telegram]) + b"".join(noise)
    decoder, place, pieces, number = HexTextDecoder(), 0, [], 0
    while place < len(stream):
        size = sizes[number % len(sizes)]
        pieces.append(decoder.feed(stream[place : place + size]))
        place, number = place + size, number + 1
    assert SERIES[telegram] in b"".join(pieces)
