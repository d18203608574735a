import pytest
from hypothesis import given
from hypothesis import strategies as st

from iskra_server.codecs.checksum import Variant, checksum


def bit_by_bit(data: bytes, start: int, final_xor: int) -> int:
    """CRC-16 with the reflected polynomial 0x8408, as the standards write it down."""
    register = start
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x8408 if register & 1 else 0)
    return register ^ final_xor


@pytest.mark.parametrize(("variant", "expected"), [(Variant.X25, "6e90"), (Variant.KERMIT, "2189")])
def test_the_check_values_of_the_catalogue(variant: Variant, expected: str) -> None:
    # "123456789" gives 0x906E for X-25 (low byte first here) and 0x2189 for KERMIT
    assert checksum(b"123456789", variant).hex() == expected


@given(st.binary(max_size=600))
def test_it_equals_the_definition(data: bytes) -> None:
    assert checksum(data) == bit_by_bit(data, 0xFFFF, 0xFFFF).to_bytes(2, "little")
    assert checksum(data, Variant.KERMIT) == bit_by_bit(data, 0, 0).to_bytes(2, "big")
