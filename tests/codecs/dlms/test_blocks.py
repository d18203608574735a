import pytest

import pushes
from iskra_server.codecs.dlms import encoder
from iskra_server.codecs.dlms.blocks import MAX_TELEGRAM, Assembled, Assembly
from iskra_server.codecs.dlms.hdlc import HdlcFrame
from iskra_server.codecs.dlms.mbus import MbusFrame
from iskra_server.meter.reading import Fault

APDU = pushes.apdu(pushes.described())
LLC = b"\xe6\xe7\x00"


def added(*frames: HdlcFrame | MbusFrame) -> list[Assembled | Fault]:
    assembly = Assembly()
    return [each for frame in frames for each in assembly.add(frame)]


def segment(data: bytes, *, more: bool, addresses: bytes = encoder.ADDRESSES) -> HdlcFrame:
    return HdlcFrame(data, more, addresses, len(data))


def part(data: bytes, number: int, *, last: bool) -> MbusFrame:
    return MbusFrame(data, number, last, len(data))


def kinds(found: list[Assembled | Fault]) -> list[str]:
    return [each.kind if isinstance(each, Fault) else "whole" for each in found]


def test_segments_make_a_telegram() -> None:
    first, *rest = (APDU[at : at + 50] for at in range(0, len(APDU), 50))
    frames = [segment(LLC + first, more=True), *(segment(each, more=each is not rest[-1]) for each in rest)]
    assert added(*frames) == [Assembled(APDU, len(APDU) + 3)]


def test_a_frame_with_llc_begins_anew() -> None:
    frames = [segment(LLC + APDU[:50], more=True), segment(LLC + APDU, more=False)]
    assert added(*frames) == [
        Fault("cut", "the rest of this telegram is missing", 53),
        Assembled(APDU, len(APDU) + 3),
    ]


def test_the_other_form_of_llc_is_one() -> None:
    assert added(segment(b"\xe6\xe6\x00" + APDU, more=False)) == [Assembled(APDU, len(APDU) + 3)]


def test_a_segment_of_another_meter_continues_nothing() -> None:
    frames = [segment(LLC + APDU[:50], more=True), segment(APDU[50:], more=False, addresses=b"\xcf\x03")]
    assert kinds(added(*frames)) == ["cut", "cut"]


def test_a_segment_without_beginning_is_dropped() -> None:
    assert kinds(added(segment(APDU[50:], more=False), segment(APDU, more=False))) == ["cut", "whole"]


def test_mbus_parts_are_in_order() -> None:
    parts = [part(APDU[:50], 0, last=False), part(APDU[50:90], 1, last=False), part(APDU[90:], 2, last=True)]
    # a sum of eight bits is no protection
    assert added(*parts) == [Assembled(APDU, len(APDU), protection="sum")]
    assert kinds(added(parts[0], parts[2])) == ["cut", "cut"]
    assert kinds(added(parts[1], *parts)) == ["cut", "whole"]
    assert kinds(added(parts[0], *parts)) == ["cut", "whole"]


def blocks(*, llc: bool) -> list[HdlcFrame]:
    found = list(encoder.blocks(APDU, 60))
    return [segment((LLC if llc or number == 0 else b"") + each, more=False) for number, each in enumerate(found)]


@pytest.mark.parametrize("llc", [True, False], ids=["llc in each", "llc in the first"])
def test_blocks_make_a_telegram(llc: bool) -> None:
    frames = blocks(llc=llc)
    assert len(frames) > 3
    assert added(*frames) == [Assembled(APDU, sum(frame.size for frame in frames))]


def test_a_lost_block_costs_the_telegram_alone() -> None:
    frames = blocks(llc=False)
    assert kinds(added(*frames[:2], *frames[3:], *frames)) == ["cut"] * (len(frames) - 2) + ["whole"]
    assert kinds(added(*frames[1:], *frames)) == ["cut"] * (len(frames) - 1) + ["whole"]


def test_another_telegram_ends_the_blocks() -> None:
    assert kinds(added(*blocks(llc=False)[:2], segment(LLC + APDU, more=False))) == ["cut", "whole"]


def test_a_block_of_the_wrong_length_is_malformed() -> None:
    first, *_ = encoder.blocks(APDU, 60)
    assert kinds(added(segment(LLC + first + b"\0", more=False), segment(LLC + first[:5], more=False))) == [
        "structure",
        "structure",
    ]


def test_parts_without_end_are_given_up() -> None:
    frames = [segment(bytes(2000), more=True)] * (MAX_TELEGRAM // 2000 + 1)
    assembly = Assembly()
    first = segment(LLC + bytes(10), more=True)
    assert kinds([each for frame in (first, *frames) for each in assembly.add(frame)]) == ["oversize"]
    assert assembly.size == 0


def test_blocks_without_end_are_given_up() -> None:
    frames = [segment(each, more=False) for each in encoder.blocks(bytes(4 * MAX_TELEGRAM), 1000)]
    found = added(*frames)
    assert set(kinds(found)) == {"oversize", "cut"}
