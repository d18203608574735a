import pytest

from iskra_server.codecs.dlms import identity
from iskra_server.codecs.dlms.identity import identify
from iskra_server.meter.identity import UNKNOWN, Identity
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register

DIN = bytes.fromhex("0a0149534b00042c1d81")
TITLE = bytes.fromhex("49534b67742c1d81")


def register(obis: str, raw: bytes | int) -> Register:
    return Register(Obis.parse(obis), raw)


NAME = register("0-0:42.0.0", b"ISK1030770000001")
ISKRA = Identity("1 ISK 00 70000001", DIN)


def test_a_meter_of_iskra_is_one_whichever_name_it_sends() -> None:
    assert identify([NAME], b"") == ISKRA
    assert identify([], TITLE) == ISKRA
    assert identify([register("0-0:96.1.0", b"1ISK0070000001")], b"") == ISKRA
    assert identify([register("0-0:96.1.0", b"70000001")], b"", maker="ISK") == ISKRA
    assert identity.from_title(TITLE) == ISKRA


def test_the_logical_device_name_comes_first_and_the_system_title_before_what_else_there_is() -> None:
    number = register("0-0:96.1.0", b"63300013")
    assert identify([number, NAME], b"KFMgabcd") == ISKRA
    assert identify([number], TITLE).meter_id == "63300013"
    assert identify([register("0-0:96.1.1", b"1876350")], TITLE) == ISKRA
    assert identify([register("0-0:96.1.1", b"1876350")], b"").meter_id == "1876350"
    assert identify([], b"", number=b"178000000042").meter_id == "178000000042"
    assert identify([register("1-1:0.0.1", 34000009)], b"").meter_id == "34000009"


@pytest.mark.parametrize("name", [b"", b"00000000", b"\0\0\0\0", b" "])
def test_empty_names_and_zeros_are_none(name: bytes) -> None:
    assert identify([register("0-0:42.0.0", name)], b"") == UNKNOWN
    assert identify([register("0-0:42.0.0", name)], TITLE) == ISKRA


def test_the_title_of_another_maker_is_shown_in_hex() -> None:
    title = b"KFMg\x50\0\0\x99"
    assert identity.from_title(title) == Identity("4b464d6750000099", title)
    assert identity.from_title(b"") == UNKNOWN
    # no serial number has nine digits
    assert identity.from_title(bytes.fromhex("49534b677fffffff")).meter_id == "49534b677fffffff"


def test_names_that_no_one_can_read_are_shown_in_hex() -> None:
    assert identify([register("0-0:96.1.0", b"\x01\x02")], b"") == Identity("0102", b"\x01\x02")
    assert identify([register("0-0:96.1.0", b"AB\0\0\0")], b"") == Identity("AB", b"AB")


def test_the_name_of_a_list_is_no_identity() -> None:
    assert identify([register("0-6:25.9.0", b"16820001"), register("0-0:96.1.2", b"UP_3f")], b"") == UNKNOWN


def test_the_maker_is_in_title_or_name() -> None:
    assert identity.maker_of(TITLE, []) == "ISK"
    assert identity.maker_of(b"", [NAME]) == "ISK"
    assert identity.maker_of(b"", [register("0-0:42.0.0", b"12")]) == ""
    assert identity.maker_of(b"\0\1\2abc", [NAME]) == ""
