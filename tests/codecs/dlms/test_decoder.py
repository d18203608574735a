"""Telegrams on every way on which they come: whole, in pieces, with noise around, damaged, and hostile ones."""

import tracemalloc
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pushes
import texts
from iskra_server.codecs.dlms import encoder
from iskra_server.codecs.dlms.axdr import Element
from iskra_server.codecs.dlms.decoder import DlmsDecoder
from iskra_server.codecs.dlms.encoder import octet_string, structure, u4
from iskra_server.codecs.dlms.layouts import parse
from iskra_server.codecs.dlms.security import Keys
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Fault, MeterTime, Reading
from mutations import mutated
from trying import seeds, tries

pytest.importorskip("cryptography")

IMPORT = Obis.parse("1.8.0")
NOISE = bytes.fromhex("00ff7e68a07e7ea81b1b0fdb68fafa00e6e7")
LISTS = {
    "tagged": pushes.tagged(),
    "flat": pushes.flat(),
    "pairs": pushes.pairs(),
    "described": pushes.described(),
    "ljubljana": pushes.ljubljana(),
    "kng": pushes.kng(),
}


def in_blocks(apdu: bytes) -> bytes:
    first, *rest = encoder.blocks(apdu, 70)
    return encoder.hdlc(first) + b"".join(map(encoder.hdlc_frame, rest))


CARRIERS: dict[str, Callable[[bytes], bytes]] = {
    "hdlc": encoder.hdlc,
    "segments": lambda apdu: encoder.hdlc(apdu, 60),
    "shared flags": lambda apdu: encoder.hdlc(apdu, 60, shares_flags=True),
    "blocks": in_blocks,
    "mbus": encoder.mbus,
    "mbus overflow": lambda apdu: encoder.mbus(apdu + b"", 252),
    "bare": lambda apdu: apdu,
    "bare with llc": lambda apdu: b"\xe6\xe7\x00" + apdu,
}
FRAMED = [name for name in CARRIERS if not name.startswith("bare")]


def carried(carrier: str, body: Element, control: int | None, counter: int = 100) -> bytes:
    return CARRIERS[carrier](pushes.apdu(body) if control is None else pushes.sealed(body, counter, control))


def alike(reading: Reading) -> tuple[object, ...]:
    """What does not depend on the way."""
    return reading.meter_id, reading.server_id, reading.registers, reading.meter_time


def expected(body: Element, control: int | None) -> tuple[object, ...]:
    (reading,) = pushes.readings(carried("hdlc", body, control and 0x30), None, pushes.KEYS)
    return alike(reading)


@pytest.mark.parametrize("chunk", [1, 7, None])
@pytest.mark.parametrize("control", [None, 0x20, 0x30], ids=["clear", "20", "30"])
@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_the_same_on_every_way(name: str, carrier: str, control: int | None, chunk: int | None) -> None:
    stream = carried(carrier, LISTS[name], control)
    (reading,) = pushes.readings(stream, chunk, pushes.KEYS)
    assert alike(reading) == expected(LISTS[name], control)
    assert reading.byte_count == len(stream)
    by_carrier = "sum" if "mbus" in carrier else "none" if "bare" in carrier else "checksum"
    assert reading.protection == ("tag" if control == 0x30 else by_carrier)
    assert not reading.has_unchecked_tag
    assert reading.protocol == "dlms"


@pytest.mark.parametrize("chunk", [1, 5, None])
@pytest.mark.parametrize("carrier", FRAMED)
def test_noise_around_costs_nothing(carrier: str, chunk: int | None) -> None:
    stream = carried(carrier, pushes.tagged(), None)
    found = pushes.results(NOISE + stream + NOISE + stream + NOISE, chunk)
    assert [alike(each) for each in found if isinstance(each, Reading)] == [expected(pushes.tagged(), None)] * 2
    total = 2 * len(stream) + 2 * len(NOISE)
    assert total <= sum(each.byte_count for each in found) <= total + len(NOISE)


def test_a_telegram_names_its_meter_before_there_is_a_key() -> None:
    stream = encoder.hdlc(pushes.sealed(pushes.kng()))
    assert pushes.results(stream) == [Fault("encrypted", "encrypted, and no key is set", len(stream), pushes.METER_ID)]


