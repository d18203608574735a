import pytest

from iskra_server.codecs.text.identification import MAX_START, START


@pytest.mark.parametrize(
    "line", [b"/ISk5MT174-0001\r\n", b"/KAM5\r\n", b"/ISK5\\2M550T-1012\n", b"/ABC" + b"5" * 64 + b"\r\n"]
)
def test_an_identification(line: bytes) -> None:
    assert START.fullmatch(line)
    assert len(line) <= MAX_START


@pytest.mark.parametrize(
    "line", [b"/?!\r\n", b"/ISK\r\n", b"/IS15MT\r\n", b"/ISK5(1)\r\n", b"/ISK5/ABC\r\n", b"/ISK5" + b"x" * 65]
)
def test_what_is_none(line: bytes) -> None:
    assert not START.fullmatch(line)
