import random
import re
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

import telegrams
import texts
from iskra_server.codecs.checksum import arc, checksum
from iskra_server.codecs.p1 import encoder
from iskra_server.codecs.p1.decoder import P1Decoder, x25
from iskra_server.codecs.p1.frames import MAX_TELEGRAM
from iskra_server.codecs.text.parity import SEVEN_BITS, with_parity
from iskra_server.meter.reading import Fault, Reading
from mutations import mutated
from trying import seeds, tries

SERIES = [texts.p1_telegram(texts.p1_lines(import_kwh=f"001234.{567 + k}", second=k)) for k in range(6)]
STREAM = b"".join(SERIES)
# DSMR 2 and 3 have no version
PLAIN = encoder.without_checksum(texts.P1_IDENT, texts.p1_lines()[1:])


def decode(data: bytes, chunk: int | None = None) -> list[Reading | Fault]:
    return texts.decode(P1Decoder(), data, chunk)


def readings(data: bytes, chunk: int | None = None) -> list[Reading]:
    return texts.readings(decode(data, chunk))


EXPECTED = [reading for data in SERIES for reading in readings(data)]


@pytest.mark.parametrize("chunk", [1, 7, 64, 333, len(STREAM)])
def test_a_stream_in_any_chunks(chunk: int) -> None:
    assert len(EXPECTED) == 2 * len(SERIES)
    assert decode(STREAM, chunk) == EXPECTED


@pytest.mark.parametrize("chunk", [1, 64, 5000])
def test_a_stream_with_noise_around(chunk: int) -> None:
    noise = b"\xff/AB!\n!12 3/ISK5\x00\xfe()"
    results = decode(noise + noise.join(SERIES) + noise, chunk)
    assert texts.readings(results) == EXPECTED
    assert set(texts.faults(results)) <= {"noise", "cut"}


def test_everything_that_a_chunk_completes_comes_at_once() -> None:
    decoder = P1Decoder()
    assert list(decoder.feed(STREAM[:-3])) == EXPECTED[:-2]
    assert decoder.pending == len(SERIES[-1]) - 3
    assert list(decoder.feed(STREAM[-3:])) == EXPECTED[-2:]
    assert decoder.pending == 0


def body(data: bytes) -> bytes:
    return data[: data.rindex(b"!") + 1]


@pytest.mark.parametrize(
    "data",
    [
        body(SERIES[0]) + f"{arc(body(SERIES[0])):04x}\r\n".encode(),
        body(SERIES[0]) + f"{arc(body(SERIES[0])):04X}\0\r\n".encode(),
        body(SERIES[0]) + f"{arc(body(SERIES[0])):04X}".encode(),
        body(SERIES[0]) + f"{x25(body(SERIES[0])):04X}\r\n".encode(),
    ],
)
def test_how_a_checksum_is_written(data: bytes) -> None:
    assert decode(data) == EXPECTED[:2]


def test_a_checksum_without_its_leading_zeros() -> None:
    power = next(
        power for power in (f"00.{k:03}" for k in range(1000))
        if arc(body(texts.p1_telegram(texts.p1_lines(power_kw=power)))) < 0x100
    )  # fmt: skip
    whole = texts.p1_telegram(texts.p1_lines(power_kw=power))
    found = readings(body(whole) + f"{arc(body(whole)):X}\r\n".encode())
    assert [each.registers for each in found] == [each.registers for each in readings(whole)] != []


def test_line_ends_and_the_blank_line_may_be_others() -> None:
    for changed in (body(SERIES[0]).replace(b"\r\n", b"\n"), body(SERIES[0]).replace(b"\r\n\r\n", b"\r\n")):
        found = readings(changed + f"{arc(changed):04X}\n".encode())
        assert [each.registers for each in found] == [each.registers for each in EXPECTED[:2]]


def test_a_stream_keeps_to_the_checksum_that_fitted() -> None:
    other = body(SERIES[1]) + f"{x25(body(SERIES[1])):04X}\r\n".encode()
    assert texts.faults(decode(SERIES[0] + other * 2 + SERIES[2])) == ["checksum"] * 2
    # three in a row that do not fit: the cable has moved to another meter
    assert readings(SERIES[0] + other * 4)[2:] == EXPECTED[2:4]