@pytest.mark.parametrize("control", [0x20, 0x21, 0x30, 0x31])
@pytest.mark.parametrize("name", LISTS)
def test_a_wrong_key_never_gives_a_value(name: str, control: int) -> None:
    chance = Random(7)
    stream = encoder.hdlc(pushes.sealed(LISTS[name], control=control))
    for _ in range(40):
        (fault,) = pushes.results(stream, None, Keys(chance.randbytes(16)))
        assert isinstance(fault, Fault) and (fault.kind, fault.meter_id) == ("wrong_key", pushes.METER_ID)


def test_a_wrong_authentication_key_is_told_from_a_wrong_key() -> None:
    stream = encoder.hdlc(pushes.sealed(pushes.kng()))
    assert [each.kind for each in pushes.faults(stream, None, Keys(pushes.KEYS.encryption, bytes(16)))] == [
        "not_authentic"
    ]
    assert [each.kind for each in pushes.faults(stream, None, pushes.OTHER_KEYS)] == ["wrong_key"]


def test_without_the_authentication_key_a_telegram_counts_and_says_so() -> None:
    (reading,) = pushes.readings(encoder.hdlc(pushes.sealed(pushes.kng())), None, Keys(pushes.KEYS.encryption))
    assert reading.has_unchecked_tag and reading.protection == "checksum"


def told(*streams: bytes, keys: Keys = pushes.KEYS) -> list[str]:
    """What each telegram is: its protection, or the kind of its fault."""
    decoder = DlmsDecoder(keys)
    found = [next(iter(decoder.feed(stream))) for stream in streams]
    return [each.kind if isinstance(each, Fault) else each.protection for each in found]


def test_an_authentication_key_reads_a_meter_without_tags_until_a_tag_has_proved_one() -> None:
    """Some operators hand out both keys, and their meters encrypt alone."""
    by_control = [encoder.hdlc(pushes.sealed(pushes.kng(), counter, control=control)) for counter, control in (
        (100, 0x20), (101, 0x20), (102, 0x30), (999, 0x20), (103, 0x30)
    )]  # fmt: skip
    # the counter of what is refused does not count
    assert told(*by_control) == ["checksum", "checksum", "tag", "not_authentic", "tag"]


def test_a_clear_telegram_in_the_name_of_a_meter_that_was_proved_is_refused() -> None:
    proved = encoder.hdlc(pushes.sealed(pushes.tagged()))
    clear = encoder.hdlc(pushes.apdu(pushes.tagged()))
    of_another = encoder.hdlc(pushes.apdu(pushes.tagged()).replace(pushes.NAME, b"ISK1030788888888"))
    assert told(clear, proved, clear, of_another) == ["checksum", "tag", "not_authentic", "checksum"]


def test_where_the_public_key_of_luxembourg_has_proved_one_another_tag_is_refused() -> None:
    public = Keys(pushes.KEYS.encryption, bytes.fromhex("00112233445566778899AABBCCDDEEFF"))
    first, second, third = (
        encoder.hdlc(pushes.sealed(pushes.kng(), counter, keys=keys))
        for counter, keys in ((100, pushes.KEYS), (101, public), (102, pushes.KEYS))
    )
    assert told(first, second, third, keys=Keys(public.encryption)) == ["checksum", "tag", "not_authentic"]


def test_a_tag_on_a_clear_telegram_is_checked_where_it_can_be() -> None:
    stream = encoder.hdlc(pushes.sealed(pushes.kng(), control=0x10))
    assert [each.has_unchecked_tag for each in pushes.readings(stream)] == [True]
    assert [each.protection for each in pushes.readings(stream, None, pushes.KEYS)] == ["tag"]
    assert pushes.readings(stream, None, Keys(pushes.KEYS.encryption, bytes(16))) == []


@pytest.mark.parametrize("control", [0x20, 0x30])
def test_repeated_and_older_telegrams_are_refused(control: int) -> None:
    stream = b"".join(encoder.hdlc(pushes.sealed(pushes.kng(), counter, control)) for counter in (9, 10, 10, 8, 11))
    found = pushes.results(stream, None, pushes.KEYS)
    assert [each.kind if isinstance(each, Fault) else "" for each in found] == ["", "", "replayed", ""]


