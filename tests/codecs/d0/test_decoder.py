import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

import texts
from iskra_server.codecs.checksum import bcc
from iskra_server.codecs.d0 import encoder
from iskra_server.codecs.d0.decoder import D0Decoder
from iskra_server.codecs.d0.frames import MAX_READOUT
from iskra_server.codecs.text.parity import with_parity
from iskra_server.meter.reading import Fault, Reading
from mutations import mutated
from trying import seeds, tries

SERIES = [texts.d0_readout(texts.d0_lines(import_kwh=f"0008048.{375 + k}")) for k in range(6)]
STREAM = b"".join(SERIES)
PUSHED = encoder.pushed(texts.D0_IDENT, texts.d0_lines())


def decode(data: bytes, chunk: int | None = None) -> list[Reading | Fault]:
    return texts.decode(D0Decoder(), data, chunk)


def readings(data: bytes, chunk: int | None = None) -> list[Reading]:
    return texts.readings(decode(data, chunk))


EXPECTED = [reading for data in SERIES for reading in readings(data)]


@pytest.mark.parametrize("chunk", [1, 7, 64, 333, len(STREAM)])
def test_a_stream_in_any_chunks(chunk: int) -> None:
    assert len(EXPECTED) == len(SERIES)
    assert decode(STREAM, chunk) == EXPECTED
    assert decode(with_parity(STREAM), chunk) == EXPECTED


@pytest.mark.parametrize("chunk", [1, 64, 5000])
def test_a_stream_with_noise_around(chunk: int) -> None:
    noise = b"\xff/AB!\n!12 3/ISK5\x00\xfe()"
    results = decode(noise + noise.join(SERIES) + noise, chunk)
    assert texts.readings(results) == EXPECTED
    assert set(texts.faults(results)) <= {"noise"}


def test_everything_that_a_chunk_completes_comes_at_once() -> None:
    decoder = D0Decoder()
    assert list(decoder.feed(STREAM[:-1])) == EXPECTED[:-1]
    assert decoder.pending == len(SERIES[-1]) - 1
    assert list(decoder.feed(STREAM[-1:])) == EXPECTED[-1:]
    assert decoder.pending == 0


def test_our_own_echo_is_no_reading() -> None:
    assert (
        texts.readings(decode(b"/?!\r\n" * 3 + b"\x06050\r\n" + encoder.BREAK + encoder.read_register("1.8.0"))) == []
    )
    assert readings(b"/?!\r\n" + SERIES[0]) == EXPECTED[:1]


def test_a_readout_in_blocks() -> None:
    lines = "\r\n".join((*texts.d0_lines(import_kwh="0008048.375"), "!", ""))
    ident = encoder.identification(texts.D0_IDENT)
    for at in range(0, len(lines), 31):
        blocks = encoder.block(lines[:at], is_last=False) + b"\x06" + encoder.block(lines[at:])
        for chunk in (1, None):
            found = readings(ident + blocks, chunk)
            assert [each.registers for each in found] == [EXPECTED[0].registers]


@pytest.mark.parametrize("sent", [PUSHED, with_parity(PUSHED)])
def test_a_readout_that_is_pushed_without_a_block_check(sent: bytes) -> None:
    for chunk in (1, 64, None):
        found = decode(sent * 2, chunk)
        assert (
            [each.protection for each in texts.readings(found)]
            == ["none" if sent.isascii() else "parity"] * 2
            == ["none" if sent.isascii() else "parity" for _ in found]
        )
        assert texts.readings(found)[0].registers == EXPECTED[0].registers


def test_parity_alone_protects_a_readout() -> None:
    sent = with_parity(PUSHED)
    for at in range(0, len(PUSHED) - 2, 5):
        for bit in range(8):
            damaged = bytearray(sent)
            damaged[at] ^= 1 << bit
            assert not readings(bytes(damaged)), (at, bit)


def test_without_protection_every_line_must_be_right() -> None:
    assert texts.faults(decode(PUSHED.replace(b"*kWh)", b"*kWh", 1))) == ["structure"]
    assert texts.faults(decode(PUSHED.replace(b"1-0:1.7.0", b"1-0-1.7.0", 1))) == ["structure"]


def test_once_it_had_a_block_check_none_is_accepted_without() -> None:
    found = decode(SERIES[0] + PUSHED + SERIES[1])
    assert texts.readings(found) == EXPECTED[:2]
    assert texts.faults(found) == ["checksum"]


def test_a_single_flipped_bit_never_gives_a_reading() -> None:
    series = [texts.d0_readout(texts.d0_lines(import_kwh=f"0008048.{375 + k}")[7:10]) for k in range(3)]
    expected = readings(b"".join(series))
    for before, sent, after in (series, list(map(with_parity, series))):
        for at in range(len(sent)):
            for bit in range(8):
                damaged = bytearray(sent)
                damaged[at] ^= 1 << bit
                assert readings(before + bytes(damaged) + after) == [expected[0], expected[2]], (at, bit)


