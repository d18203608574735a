import subprocess
import sys
from collections.abc import Iterator
from itertools import cycle
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pushes
import telegrams
import texts
from iskra_server.codecs import marks
from iskra_server.codecs.d0 import encoder as d0
from iskra_server.codecs.decoder import DECODERS, Decoder, is_telegram
from iskra_server.codecs.detecting import DetectingDecoder
from iskra_server.codecs.dlms import encoder
from iskra_server.codecs.dlms.decoder import DlmsDecoder
from iskra_server.codecs.p1 import encoder as p1
from iskra_server.codecs.text.parity import with_parity
from iskra_server.meter.reading import Fault, Reading
from mutations import mutated

# a protocol, and a telegram of it
STREAMS = {
    "SML": ("sml", telegrams.telegram()),
    "P1": ("p1", texts.p1_telegram()),
    "P1 with parity": ("p1", with_parity(texts.p1_telegram())),
    "D0": ("d0", texts.d0_readout()),
    "D0 with parity": ("d0", with_parity(texts.d0_readout())),
    "HDLC": ("dlms", encoder.hdlc(pushes.apdu(pushes.tagged()))),
    "segments": ("dlms", encoder.hdlc(pushes.apdu(pushes.tagged()), 60)),
    "encrypted": ("dlms", encoder.hdlc(pushes.sealed(pushes.tagged()))),
    "unknown list": ("dlms", encoder.hdlc(pushes.apdu(pushes.unknown()))),
}
# without a checksum, or with one of few bits: they do not take over at once from a protected stream
ALONE = {
    "M-Bus": ("dlms", encoder.mbus(pushes.apdu(pushes.flat()))),
    "P1 without a checksum": ("p1", p1.without_checksum(texts.P1_IDENT, texts.p1_lines()[1:])),
    "P1 of 7E1 without a checksum": ("p1", with_parity(p1.without_checksum(texts.P1_IDENT, texts.p1_lines()[1:]))),
    "D0 pushed": ("d0", with_parity(d0.pushed(texts.D0_IDENT, texts.d0_lines()))),
    "D0 without identification": ("d0", d0.readout(texts.d0_lines())),
}
SIZES = st.lists(st.integers(1, 400), min_size=1, max_size=5)


def decoded(decoder: Decoder, data: bytes, sizes: list[int]) -> list[Reading | Fault]:
    """All that a decoder makes of a stream that arrives in pieces of these sizes, again and again."""
    return [item for piece in pieces(data, sizes) for item in decoder.feed(piece)]


