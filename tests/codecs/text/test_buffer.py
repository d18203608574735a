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
