import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

import telegrams
from iskra_server.codecs.checksum import Variant, checksum
from iskra_server.codecs.errors import Malformed
from iskra_server.codecs.sml import tlv
from iskra_server.codecs.sml.decoder import SmlDecoder, parse_telegram
from iskra_server.codecs.sml.encoder import ESCAPE, wrap
from iskra_server.codecs.sml.transport import payload
from iskra_server.meter.reading import Fault, Reading
from mutations import mutated

SERIES = telegrams.series(6)
STREAM = b"".join(SERIES)
EXPECTED = [reading for data in SERIES for reading in telegrams.readings(data)]


@pytest.mark.parametrize("chunk", [1, 7, 64, 333, len(STREAM)])
def test_a_stream_in_any_chunks(chunk: int) -> None:
    assert telegrams.decode(STREAM, chunk) == EXPECTED


@pytest.mark.parametrize("chunk", [1, 64, len(STREAM) * 2])
def test_a_stream_with_noise_around(chunk: int) -> None:
    noise = bytes(range(100, 150))
    results = telegrams.decode(noise + noise.join(SERIES) + noise, chunk)
    assert [found for found in results if isinstance(found, Reading)] == EXPECTED
    assert {found.kind for found in results if isinstance(found, Fault)} == {"noise"}


def test_everything_that_a_chunk_completes_comes_at_once() -> None:
    decoder = SmlDecoder()
    assert list(decoder.feed(STREAM[:-1])) == EXPECTED[:-1]
    assert decoder.pending == len(SERIES[-1]) - 1
    assert list(decoder.feed(STREAM[-1:])) == EXPECTED[-1:]
    assert decoder.pending == 0


def test_a_wrong_message_checksum_costs_the_telegram_though_the_transport_fits() -> None:
    messages, _, padding = parse_telegram(SERIES[0])
    data = bytearray(b"".join(map(tlv.encode, messages)))
    data[30] ^= 1
    (fault,) = telegrams.decode(wrap(bytes(data), padding=padding))
    assert isinstance(fault, Fault)
    assert fault.kind == "message_checksum"


def test_a_wrong_transport_checksum_costs_the_telegram_though_the_messages_fit() -> None:
    data = bytearray(SERIES[0])
    data[-1] ^= 1
    (fault,) = telegrams.decode(bytes(data))
    assert isinstance(fault, Fault)
    assert (fault.kind, fault.byte_count) == ("checksum", len(data))


def test_a_stream_keeps_to_the_checksum_it_was_learnt_with() -> None:
    kermit, x25 = telegrams.telegram(variant=Variant.KERMIT), telegrams.telegram()
    results = telegrams.decode(kermit * 2 + x25 * 2 + kermit)
    assert [isinstance(found, Reading) for found in results] == [True, True, False, False, True]


def test_the_checksum_is_learnt_anew_after_three_telegrams_that_do_not_fit() -> None:
    kermit, x25 = telegrams.telegram(variant=Variant.KERMIT), telegrams.telegram()
    results = telegrams.decode(kermit + x25 * 5)
    assert [isinstance(found, Reading) for found in results] == [True, False, False, False, True, True]


def test_the_variants_are_never_mixed_in_a_telegram() -> None:
    messages, _, padding = parse_telegram(telegrams.telegram(variant=Variant.KERMIT))
    assert not telegrams.readings(wrap(b"".join(map(tlv.encode, messages)), Variant.X25, padding))


@given(st.binary(max_size=400), st.integers(1, 70))
def test_bytes_of_any_kind_are_never_an_exception(data: bytes, chunk: int) -> None:
    telegrams.decode(data, chunk)


@given(st.binary(max_size=200), st.sampled_from(Variant))
def test_bytes_of_any_kind_in_a_right_frame_are_never_an_exception(data: bytes, variant: Variant) -> None:
    telegrams.decode(wrap(data, variant) + SERIES[0], 64)


def test_a_frame_full_of_look_alikes_of_marks_does_not_cost_the_telegram_behind_it() -> None:
    inside = (ESCAPE * 2 + b"\1\1\1\1") * 600
    broken = wrap(inside)[:-1] + b"\0"
    assert telegrams.readings(broken + SERIES[0]) == telegrams.readings(SERIES[0])


def test_three_damaged_telegrams_between_good_ones_do_not_make_it_forget_the_checksum() -> None:
    damaged = SERIES[0][:-1] + bytes((SERIES[0][-1] ^ 1,))
    stream = [
        SERIES[0],
        *(part for data in SERIES[1:4] for part in (damaged, data)),
        telegrams.telegram(variant=Variant.KERMIT),
    ]
    kinds = [found.kind if isinstance(found, Fault) else "reading" for found in telegrams.decode(b"".join(stream))]
    assert kinds == ["reading", *["checksum", "reading"] * 3, "checksum"]


def test_damage_never_costs_the_good_telegram_behind_it_nor_gives_a_wrong_value() -> None:
    """A short run of bench/damaged_telegrams.py."""
    chance = random.Random(1)
    for _ in range(4000):
        _check_damaged(mutated("sml", chance.choice(SERIES), chance), chance.choice((7, 64, 5000)))


def _check_damaged(damaged: bytes, chunk: int) -> None:
    decoder = SmlDecoder()
    found = [
        result for part in telegrams.chunks(STREAM[: len(SERIES[0])] + damaged, chunk) for result in decoder.feed(part)
    ]
    after = list(decoder.feed(SERIES[3]))
    assert EXPECTED[3] in after, damaged.hex()
    for reading in (result for result in found if isinstance(result, Reading)):
        assert reading in EXPECTED or _is_sound(damaged, reading), damaged.hex()


def _is_sound(damaged: bytes, reading: Reading) -> bool:
    """Whether a telegram with this reading really has right checksums: then none could have told."""
    return any(reading in telegrams.readings(candidate) for candidate in _sound_telegrams(damaged))


def _sound_telegrams(data: bytes) -> Iterator[bytes]:
    for start in (k for k in range(len(data)) if data.startswith(ESCAPE + b"\1\1\1\1", k)):
        for end in (k + 8 for k in range(start, len(data)) if data.startswith(ESCAPE + b"\x1a", k)):
            candidate = data[start:end]
            if checksum(candidate[:-2]) == candidate[-2:] and _parses(candidate):
                yield candidate


def _parses(candidate: bytes) -> bool:
    try:
        return bool(parse_telegram(candidate)) and bool(payload(candidate))
    except Malformed:
        return False