def test_an_unknown_list_says_what_it_has_and_makes_no_register() -> None:
    (fault,) = pushes.results(encoder.hdlc(pushes.apdu(pushes.unknown())))
    assert isinstance(fault, Fault)
    assert (fault.kind, fault.detail, fault.meter_id) == ("layout", "unknown list of 5 elements", pushes.METER_ID)
    assert fault.elements == (f"bytes {pushes.NAME.hex()}", "u1 7", "u4 8", "u4 9", "array of 0")
    (fault,) = pushes.results(encoder.hdlc(pushes.sealed(pushes.unknown())), None, pushes.KEYS)
    assert isinstance(fault, Fault) and (fault.kind, fault.meter_id) == ("layout", pushes.METER_ID)


def test_a_long_unknown_list_is_shown_in_part() -> None:
    body = structure(*(octet_string(bytes(200)) for _ in range(9)), *map(u4, range(100)))
    (fault,) = pushes.results(encoder.hdlc(pushes.apdu(body), 1000))
    assert isinstance(fault, Fault)
    assert len(fault.elements) == 64 and max(map(len, fault.elements)) < 80


def test_a_layout_of_ones_own_is_used() -> None:
    layouts = parse(
        '[[layout]]\nname="a"\nsource="b"\nelements=["0-0:42.0.0 o","skip u1","1.8.0 u4","2.8.0 u4","skip a"]',
        is_own=True,
    )
    decoder = DlmsDecoder(own=layouts)
    (reading,) = decoder.feed(encoder.hdlc(pushes.apdu(pushes.unknown())))
    assert isinstance(reading, Reading) and [each.raw for each in reading.numbers()] == [8, 9]


def test_the_time_is_that_of_the_telegram_else_of_the_clock_in_the_list() -> None:
    time = MeterTime("timestamp", pushes.CLOCK_S, 60, 60)
    assert [each.meter_time for each in pushes.readings(encoder.hdlc(pushes.apdu(pushes.kng())))] == [time]
    clock = structure(encoder.code("0-0:1.0.0"), octet_string(pushes.CLOCK))
    body = structure(clock, *pushes.tagged().items)
    assert [each.meter_time for each in pushes.readings(encoder.hdlc(pushes.apdu(body, b"")))] == [time]
    assert [each.meter_time for each in pushes.readings(encoder.hdlc(pushes.apdu(pushes.kng(), b"")))] == [None]


def test_a_telegram_whose_time_is_impossible_counts_only_where_something_proves_it() -> None:
    lost = b"\xc8" * 12
    (reading,) = pushes.readings(encoder.hdlc(pushes.apdu(pushes.tagged(), lost)))
    assert reading.meter_time is None
    assert pushes.readings(pushes.apdu(pushes.tagged(), lost)) == []
    for control, count in ((0x30, 1), (0x20, 0)):
        stream = encoder.hdlc(pushes.sealed(pushes.tagged(), control=control, clock=lost))
        assert len(pushes.readings(stream, None, pushes.KEYS)) == count


@pytest.mark.parametrize("control", [0x20, 0x30])
def test_without_a_proof_the_time_of_a_telegram_must_not_jump(control: int) -> None:
    """Deciphering has no checksum of its own: a telegram that fits by chance is not of this day."""
    keys = Keys(pushes.KEYS.encryption)
    another_year = pushes.CLOCK.replace(b"\xea", b"\xeb", 1)
    clocks = [pushes.CLOCK, another_year, pushes.CLOCK]
    stream = b"".join(
        encoder.hdlc(pushes.sealed(pushes.kng(), counter, control, clock=clock)) for counter, clock in enumerate(clocks)
    )
    found = pushes.results(stream, None, keys)
    assert [each.kind if isinstance(each, Fault) else "" for each in found] == ["", "replayed", ""]
    with_tag = pushes.results(stream, None, pushes.KEYS)
    assert [isinstance(each, Reading) for each in with_tag] == [True, control == 0x30, True]


