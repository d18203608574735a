import re

from iskra_server.codecs.text.buffer import Buffer
from iskra_server.codecs.text.parity import with_parity


def test_bytes_are_taken_as_they_arrived_and_in_seven_bits() -> None:
    buffer = Buffer()
    buffer.feed(with_parity(b"\r\n 123"))
    buffer.skip_gap()
    assert buffer.pop(2) == (b"12", with_parity(b"12"))
    assert len(buffer) == 1


def test_a_gap_is_no_noise() -> None:
    buffer = Buffer()
    buffer.feed(b"\r\n\0 \x06ab")
    assert buffer.pop_noise(5) is None
    noise = buffer.pop_noise(2)
    assert noise is not None and (noise.kind, noise.byte_count) == ("noise", 2)


def test_the_first_match_is_found_wherever_it_begins() -> None:
    pattern = re.compile(rb"/x|(?<=\n)!")
    for before in (0, 5, 1023, 1024, 1025, 5000):
        buffer = Buffer()
        buffer.feed(b"/" * 3 + b"a" * before + b"\n!/x")
        match = buffer.search(pattern, (b"/", b"!"), 0, 10_000)
        assert match is not None and match.span() == (before + 4, before + 5)
        again = buffer.search(pattern, (b"/", b"!"), before + 5, 10_000)
        assert again is not None and again[0] == b"/x"
        assert buffer.search(pattern, (b"/", b"!"), 0, before + 4) is None
        assert buffer.search(pattern, (b"/", b"!"), before + 7, 10_000) is None
