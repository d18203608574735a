import pytest

from iskra_server.codecs.errors import Malformed
from iskra_server.codecs.sml import tlv


def test_malformed_says_where_and_what() -> None:
    with pytest.raises(Malformed, match=r"field at byte 1 claims 5 bytes, 2 are left"):
        tlv.parse(b"\x00\x55\x01", 1)