def test_a_meter_whose_clock_was_set_is_believed_after_three_telegrams() -> None:
    clocks = [
        pushes.CLOCK,
        *(pushes.CLOCK.replace(b"\xea", b"\xeb", 1)[:7] + bytes((s,)) + pushes.CLOCK[8:] for s in range(4)),
    ]
    stream = b"".join(
        encoder.hdlc(pushes.sealed(pushes.kng(), counter, 0x20, clock=clock)) for counter, clock in enumerate(clocks)
    )
    found = pushes.results(stream, None, pushes.KEYS)
    assert [isinstance(each, Reading) for each in found] == [True, False, False, True, True]


@pytest.mark.parametrize("carrier", ["mbus", "bare"])
def test_without_a_checksum_the_two_clocks_of_a_telegram_must_agree(carrier: str) -> None:
    later = pushes.CLOCK[:7] + bytes((pushes.CLOCK[7] + 3,)) + pushes.CLOCK[8:]
    stream = CARRIERS[carrier](pushes.apdu(pushes.flat(), later))
    assert pushes.readings(stream + stream) == []
    assert pushes.readings(encoder.hdlc(pushes.apdu(pushes.flat(), later))) != []


def test_a_list_without_an_identity_is_of_the_meter_that_sent_the_one_before() -> None:
    """Kaifa and Aidon send the power alone every two seconds."""
    nameless = structure(*pushes.tagged().items[1:])
    named = encoder.hdlc(pushes.apdu(pushes.tagged()))
    frame = encoder.hdlc(pushes.apdu(nameless))
    assert [each.meter_id for each in pushes.readings(frame + named + frame * 2)] == ["unknown", *[pushes.METER_ID] * 3]


def test_a_lost_segment_glues_nothing_together() -> None:
    apdu = pushes.apdu(pushes.described())
    stream = encoder.hdlc(apdu, 58)
    frames = [frame for at in range(0, len(stream), 70) if (frame := stream[at : at + 70])]
    assert {frame[0] for frame in frames} == {frame[-1] for frame in frames} == {0x7E}
    for lost in range(len(frames)):
        found = pushes.readings(b"".join(frames[:lost] + frames[lost + 1 :]) + stream)
        assert [alike(each) for each in found] == [expected(pushes.described(), None)]


def test_after_a_pause_the_parts_so_far_belong_to_no_telegram() -> None:
    decoder = DlmsDecoder()
    stream = encoder.hdlc(pushes.apdu(pushes.tagged()), 58)
    assert list(decoder.feed(stream[:70])) == [] and decoder.pending == 70
    assert [each.kind for each in decoder.pause() if isinstance(each, Fault)] == ["cut"]
    assert decoder.pending == 0
    assert {each.kind for each in decoder.feed(stream[70:]) if isinstance(each, Fault)} == {"cut"}
    assert len(pushes.readings(stream)) == 1


def test_a_list_without_anything_known_is_an_unknown_one() -> None:
    body = structure(structure(encoder.code("1-0:14.7.0"), u4(5000)))
    assert [each.kind for each in pushes.faults(encoder.hdlc(pushes.apdu(body)))] == ["layout"]


def test_what_is_no_notification_is_a_fault() -> None:
    for apdu in (b"\xc4\x01\x02", b"\xdd\x08", b"\x0f\0", b"\xdb\x07ISKabcd\x00"):
        assert [each.kind for each in pushes.faults(encoder.hdlc(apdu))] == ["structure"]


bodies = st.sampled_from(sorted(LISTS)).map(LISTS.__getitem__)
controls = st.sampled_from([None, 0x20, 0x30])


@tries(0.5)
@given(bodies, st.sampled_from(FRAMED), controls, st.integers(0, 10**6), st.integers(1, 60))
def test_a_flipped_bit_never_gives_a_reading(
    body: Element, carrier: str, control: int | None, bit: int, chunk: int
) -> None:
    stream = bytearray(carried(carrier, body, control))
    bit %= 8 * len(stream)
    stream[bit // 8] ^= 1 << bit % 8
    assert pushes.readings(bytes(stream), chunk, pushes.KEYS) == []


@st.composite
def damages(draw: st.DrawFn) -> tuple[Element, str, int | None, bytes]:
    """A list, how it was carried, and its telegram after something happened to it, perhaps more than once."""
    body, carrier, control = draw(bodies), draw(st.sampled_from(FRAMED)), draw(controls)
    stream = bytearray(carried(carrier, body, control, counter=50))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(stream)))
        stream[at : at + draw(st.sampled_from((0, 1, 2, 5, 40, 400)))] = draw(st.binary(max_size=12))
    return body, carrier, control, bytes(stream)


