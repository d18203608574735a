from hypothesis import given
from hypothesis import strategies as st

from iskra_server.codecs.text.parity import SEVEN_BITS, has_parity, with_parity, wrong_bytes


def test_the_request_as_a_port_of_eight_bits_sends_it() -> None:
    # IEC 62056-21, 6.3.1
    assert with_parity(b"/?!\r\n").hex() == "af3f218d0a"


@given(st.binary().map(lambda data: data.translate(SEVEN_BITS)))
def test_parity_comes_off_again(data: bytes) -> None:
    sent = with_parity(data)
    assert sent.translate(SEVEN_BITS) == data
    assert wrong_bytes(sent) == 0


@given(st.binary(min_size=1), st.data())
def test_each_flipped_bit_is_seen(data: bytes, draw: st.DataObject) -> None:
    sent = bytearray(with_parity(data))
    at, bit = draw.draw(st.integers(0, len(sent) - 1)), draw.draw(st.integers(0, 7))
    sent[at] ^= 1 << bit
    assert wrong_bytes(bytes(sent)) == 1


def test_a_text_of_seven_bits_has_no_parity() -> None:
    assert not has_parity(b"1-0:1.8.0(1*kWh)")
    assert has_parity(with_parity(b"1-0:1.8.0(1*kWh)"))
