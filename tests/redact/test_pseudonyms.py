"""A pseudonym has the form of the original, and one serial number has one pseudonym in all its forms."""

import pytest

from iskra_server.redact.pseudonyms import Pseudonyms, is_name

SERIAL = "70347617"
NUMBER = int(SERIAL).to_bytes(4)


@pytest.mark.parametrize(
    ("original", "pseudonym"),
    [
        (SERIAL.encode(), b"00000001"),
        (b"1ISK00" + SERIAL.encode(), b"1ISK0000000001"),
        (b"ISK10307" + SERIAL.encode(), b"ISK1030700000001"),
        ((b"1ISK00" + SERIAL.encode()).hex().upper().encode(), b"1ISK0000000001".hex().upper().encode()),
        (bytes.fromhex("0a0149534b00") + NUMBER, bytes.fromhex("0a0149534b0000000001")),
        (b"ISKg" + bytes((0x70 | NUMBER[0],)) + NUMBER[1:], b"ISKg\x70\x00\x00\x01"),
    ],
)
def test_each_form_of_a_serial_number_has_the_same_pseudonym(original: bytes, pseudonym: bytes) -> None:
    pseudonyms = Pseudonyms()
    assert pseudonyms.of(SERIAL.encode()) == b"00000001"
    assert pseudonyms.of(original) == pseudonym


@pytest.mark.parametrize(
    ("original", "pseudonym"),
    [
        ("E0047000123456718", "E0000000000000001"),
        ("541448820043215678", "000000000000000001"),
        ("Maier, Gartenweg 17", "0000000000000000001"),
        (" 70347617 ", " 00000001 "),
        ("00000000", "00000000"),
        ("", ""),
    ],
)
def test_other_names_keep_their_length_and_a_makers_letters(original: str, pseudonym: str) -> None:
    assert Pseudonyms().of_text(original) == pseudonym


def test_another_makers_title_keeps_the_maker() -> None:
    title = bytes.fromhex("4b464d6750000099")
    assert Pseudonyms().of(title) == bytes.fromhex("4b464d6700000001")


@pytest.mark.parametrize(
    "trace",
    [
        *(SERIAL.encode(), SERIAL[::-1].encode(), SERIAL.encode().hex().encode(), NUMBER.hex().upper().encode()),
        *(NUMBER, NUMBER[::-1], bytes.fromhex(SERIAL), bytes.fromhex(SERIAL)[::-1]),
    ],
)
@pytest.mark.parametrize(
    "original", [SERIAL.encode(), bytes.fromhex("0a0149534b00") + NUMBER, (b"1ISK00" + SERIAL.encode()).hex().encode()]
)
def test_each_form_of_a_serial_number_is_found(original: bytes, trace: bytes) -> None:
    pseudonyms = Pseudonyms()
    pseudonyms.forbid(original)
    assert pseudonyms.leaks_identity(b"x" + trace + b"y")
    assert pseudonyms.leaks_identity(b"x" + trace + b"y", is_text=True) == (trace.isascii() and trace.isalnum())
    assert not pseudonyms.leaks_identity(b"1ISK0000000001 0012345.678*kWh", is_text=True)


def test_a_number_that_may_occur_by_chance_is_not_searched() -> None:
    pseudonyms = Pseudonyms()
    pseudonyms.forbid(b"00000042")
    assert not pseudonyms.leaks_identity(b"1.8.0(0000042.000*kWh)", is_text=True)


@pytest.mark.parametrize(
    ("text", "expected"), [(SERIAL, True), ("1ISK00" + SERIAL, True), ("kWh", False), ("0001", False), ("FDF5", False)]
)
def test_what_looks_like_a_name(text: str, expected: bool) -> None:
    assert is_name(text) is expected