def test_a_text_message_of_2048_characters_is_read() -> None:
    lines = [*texts.p1_lines(), f"0-0:96.13.0({'30' * 1024})"]
    for chunk in (1, 100, None):
        meter, _ = readings(texts.p1_telegram(lines), chunk)
        assert meter.registers[-1].raw == b"30" * 1024


def test_seven_bits_with_parity() -> None:
    for chunk in (1, 64, None):
        assert decode(with_parity(STREAM), chunk) == EXPECTED
    found = decode(with_parity(SERIES[0].replace(b"1-0:1.8.1", b"1-0:1.8.9")))
    assert texts.faults(found) == ["checksum"]


def test_parity_alone_protects_an_old_telegram() -> None:
    sent = with_parity(PLAIN)
    assert [each.protection for each in readings(sent)] == ["parity"] * 2
    for at in range(0, len(PLAIN) - 2, 7):
        for bit in range(8):
            damaged = bytearray(sent)
            damaged[at] ^= 1 << bit
            assert not readings(bytes(damaged)), (at, bit)


def test_a_telegram_without_any_protection_is_marked() -> None:
    for chunk in (1, 64, None):
        found = decode(PLAIN * 2, chunk)
        assert [each.protection for each in texts.readings(found)] == ["none"] * 4
        assert texts.faults(found) == []


@pytest.mark.parametrize(
    "damaged",
    [
        PLAIN.replace(b"1-0:1.8.1", b"1-0.1.8.1"),
        PLAIN.replace(b"*kWh)", b"*kWh", 1),
        PLAIN.replace(b"\r\n1-0:1.7.0", b"1-0:1.7.0").replace(b"0002)", b"0002"),
        PLAIN.replace(b"(0002)", b"(00\x0202"),
        PLAIN.replace(b"1-0:1.8.1(", b"1-0:1.8.1*255("),
        PLAIN[:-2] + b"  zz",
    ],
)
def test_without_protection_every_line_must_be_right(damaged: bytes) -> None:
    assert damaged != PLAIN
    assert texts.faults(decode(damaged)) == ["structure"]


def test_once_it_had_a_checksum_none_is_accepted_without() -> None:
    zeros = body(PLAIN) + b"0000\r\n"
    found = decode(SERIES[0] + PLAIN + zeros * 3 + SERIES[1])
    assert texts.readings(found) == EXPECTED[:4]
    assert texts.faults(found) == ["checksum"] * 4


@pytest.mark.parametrize("end", [b"\r\n", b"0000\r\n"])
def test_a_checksum_that_is_always_missing(end: bytes) -> None:
    found = decode((body(PLAIN) + end) * 2)
    assert texts.faults(found) == []
    assert [each.protection for each in texts.readings(found)] == ["none"] * 4
    assert readings(with_parity(body(PLAIN) + end))[0].protection == "parity"


@pytest.mark.parametrize("end", [b"\r\n", b"0000\r\n"])
def test_a_version_that_has_a_checksum_must_miss_it_twice(end: bytes) -> None:
    missing = body(SERIES[0]) + end
    found = decode(missing * 3)
    assert texts.faults(found) == ["checksum"]
    assert [each.protection for each in texts.readings(found)] == ["none"] * 4
    assert texts.readings(decode(missing + SERIES[1] + missing + SERIES[2])) == EXPECTED[2:6]
    assert readings(with_parity(missing))[0].protection == "parity"


def test_a_single_flipped_bit_never_gives_a_reading() -> None:
    series = [texts.p1_telegram(texts.p1_lines(import_kwh=f"001234.{567 + k}")[2:9:3]) for k in range(3)]
    expected = readings(b"".join(series))
    before, sent, after = series
    for at in range(len(sent) - 2):
        for bit in range(8):
            damaged = bytearray(sent)
            damaged[at] ^= 1 << bit
            if bytes(damaged).upper() != sent.upper() or at < len(sent) - 6:
                # but for the case of a letter of the checksum
                assert readings(before + bytes(damaged) + after) == [expected[0], expected[2]], (at, bit)


