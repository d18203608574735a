from collections.abc import Iterator
from itertools import groupby, islice

import pytest

from iskra_server.codecs.sml.decoder import SmlDecoder
from iskra_server.meter.reading import Reading
from iskra_server.simulator.faults import MAX_DAMAGE, MAX_NOISE, Faults, Shares, parse
from iskra_server.simulator.simulated_source import telegrams

COUNT = 400


@pytest.fixture(scope="module")
def sent() -> list[bytes]:
    return list(islice(telegrams("MT631-two-way"), COUNT))


def struck(spec: str, sent: list[bytes], seed: int = 1) -> list[bytes | None]:
    faults = Faults(parse(spec), seed)
    return [faults.apply(telegram) for telegram in sent]


def pairs(spec: str, sent: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """(sent, arrived) for a fault that never silences the line."""
    for telegram, arrived in zip(sent, struck(spec, sent), strict=True):
        assert arrived is not None
        yield telegram, arrived


def is_part(short: bytes, whole: bytes) -> bool:
    """Whether `short` is `whole` with bytes left out."""
    data = iter(whole)
    return all(byte in data for byte in short)


def test_a_spec_names_shares() -> None:
    assert parse("") == Shares()
    assert parse("noise=0.01, lost=0.02,bits=1,cut=0,silence=0.001,unplug=0.0005") == Shares(
        0.01, 0.02, 1.0, 0.0, 0.001, 0.0005
    )


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("nose=0.1", "no fault 'nose'; choose from noise, lost, bits, cut, silence, unplug"),
        ("lost=2", "fault 'lost' has the share '2'; give a number from 0 to 1"),
        ("lost=-0.1", "fault 'lost' has the share '-0.1'"),
        ("cut=nan", "fault 'cut' has the share 'nan'"),
        ("cut=much", "fault 'cut' has the share 'much'"),
        ("cut", "fault 'cut' has the share ''"),
    ],
)
def test_a_wrong_spec_is_told_by_name_and_with_the_fix(spec: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse(spec)


def test_without_faults_every_byte_arrives(sent: list[bytes]) -> None:
    assert struck("", sent) == sent


def test_lost_bytes_are_a_few_and_the_rest_keeps_its_order(sent: list[bytes]) -> None:
    for telegram, arrived in pairs("lost=1", sent):
        assert 1 <= len(telegram) - len(arrived) <= MAX_DAMAGE
        assert is_part(arrived, telegram)


def test_lost_bits_only_ever_turn_one_into_zero(sent: list[bytes]) -> None:
    for telegram, arrived in pairs("bits=1", sent):
        before, after = int.from_bytes(telegram), int.from_bytes(arrived)
        assert len(arrived) == len(telegram)
        assert after & ~before == 0
        assert 1 <= (before ^ after).bit_count() <= MAX_DAMAGE


def test_a_cut_telegram_is_its_beginning(sent: list[bytes]) -> None:
    for telegram, arrived in pairs("cut=1", sent):
        assert telegram.startswith(arrived) and len(arrived) < len(telegram)


def test_noise_stands_before_or_inside_a_telegram(sent: list[bytes]) -> None:
    between = 0
    for telegram, arrived in pairs("noise=1", sent):
        assert 1 <= len(arrived) - len(telegram) <= MAX_NOISE
        assert is_part(telegram, arrived)
        between += telegram in arrived
    assert COUNT * 0.3 < between < COUNT * 0.7


def test_silence_and_unplugging_last_for_a_while(sent: list[bytes]) -> None:
    for spec, gone, low, high in (("silence=0.03", b"", 5, 30), ("unplug=0.03", None, 3, 10)):
        arrived = struck(spec, sent)
        gaps = [len(list(group)) for data, group in groupby(arrived[:-30]) if data == gone]
        assert len(gaps) > 1
        assert all(length >= low for length in gaps)
        assert min(gaps) <= high
        assert set(arrived) - set(sent) == {gone}


def test_the_share_is_kept_and_the_seed_decides(sent: list[bytes]) -> None:
    hit = sum(telegram != arrived for telegram, arrived in pairs("lost=0.25", sent))
    assert COUNT * 0.15 < hit < COUNT * 0.35
    assert struck("lost=0.25", sent) == struck("lost=0.25", sent)
    assert struck("lost=0.25", sent) != struck("lost=0.25", sent, seed=2)


def test_what_a_decoder_makes_of_it_is_true(sent: list[bytes]) -> None:
    """No damage that is sent here ever becomes a wrong value, and what arrived whole is read."""
    clean = {reading for reading in SmlDecoder().feed(b"".join(sent)) if isinstance(reading, Reading)}
    arrived = b"".join(filter(None, struck("noise=0.05,lost=0.05,bits=0.05,cut=0.05", sent)))
    readings = [reading for reading in SmlDecoder().feed(arrived) if isinstance(reading, Reading)]
    assert len(clean) == COUNT
    assert set(readings) <= clean
    assert COUNT * 0.7 < len(readings) < COUNT