@tries()
@given(damages(), st.integers(1, 300))
def test_a_good_telegram_behind_damage_is_read_once(
    damaged: tuple[Element, str, int | None, bytes], chunk: int
) -> None:
    body, carrier, control, stream = damaged
    good = [carried(carrier, body, control, counter) for counter in (51, 52)]
    found = pushes.readings(stream + b"".join(good), chunk, pushes.KEYS)
    right = expected(body, control)
    # M-Bus has no more than a sum of eight bits: what damage leaves right by chance is told by its structure alone
    assert [alike(each) for each in found[-2:]] == [right] * 2
    if "mbus" not in carrier or control == 0x30:
        assert all(alike(each) == right for each in found)
        assert len(found) <= 3
    assert found == pushes.readings(stream + b"".join(good), None, pushes.KEYS)


@tries()
@given(
    st.one_of(st.binary(max_size=600), st.lists(damages(), max_size=3).map(lambda found: b"".join(x[3] for x in found)))
)
def test_any_bytes_are_readings_or_faults(stream: bytes) -> None:
    for keys in (None, pushes.KEYS):
        decoder = DlmsDecoder(keys)
        found = [each for at in range(0, len(stream), 50) for each in decoder.feed(stream[at : at + 50])]
        assert all(isinstance(each, Reading | Fault) for each in found)
        assert decoder.pending <= len(stream)


HOSTILE = {
    "flags": b"\x7e" * 64,
    "starts of frames": bytes.fromhex("7ea7ffcf0223") * 10,
    "headers of the longest frames": encoder.hdlc_frame(bytes(2030))[:11],
    "segments without end": encoder.hdlc_frame(b"\xe6\xe7\x00" + bytes(60), is_segment=True)
    + encoder.hdlc_frame(bytes(1000), is_segment=True) * 12,
    "starts of m-bus frames": b"\x68\x40\x40\x68",
    "parts without end": encoder.mbus_frame(bytes(200), 0, is_last=False)
    + b"".join(encoder.mbus_frame(bytes(200), number % 16, is_last=False) for number in range(1, 60)),
    "bare telegrams": pushes.apdu(pushes.kng())[:40] + b"\x09\x82\x07\xff",
    "bare lists in lists": (b"\x0f\0\0\0\0\0" + b"\x01\x7f" * 3) * 20,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_cost_no_memory_and_linear_time(name: str) -> None:
    piece = HOSTILE[name]
    stream = piece * (80_000 // len(piece))
    decoder = DlmsDecoder()
    tracemalloc.start()
    for at in range(0, len(stream), 1000):
        list(decoder.feed(stream[at : at + 1000]))
        assert decoder.pending < 20_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_cost_linear_time(name: str) -> None:
    """Eight times the bytes, at most some 24 times the CPU time; a little is always allowed."""
    few_s, many_s = (texts.cpu_seconds(DlmsDecoder(), HOSTILE[name], kilobytes * 1024) for kilobytes in (16, 128))
    assert many_s < 24 * few_s + 0.2


def test_damage_never_gives_a_wrong_value_nor_costs_the_next_telegram() -> None:
    """A short run of bench/damaged_telegrams.py."""
    streams = [
        [CARRIERS[carrier](pushes.sealed(LISTS[name], counter, control)) for counter in (50, 51, 52)]
        for carrier, name, control in (
            ("hdlc", "ljubljana", 0x20),
            ("segments", "tagged", 0x30),
            ("blocks", "described", 0x30),
            ("mbus", "flat", 0x30),
        )
    ]
    for seed in seeds(800):
        chance = Random(seed)
        before, data, behind = chance.choice(streams)
        decoder = DlmsDecoder(pushes.KEYS)
        (right,) = decoder.feed(before)
        found = texts.readings([*decoder.feed(mutated("dlms", data, chance)), *decoder.feed(behind)])
        assert isinstance(right, Reading)
        assert [each.registers for each in found[-1:]] == [right.registers], seed
        assert all(each.registers == right.registers for each in found if each.protection == "tag"), seed
        assert len(found) <= 2, seed