def test_a_lost_byte_never_costs_the_next_telegram() -> None:
    for at in range(len(SERIES[0])):
        damaged = SERIES[0][:at] + SERIES[0][at + 1 :]
        found = texts.readings(decode(SERIES[1] + damaged + SERIES[2]))
        assert found[:2] == EXPECTED[2:4] and found[-2:] == EXPECTED[4:6], at
        # only the line end behind the checksum is nothing that is missed
        assert len(found) == (6 if at >= len(SERIES[0]) - 2 else 4), at


def test_a_cut_telegram_never_costs_the_next_one() -> None:
    for at in range(len(SERIES[0]) - 2):
        assert readings(SERIES[0][:at] + SERIES[2])[-2:] == EXPECTED[4:6], at


def test_damage_never_gives_a_wrong_value_nor_costs_the_next_telegram() -> None:
    for seed in seeds(500):
        chance = random.Random(seed)
        damaged, chunk = mutated("p1", SERIES[0], chance), chance.choice((7, 64, 5000))
        decoder = P1Decoder()
        texts.decode(decoder, SERIES[1])
        found = texts.readings(texts.decode(decoder, damaged + SERIES[2], chunk))
        assert found[-2:] == EXPECTED[4:6], damaged
        if found[:-2] not in ([], EXPECTED[:2]):
            assert has_right_checksum(damaged), damaged


def has_right_checksum(data: bytes) -> bool:
    """Whether a right checksum stands over any stretch from "/" to "!": no receiver could know better."""
    starts = [at for at in range(len(data)) if data[at : at + 1] == b"/"]
    ends = [end for end in re.finditer(rb"!([0-9A-Fa-f]{1,4})", data) if int(end[1], 16)]
    return any(arc(data[start : end.start() + 1]) == int(end[1], 16) for start in starts for end in ends)


@tries()
@given(st.binary(max_size=1500), st.integers(1, 700))
def test_bytes_of_any_kind_are_never_an_exception(data: bytes, chunk: int) -> None:
    decoder = P1Decoder()
    results = texts.decode(decoder, data, chunk) + texts.decode(decoder, b"\r\n" + SERIES[0])
    assert texts.readings(results)[-2:] == EXPECTED[:2]


@tries()
@given(
    st.lists(st.binary(max_size=40).map(lambda line: line.translate(SEVEN_BITS) + b"\r\n"), max_size=20).map(b"".join)
)
def test_lines_of_any_kind_with_a_right_checksum_are_never_an_exception(lines: bytes) -> None:
    text = b"/ABC5abc\r\n" + lines + b"!"
    decode(text + f"{arc(text):04X}\r\n".encode())


@pytest.mark.parametrize("hostile", texts.HOSTILE)
def test_any_bytes_cost_linear_time(hostile: bytes) -> None:
    """Eight times the bytes, at most some 24 times the CPU time; a little is always allowed."""
    few_s, many_s = (texts.cpu_seconds(P1Decoder(), hostile, kilobytes * 1024) for kilobytes in (20, 160))
    assert many_s < 24 * few_s + 0.2


def test_memory_is_bounded() -> None:
    tracemalloc.start()
    decoder = P1Decoder()
    for _ in range(50):
        texts.decode(decoder, b"/ABC5\r\n" + b"1.8.0(123456789*kWh)\r\n" * 2000, 4096)
        texts.decode(decoder, b"\x00\xff/ABC" * 3000, 4096)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000
    assert decoder.pending <= MAX_TELEGRAM


def test_x25_is_the_checksum_of_sml_as_a_number() -> None:
    assert x25(b"123456789") == 0x906E
    assert checksum(b"123456789").hex() == "6e90"
    assert telegrams.readings(SERIES[0]) == []


def test_without_a_checksum_a_number_of_other_digits_is_damage_until_three_agree() -> None:
    """A lost point makes a thousand times as much of it, and no parity bit shows it."""
    wrong = [PLAIN.replace(old, new) for old, new in ((b"00.321*kW", b"00321*kW"), (b"001234.567", b"001234.5567"))]
    assert all(data != PLAIN for data in wrong)
    decoder = P1Decoder()
    counts = [len(texts.readings(list(decoder.feed(data)))) for data in (PLAIN, *wrong, PLAIN, *[wrong[1]] * 3)]
    assert counts == [2, 0, 0, 2, 0, 0, 2]