def test_two_equal_digits_lost_never_give_a_reading() -> None:
    damaged = SERIES[0].replace(b"0008048.375", b"08048.375")
    assert readings(damaged), "the block check alone does not see it"
    found = decode(SERIES[1] + damaged + SERIES[2])
    assert texts.readings(found) == EXPECTED[1:3]
    assert texts.faults(found) == ["checksum"]


def test_names_and_units_lost_in_pairs_never_give_another_meter_nor_a_value_less() -> None:
    """Two equal bytes lost keep the block check: here the codes of both identities, and a unit twice."""
    nameless = SERIES[0].replace(b"1-0:0.0.1*255(1ISK00", b"").replace(b"0-0:C.1.0*255", b"")
    unitless = SERIES[0].replace(b"*kWh", b"Wh")
    for lines in (nameless, unitless):
        start = lines.index(b"\x02") + 1
        body = lines[start:-1]
        damaged = lines[:start] + body + bytes((bcc(body),))
        assert damaged != SERIES[0] and readings(damaged)
        found = decode(SERIES[1] + damaged + SERIES[2])
        assert texts.readings(found) == EXPECTED[1:3]
        assert texts.faults(found) == ["checksum"]
        # three in a row: another meter
        assert len(readings(SERIES[1] + damaged * 3)) == 2


def test_a_lost_byte_or_a_cut_never_costs_the_next_readout() -> None:
    for at in range(len(SERIES[0])):
        for damaged in (SERIES[0][:at] + SERIES[0][at + 1 :], SERIES[0][:at]):
            first, *between, last = readings(SERIES[1] + damaged + SERIES[2])
            assert [first, last] == EXPECTED[1:3], at
            # nothing is missed where the CR of the identification is lost
            assert [each.registers for each in between] in ([], [EXPECTED[0].registers]), at


def test_damage_never_costs_the_next_readout_nor_gives_a_wrong_value() -> None:
    for seed in seeds(500):
        chance = random.Random(seed)
        damaged, chunk = mutated("d0", SERIES[0], chance), chance.choice((7, 64, 5000))
        decoder = D0Decoder()
        texts.decode(decoder, SERIES[1])
        found = texts.readings(texts.decode(decoder, damaged + SERIES[2], chunk))
        assert found[-1:] == EXPECTED[2:3], damaged
        if found[:-1] not in ([], EXPECTED[:1]):
            assert has_right_block_check(damaged), damaged


def has_right_block_check(data: bytes) -> bool:
    """Whether a right block check stands over any stretch from STX to ETX: no receiver could know better."""
    text = bytes(byte & 0x7F for byte in data)
    starts, ends = ([at for at in range(len(text)) if text[at] == mark] for mark in (2, 3))
    return any(
        bcc(text[start + 1 : end + 1]) == (text + b"\xff")[end + 1] for start in starts for end in ends if end > start
    )


@tries()
@given(st.binary(max_size=1500), st.integers(1, 700))
def test_bytes_of_any_kind_are_never_an_exception(data: bytes, chunk: int) -> None:
    decoder = D0Decoder()
    results = texts.decode(decoder, data, chunk) + texts.decode(decoder, b"\x03\0" + SERIES[0])
    assert texts.readings(results)[-1:] == EXPECTED[:1]


@tries()
@given(st.text(st.characters(max_codepoint=127, exclude_characters="\x02\x03\x04"), max_size=300))
def test_text_of_any_kind_in_a_right_block_is_never_an_exception(text: str) -> None:
    decode(encoder.identification("ABC5x") + encoder.block(text))


@pytest.mark.parametrize("hostile", texts.HOSTILE)
def test_any_bytes_cost_linear_time(hostile: bytes) -> None:
    """Eight times the bytes, at most some 24 times the CPU time; a little is always allowed."""
    few_s, many_s = (texts.cpu_seconds(D0Decoder(), hostile, kilobytes * 1024) for kilobytes in (20, 160))
    assert many_s < 24 * few_s + 0.2


def test_memory_is_bounded() -> None:
    tracemalloc.start()
    decoder = D0Decoder()
    for _ in range(20):
        texts.decode(decoder, b"/ABC5\r\n\x02" + b"1.8.0(123456789*kWh)\r\n" * 4000, 4096)
        texts.decode(decoder, b"\x00\xff/ABC" * 3000, 4096)
        texts.decode(decoder, encoder.block("1.8.0(1*kWh)\r\n" * 500, is_last=False) * 10, 4096)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3_000_000
    assert decoder.pending <= MAX_READOUT
