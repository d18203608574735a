import pytest

import pushes
import telegrams
import texts
from iskra_server.codecs import marks
from iskra_server.codecs.dlms import encoder
from iskra_server.codecs.text.parity import with_parity

BARE = pushes.apdu(pushes.tagged())


@pytest.mark.parametrize(
    ("data", "protocols"),
    [
        (telegrams.telegram(), ("sml",)),
        (texts.p1_telegram(), ("p1", "d0")),
        (with_parity(texts.p1_telegram()), ("p1", "d0")),
        (b"\x021.8.0(0008048.375*kWh)", ("d0",)),
        (with_parity(b"\x021.8.0(0008048.375*kWh)"), ("d0",)),
        (encoder.hdlc(BARE), ("dlms",)),
        (encoder.mbus(BARE), ("dlms",)),
        (BARE, ("dlms",)),
        (pushes.sealed(pushes.tagged()), ("dlms",)),
        (encoder.hdlc(BARE)[9:], ("dlms",)),
    ],
)
def test_a_telegram_is_marked_where_it_begins(data: bytes, protocols: tuple[str, ...]) -> None:
    assert marks.find(b"noise" + data)[0] == (5, protocols)
    # however it is cut: found once, as soon as its mark is whole
    ends = [end for end in range(len(data) + 1) if marks.find(data[:end])[:1] == [(0, protocols)]]
    assert ends[0] <= marks.MAX_MARK
    assert marks.find(data, ends[0] - 1)[0] == (0, protocols)


@pytest.mark.parametrize(
    "noise",
    [
        *(b"/?!\r\n", b"/ABC5", b"GET /abc HTTP/1.1", b"\x7e\xa0\x10\x03\x05\x13\x00\x00rest", b"\x68\x10\x11\x68"),
        *(b"\x02\x03", b"\xdb\x08abc", b"\x0f0123\x03", bytes(range(256))),
    ],
)
def test_what_only_looks_like_one_is_no_mark(noise: bytes) -> None:
    assert marks.find(noise) == []


def test_telegrams_of_two_protocols_do_not_end_in_one_piece() -> None:
    sml, p1 = telegrams.telegram(), texts.p1_telegram()
    assert list(marks.pieces(b"", b"noise" + sml + p1 + p1)) == [
        (b"noise", set()),
        (sml, {"sml"}),
        (p1, {"p1", "d0"}),
        (p1, {"p1", "d0"}),
    ]
    # a mark that began in the bytes before
    assert list(marks.pieces(sml[:3], sml[3:])) == [(sml[3:], {"sml"})]
    assert marks.begun(sml + p1) == {"sml", "p1", "d0"}
