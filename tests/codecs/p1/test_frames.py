from hypothesis import given
from hypothesis import strategies as st

import telegrams
import texts
from iskra_server.codecs.p1.frames import MAX_TELEGRAM, Frames, Telegram
from iskra_server.meter.reading import Fault

TELEGRAM = texts.p1_telegram()


def cut(data: bytes, chunk: int | None = None) -> list[Telegram | Fault]:
    return texts.cut(Frames(), data, chunk)


def kinds(data: bytes) -> list[str]:
    return ["telegram" if isinstance(found, Telegram) else found.kind for found in cut(data)]


def test_a_telegram_is_cut_from_its_start_to_its_checksum() -> None:
    (found,) = cut(TELEGRAM)
    assert isinstance(found, Telegram)
    assert (found.text, found.raw) == (TELEGRAM[:-6], TELEGRAM[:-2])
    assert (found.digits, found.length) == (TELEGRAM[-6:-2], len(TELEGRAM) - 2)


def test_telegrams_without_a_gap() -> None:
    assert kinds(TELEGRAM[:-2] + TELEGRAM) == ["telegram", "telegram"]


def test_what_stands_between_telegrams_is_noise_but_for_line_ends() -> None:
    assert kinds(TELEGRAM + b"\0\r\n \r\n" + TELEGRAM + b"ab/c!" + TELEGRAM) == ["telegram"] * 2 + ["noise", "telegram"]


def test_a_telegram_inside_another_one_shows_that_it_was_cut() -> None:
    for at in (30, 200, len(TELEGRAM) - 8):
        found = cut(TELEGRAM[:at] + TELEGRAM)
        assert [isinstance(each, Fault) for each in found] == [True, False]
        assert found[0] == Fault("cut", "a new telegram begins inside this one", at)


def test_a_telegram_without_a_checksum_waits_for_its_line_end() -> None:
    body = TELEGRAM[:-6]
    frames = Frames()
    frames.feed(body)
    assert frames.next() is None
    frames.feed(b"\r")
    assert frames.next() is None
    frames.feed(b"\n")
    found = frames.next()
    assert isinstance(found, Telegram) and (found.digits, found.ends_line) == (b"", True)
    assert not getattr(cut(body + b"x")[0], "ends_line", True)


def test_an_end_that_never_comes() -> None:
    assert kinds(TELEGRAM[:40] + b"1" * MAX_TELEGRAM + TELEGRAM) == ["oversize", "noise", "telegram"]


def test_the_bound_holds_however_the_bytes_come() -> None:
    for chunk in (1, 100, 5000):
        frames, most = Frames(), 0
        for part in telegrams.chunks(b"/ABC5x\r\n" + b"(1)\r\n" * 4000, chunk):
            frames.feed(part)
            while frames.next() is not None:
                pass
            most = max(most, frames.pending)
        assert most <= MAX_TELEGRAM + chunk


pieces = st.sampled_from(
    [b"/ABC5\r\n", b"/A", b"!", b"\n!", b")!00", b"1.8.0(1)\r\n", b"\0", b"\xff", TELEGRAM, TELEGRAM[:99]]
)


@given(st.lists(st.one_of(pieces, st.binary(max_size=20)), max_size=12).map(b"".join), st.integers(1, 80))
def test_any_bytes_in_any_pieces_give_the_same(data: bytes, chunk: int) -> None:
    assert cut(data, chunk) == cut(data)


def test_any_bytes_cost_linear_time() -> None:
    """Each byte is searched a few times at most, however many starts and ends there are."""
    for hostile in (b"/ABC5\r\n", b"/ABC5\r\n\n!", b"/ABC", b"\n!0000\r\n", b"/ABC5" + b"a" * 64, b"/ABC5\r\n" + b")!"):
        few, many = (len(cut(hostile * count, 64)) for count in (500, 5000))
        assert many <= 10 * few + 10
