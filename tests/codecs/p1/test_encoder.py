import texts
from iskra_server.codecs.p1 import encoder


def test_a_telegram_ends_in_its_checksum() -> None:
    assert encoder.telegram("ABC5", []) == b"/ABC5\r\n\r\n!E386\r\n"


def test_the_lines_stand_between_the_identification_and_the_end() -> None:
    assert encoder.without_checksum(texts.P1_IDENT, ["1-0:1.8.1(1*kWh)"]) == (
        b"/ISK5\\2M550T-1099\r\n\r\n1-0:1.8.1(1*kWh)\r\n!\r\n"
    )