def pieces(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    at = 0
    for size in cycle(sizes):
        yield data[at : at + size]
        at += size
        if at >= len(data):
            return


def whole(items: list[Reading | Fault]) -> list[Reading | Fault]:
    return [item for item in items if is_telegram(item)]


@pytest.mark.parametrize("name", [*STREAMS, *ALONE])
@settings(max_examples=25)
@given(noise=st.binary(max_size=200), sizes=SIZES)
def test_the_readings_are_those_of_the_decoder_of_its_protocol(name: str, noise: bytes, sizes: list[int]) -> None:
    protocol, telegram = (STREAMS | ALONE)[name]
    stream = noise + telegram * 3
    expected = whole(decoded(DECODERS[protocol](), stream, sizes))
    decoder = DetectingDecoder()
    assert whole(decoded(decoder, stream, sizes)) == expected
    assert decoder.protocol == (protocol if expected else "")


@pytest.mark.parametrize("name", STREAMS)
def test_damage_yields_no_other_reading(name: str) -> None:
    protocol, telegram = STREAMS[name]
    chance = Random(name)
    for _ in range(40):
        damaged = mutated(protocol, telegram, chance)
        stream, sizes = telegram + damaged + telegram, [chance.randrange(1, 300)]
        expected = whole(decoded(DECODERS[protocol](), stream, sizes))
        assert whole(decoded(DetectingDecoder(), stream, sizes)) == expected


@settings(max_examples=60)
@given(names=st.lists(st.sampled_from(sorted(STREAMS)), min_size=1, max_size=6), sizes=SIZES)
def test_a_stream_that_changes_its_protocol_is_followed(names: list[str], sizes: list[int]) -> None:
    expected = [item for name in names for item in whole(list(DECODERS[STREAMS[name][0]]().feed(STREAMS[name][1])))]
    decoder = DetectingDecoder()
    found = decoded(decoder, b"".join(STREAMS[name][1] for name in names), sizes)
    assert whole(found) == expected
    assert decoder.protocol == STREAMS[names[-1]][0]
    # what another protocol sends is no damage
    assert {item.kind for item in found if isinstance(item, Fault) and not is_telegram(item)} <= {"noise"}


@pytest.mark.parametrize("name", [*STREAMS, *ALONE])
def test_a_meter_that_repeats_its_telegrams_costs_no_search(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    protocol, telegram = (STREAMS | ALONE)[name]
    decoder, own = DetectingDecoder(), DECODERS[protocol]()
    for data in pieces(telegram * 3, [50]):
        assert whole(list(decoder.feed(data))) == whole(list(own.feed(data)))
    monkeypatch.setattr(marks, "find", lambda *_: pytest.fail("searched for other protocols"))
    for data in pieces(telegram * 5, [50, 7, 150]):
        assert list(decoder.feed(data)) == list(own.feed(data))


@pytest.mark.parametrize("name", [*STREAMS, *ALONE])
def test_the_first_telegram_counts_at_its_last_byte(name: str) -> None:
    protocol, telegram = (STREAMS | ALONE)[name]
    own, decoder = DECODERS[protocol](), DetectingDecoder()
    for byte in telegram:
        expected = whole(list(own.feed(bytes((byte,)))))
        assert whole(list(decoder.feed(bytes((byte,))))) == expected


def test_a_damaged_telegram_is_no_readout_of_another_protocol() -> None:
    """P1 refuses a telegram that lost its checksum; D0 alone would read this one."""
    lines = texts.p1_lines()[1:]
    good, lost = texts.p1_telegram(lines), p1.without_checksum(texts.P1_IDENT, lines)
    assert [item.protocol for item in DECODERS["d0"]().feed(lost) if isinstance(item, Reading)] == ["d0"]
    found = decoded(DetectingDecoder(), good + lost + good, [100])
    assert [item.protocol for item in found if isinstance(item, Reading)] == ["p1"] * 4
    assert [item.kind for item in found if isinstance(item, Fault)] == ["checksum"]


def test_a_meter_without_any_checksum_takes_over_with_its_third_telegram() -> None:
    lines = texts.p1_lines()[1:]
    unprotected = p1.without_checksum(texts.P1_IDENT, lines)
    decoder = DetectingDecoder()
    assert len(whole(list(decoder.feed(telegrams.telegram())))) == 1
    assert whole(list(decoder.feed(unprotected * 2))) == []
    # with its sub-meter; none of the telegrams is lost
    assert len(whole(list(decoder.feed(unprotected)))) == 6


def test_noise_is_counted_once() -> None:
    for protocol, telegram in STREAMS.values():
        noise = b"\xff" * 100
        found = decoded(DetectingDecoder(), noise + telegram, [30])
        own = decoded(DECODERS[protocol](), noise + telegram, [30])
        assert found == own


def test_damage_is_reported_before_the_first_telegram() -> None:
    """By the decoder whose telegrams seem to begin, and as its faults."""
    changed = {"P1": (b"1234.567", b"1234.568"), "D0": (b"8048.375", b"8048.376"), "HDLC": (b"ISK103", b"ISK104")}
    for name, (right, wrong) in changed.items():
        protocol, telegram = STREAMS[name]
        assert right in telegram
        damaged = telegram.replace(right, wrong) * 3
        found = decoded(DetectingDecoder(), damaged, [50])
        assert found == decoded(DECODERS[protocol](), damaged, [50])
        assert [item.kind for item in found if isinstance(item, Fault)].count("checksum") == 3


def test_parts_of_a_telegram_do_not_wait_beyond_a_pause() -> None:
    _, telegram = STREAMS["segments"]
    frames = [b"\x7e\xa8" + part for part in telegram.split(b"\x7e\xa8")[1:]]
    decoder = DetectingDecoder()
    assert len(list(decoder.feed(telegram))) == 1
    assert list(decoder.feed(b"".join(frames[:3]))) == []
    (fault,) = decoder.pause()
    assert isinstance(fault, Fault)
    assert fault.kind == "cut"
    (reading,) = decoder.feed(telegram)
    assert isinstance(reading, Reading)


def test_a_pause_means_nothing_to_other_protocols() -> None:
    decoder = DetectingDecoder()
    data = telegrams.telegram()
    assert list(decoder.feed(data[:50])) == []
    assert list(decoder.pause()) == []
    assert len(list(decoder.feed(data[50:]))) == 1


def test_keys_are_given_by_the_table() -> None:
    _, telegram = STREAMS["encrypted"]
    decoder = DetectingDecoder({**DECODERS, "dlms": lambda: DlmsDecoder(pushes.KEYS)})
    (reading,) = decoded(decoder, telegram, [64])
    assert isinstance(reading, Reading)
    assert reading.protection == "tag"


@pytest.mark.parametrize("hostile", [*texts.HOSTILE, b"\x7e\xa0", b"\xdb\x08ABC", b"hhhh", telegrams.telegram()[:60]])
def test_hostile_bytes_cost_linear_time_and_bounded_memory(hostile: bytes) -> None:
    decoder = DetectingDecoder()
    short = texts.cpu_seconds(decoder, hostile, 20_000)
    long = texts.cpu_seconds(decoder, hostile, 80_000)
    assert long < 20 * short + 0.5
    assert decoder.pending <= 3 * 8192


def test_sml_alone_imports_nothing_of_the_other_protocols() -> None:
    code = (
        "import sys; import telegrams; from iskra_server.codecs.detecting import DetectingDecoder;"
        "decoder = DetectingDecoder(); data = telegrams.telegram() * 50; bad = bytearray(data); bad[400] ^= 1;"
        "count = sum(1 for at in range(100, len(data), 64) for _ in decoder.feed(bytes(bad[at : at + 64])));"
        "others = ('text', 'p1', 'd0', 'dlms');"
        "print(count > 45, decoder.protocol, [n for n in sys.modules if 'codecs.' in n and n.split('.')[2] in others])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd="tests")
    assert done.stdout.strip() == "True sml []"
