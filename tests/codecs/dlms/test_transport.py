"""Frames out of a stream: HDLC, M-Bus, bare telegrams."""

import pytest

import pushes
from iskra_server.codecs.checksum import checksum
from iskra_server.codecs.dlms import encoder
from iskra_server.codecs.dlms.bare import MAX_TELEGRAM
from iskra_server.codecs.dlms.blocks import Assembled
from iskra_server.codecs.dlms.hdlc import HdlcFrame
from iskra_server.codecs.dlms.mbus import MbusFrame
from iskra_server.codecs.dlms.transport import Found, Transport
from iskra_server.meter.reading import Fault

APDU = pushes.apdu(pushes.ljubljana())
HDLC = encoder.hdlc(APDU)
MBUS = encoder.mbus_frame(APDU, 0, is_last=True)


def found(stream: bytes, chunk: int | None = None) -> list[Found]:
    transport = Transport()
    chunk = chunk or len(stream)
    return [each for at in range(0, len(stream), chunk) for each in fed(transport, stream[at : at + chunk])]


def fed(transport: Transport, data: bytes) -> list[Found]:
    transport.feed(data)
    return list(iter(transport.next, None))


def frames(stream: bytes, chunk: int | None = None) -> list[Found]:
    return [each for each in found(stream, chunk) if not isinstance(each, Fault)]


def test_an_hdlc_frame_has_information_addresses_and_size() -> None:
    (frame,) = found(HDLC)
    assert frame == HdlcFrame(b"\xe6\xe7\x00" + APDU, is_segment=False, addresses=encoder.ADDRESSES, size=len(HDLC))


@pytest.mark.parametrize("addresses", ["cf0223", "ceff03", "410883", "2b21", "010201", "0202020303"])
def test_addresses_have_one_to_four_bytes(addresses: str) -> None:
    (frame,) = found(encoder.hdlc(APDU, addresses=bytes.fromhex(addresses)))
    assert isinstance(frame, HdlcFrame) and frame.addresses.hex() == addresses


def test_an_address_without_end_is_noise() -> None:
    head = bytes.fromhex("a00e0202020202") + bytes(9)
    assert [each for each in found(b"\x7e" + head + HDLC) if isinstance(each, HdlcFrame)] == found(HDLC)


def test_a_frame_without_information_is_one() -> None:
    frame = bytes.fromhex("a007cf0313")
    stream = b"\x7e" + frame + checksum(frame) + b"\x7e"
    assert found(stream) == [HdlcFrame(b"", is_segment=False, addresses=b"\xcf\x03", size=len(stream))]


def test_7e_may_stand_anywhere_inside() -> None:
    # one of a few hundred telegrams has it in a checksum
    telegrams = [encoder.hdlc(pushes.apdu(pushes.ljubljana(volts=volts))) for volts in range(2000, 2400)]
    telegram = next(each for each in telegrams if 0x7E in each[-3:-1])
    assert len(frames(telegram * 3, 1)) == 3
    assert len(frames(encoder.hdlc(pushes.apdu(pushes.ljubljana(powers=(0x7EA0847E, 0)))))) == 1


def test_frames_may_share_a_flag() -> None:
    stream = HDLC + HDLC[1:] + HDLC
    assert len(found(stream)) == len(found(stream, 1)) == 3


def test_flags_between_frames_are_filling() -> None:
    assert len(frames(HDLC + b"\x7e" * 7 + HDLC)) == 2


@pytest.mark.parametrize("cut", range(2, len(HDLC), 7))
def test_a_cut_frame_does_not_cost_the_next_one(cut: int) -> None:
    stream = HDLC[:cut] + HDLC + HDLC
    assert len(frames(stream)) == len(frames(stream, 1)) == 2


@pytest.mark.parametrize("cut", range(2, len(MBUS), 7))
def test_a_cut_mbus_frame_does_not_cost_the_next_one(cut: int) -> None:
    stream = MBUS[:cut] + MBUS + MBUS
    assert len(frames(stream)) == len(frames(stream, 1)) == 2


def test_a_damaged_frame_is_one_fault_of_its_length() -> None:
    damaged = bytearray(HDLC)
    damaged[40] ^= 4
    assert found(bytes(damaged) + HDLC)[:-1] == [Fault("checksum", "the checksum of the frame is wrong", len(HDLC))]
    without_end = HDLC[:-1] + b"\x00" + HDLC
    assert found(without_end)[0] == Fault("checksum", "the frame does not end where its length says", len(HDLC) - 1)


