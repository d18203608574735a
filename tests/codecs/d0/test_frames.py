from functools import reduce
from operator import xor

from hypothesis import given
from hypothesis import strategies as st

import telegrams
import texts
from iskra_server.codecs.d0 import encoder
from iskra_server.codecs.d0.frames import EOT, ETX, MAX_READOUT, D0Message, Frames
from iskra_server.meter.reading import Fault

READOUT = texts.d0_readout()


def cut(data: bytes, chunk: int | None = None) -> list[D0Message | Fault]:
    return texts.cut(Frames(), data, chunk)


def kinds(data: bytes) -> list[str]:
    return ["message" if isinstance(found, D0Message) else found.kind for found in cut(data)]


def test_a_readout_is_cut_from_its_identification_to_its_block_check() -> None:
    (found,) = cut(READOUT)
    assert isinstance(found, D0Message)
    assert (found.ident, found.command, found.end, found.fits) == (texts.D0_IDENT, "", ETX, True)
    assert found.raw == READOUT
    assert found.text.startswith("1-0:0.9.1*255(201455)\r\n") and found.text.endswith("!\r\n")


def test_garbage_while_the_speed_is_switched_is_skipped() -> None:
    ident, block = encoder.identification("ABC5x"), encoder.block("1.8.0(1)")
    for garbage in (b"\xff", b"?\0\x80", b"\x06050\r\n", b"\x03\x04!"):
        (found,) = cut(ident + garbage + block)
        assert isinstance(found, D0Message) and (found.ident, found.fits) == ("ABC5x", True)


def test_a_block_check_may_be_any_character() -> None:
    # '/', '!', line ends and the marks of messages
    for wanted in (0x02, 0x03, 0x04, 0x21, 0x2F, 0x0D, 0x01):
        text = next(f"1.8.0({a:c}{b:c})" for a in range(48, 123) for b in range(48, 123)
                    if reduce(xor, f"1.8.0({a:c}{b:c})\x03".encode()) == wanted)  # fmt: skip
        found = cut((encoder.identification("ABC5x") + encoder.block(text)) * 2)
        assert [isinstance(each, D0Message) and each.fits for each in found] == [True, True]


def test_a_lost_block_check_that_would_have_been_a_slash_does_not_cost_the_next_readout() -> None:
    text = next(f"1.8.0({a:c}{b:c})" for a in range(48, 123) for b in range(48, 123)
                if reduce(xor, f"1.8.0({a:c}{b:c})\x03".encode()) == 0x2F)  # fmt: skip
    message = encoder.identification("ABC5x") + encoder.block(text)
    for chunk in (1, None):
        found = cut(message[:-1] + message * 2, chunk)
        assert [isinstance(each, D0Message) and (each.ident, each.fits) for each in found] == [("ABC5x", True)] * 3
    assert [each.raw for each in cut(message) if isinstance(each, D0Message)] == [message]


def test_a_block_that_is_not_the_last_one() -> None:
    found = cut(encoder.block("1.8.0(1)", is_last=False) + b"\x06" + encoder.block("2.8.0(1)"))
    assert [isinstance(each, D0Message) and each.end for each in found] == [EOT, ETX]


def test_programming_mode() -> None:
    (found,) = cut(encoder.command("P0", "()"))
    assert isinstance(found, D0Message) and (found.command, found.text, found.fits) == ("P0", "()", True)


def test_a_readout_without_a_block_check() -> None:
    (found,) = cut(encoder.pushed("ABC5x", ["1.8.0(1)"]))
    assert isinstance(found, D0Message) and (found.text, found.end) == ("1.8.0(1)\r\n", b"!")
    (found,) = cut(encoder.pushed("ABC5x", ["0.2.2(:::::G11)!"])[:-3])
    assert isinstance(found, D0Message) and found.text == "0.2.2(:::::G11)"


def test_a_readout_that_lost_its_stx_is_none_without_a_block_check() -> None:
    assert kinds(READOUT.replace(b"\x02", b"", 1))[0] == "structure"
    assert kinds(READOUT.replace(b"\x02", b"\n", 1))[0] == "structure"


def test_damage_and_what_follows_it() -> None:
    assert kinds(READOUT[:100] + READOUT) == ["cut", "message"]
    assert kinds(b"abc" + READOUT) == ["noise", "message"]
    assert kinds(encoder.identification("ABC5x") + READOUT) == ["cut", "message"]
    # a lost ETX, a lost block check
    assert kinds(READOUT[:-2] + READOUT) == ["cut", "message"]
    assert [isinstance(each, D0Message) and each.fits for each in cut(READOUT[:-1] + READOUT)] == [False, True]


def test_an_end_that_never_comes() -> None:
    data = encoder.identification("ABC5x") + b"\x02" + b"1.8.0(1)\r\n" * 4000
    assert kinds(data + READOUT) == ["oversize", "noise", "message"]


def test_the_bound_holds_however_the_bytes_come() -> None:
    for chunk in (1, 100, 5000):
        frames, most = Frames(), 0
        for part in telegrams.chunks(encoder.identification("ABC5x") + b"\x02" + b"(1)\r\n" * 8000, chunk):
            frames.feed(part)
            while frames.next() is not None:
                pass
            most = max(most, frames.pending)
        assert most <= MAX_READOUT + chunk + 70


pieces = st.sampled_from(
    [
        b"/ABC5\r\n",
        b"/A",
        b"!\r\n",
        b"\n!\r\n",
        b"\x02",
        b"\x03",
        b"\x04",
        b"\x01P0\x02",
        b"1.8.0(1)\r\n",
        b"\r\n",
        READOUT,
    ]
)


@given(st.lists(st.one_of(pieces, st.binary(max_size=20)), max_size=14).map(b"".join), st.integers(1, 80))
def test_any_bytes_in_any_pieces_give_the_same(data: bytes, chunk: int) -> None:
    assert [each for each in cut(data, chunk) if isinstance(each, D0Message)] == [
        each for each in cut(data) if isinstance(each, D0Message)
    ]


def test_any_bytes_give_no_more_than_they_have() -> None:
    """However many beginnings and ends there are: one result for each at most."""
    for hostile in (b"/ABC5\r\n", b"\x02", b"\x02\x03", b"\x02\x03\x02", b"/ABC5\r\n\x02", b"\n!\r\n", b"\x01P0\x02"):
        few, many = (len(cut(hostile * count, 64)) for count in (500, 5000))
        assert many <= 10 * few + 10 and many <= 2 * 5000
