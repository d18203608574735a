from iskra_server.codecs.d0 import encoder


def test_what_a_reader_sends() -> None:
    """The bytes of IEC 62056-21, and of public logs of an ME162."""
    assert encoder.request() == b"/?!\r\n"
    assert encoder.request("63000199") == b"/?63000199!\r\n"
    assert encoder.option_select("5") == b"\x06050\r\n"
    assert encoder.option_select("5", encoder.PROGRAMMING) == b"\x06051\r\n"
    assert encoder.read_register("1.8.0") == b"\x01R1\x021.8.0()\x03Z"
    assert encoder.BREAK.hex() == "0142300371"


def test_what_a_meter_answers() -> None:
    assert encoder.identification("ISK5ME162-0033") == b"/ISK5ME162-0033\r\n"
    assert encoder.command("P0", "()") == b"\x01P0\x02()\x03\x60"
    assert encoder.block("(0033402.264*kWh)") == b"\x02(0033402.264*kWh)\x03T"
    assert encoder.block("1.8.0(1)", is_last=False)[-2:-1] == b"\x04"
    assert encoder.readout(["1.8.0(1)"]).startswith(b"\x021.8.0(1)\r\n!\r\n\x03")
    assert encoder.pushed("ABC5x", ["1.8.0(1)"]) == b"/ABC5x\r\n\r\n1.8.0(1)\r\n!\r\n"