def test_an_mbus_frame_has_its_number() -> None:
    assert found(MBUS) == [MbusFrame(APDU, 0, is_last=True, size=len(MBUS))]
    assert found(encoder.mbus_frame(b"part", 3, is_last=False)) == [MbusFrame(b"part", 3, is_last=False, size=15)]


@pytest.mark.parametrize("length", [251, 252, 256, 260, 300])
def test_the_length_of_an_mbus_frame_may_overflow(length: int) -> None:
    stream = encoder.mbus_frame(bytes(length), 0, is_last=False)
    assert (
        found(stream * 2) == found(stream * 2, 1) == [MbusFrame(bytes(length), 0, is_last=False, size=len(stream))] * 2
    )


def test_an_mbus_frame_with_other_content_is_noise() -> None:
    stream = bytearray(MBUS)
    stream[6] = 0x72
    stream[-2] = sum(stream[4:-2]) & 0xFF
    assert frames(bytes(stream)) == []


def test_a_bare_telegram_counts_at_the_start_and_behind_another() -> None:
    for chunk in (1, 7, None):
        assert frames(APDU * 3, chunk) == [Assembled(APDU, len(APDU), protection="none")] * 3
    with_llc = b"\xe6\xe7\x00" + APDU
    assert frames(with_llc * 2, 1) == [Assembled(APDU, len(with_llc), protection="none")] * 2


def test_a_bare_telegram_behind_noise_counts_when_another_one_follows() -> None:
    assert frames(b"\x00\x12" + APDU) == []
    assert len(frames(b"\x00\x12" + APDU * 2)) == len(frames(b"\x00\x12" + APDU * 2, 1)) == 2


def test_a_telegram_inside_a_damaged_frame_is_no_bare_one() -> None:
    damaged = bytearray(HDLC)
    damaged[60] ^= 1
    assert frames(bytes(damaged)) == frames(bytes(damaged), 1) == []
    assert frames(bytes(damaged[9:])) == []


def test_behind_a_right_frame_no_bare_telegram_counts() -> None:
    assert len(frames(HDLC + APDU * 3)) == 1


def test_a_bare_encrypted_telegram_ends_by_its_length() -> None:
    pytest.importorskip("cryptography")
    sealed = pushes.sealed(pushes.kng())
    assert frames(sealed * 2, 1) == [Assembled(sealed, len(sealed), protection="none")] * 2


@pytest.mark.parametrize(
    "beginning",
    [b"\x0f\0\0\0\0\0\x02\x02\x09\x82\xff\xff", b"\xdb\x08ISKabcde\x82\xff\xff\x30", b"\xe6\xe7\x01", b"\xdb\x08isk"],
)
def test_what_only_begins_like_a_bare_telegram_holds_nothing_for_long(beginning: bytes) -> None:
    transport = Transport()
    fed(transport, beginning + bytes(MAX_TELEGRAM))
    assert fed(transport, HDLC)[-1] == found(HDLC)[0]


@pytest.mark.parametrize("chunk", [1, 7, None])
def test_a_frame_behind_the_beginning_of_a_bare_telegram_is_read_at_once(chunk: int | None) -> None:
    for frame in (HDLC, MBUS):
        for cut in range(25, 60, 3):
            assert frames(APDU[:cut] + frame, chunk) == frames(frame)


def test_noise_is_reported_in_pieces_that_do_not_depend_on_chunks() -> None:
    noise = bytes(range(0x80, 0x90)) * 200
    assert found(noise + HDLC) == found(noise + HDLC, 1)
    assert sum(each.byte_count for each in found(noise + HDLC) if isinstance(each, Fault)) == len(noise)
    transport = Transport()
    fed(transport, noise)
    assert transport.pending == len(noise) % 1024


def test_inside_of_what_is_refused_the_search_goes_on() -> None:
    transport = Transport()
    inner = encoder.mbus_frame(b"inner", 0, is_last=True)
    outer = encoder.mbus_frame(b"outer" + inner, 0, is_last=True)
    transport.feed(outer + inner)
    assert transport.next() == found(outer)[0]
    transport.refuse()
    assert list(iter(transport.next, None)) == found(inner) * 2
    assert transport.pending == 0
