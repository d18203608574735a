"""No form of an identity or a secret is left in a text."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iskra_server.base.secret import Secret
from iskra_server.redact.text import Scrubber

ORIGINAL = bytes.fromhex("0a0149534b0004316b61")
SUBSTITUTE = bytes.fromhex("0a0149534b0000000001")
SCRUBBER = Scrubber(
    {ORIGINAL: SUBSTITUTE, b"OWNER-4711": b"0000000002", bytes(range(48)): bytes(48)}, [Secret("geh/e im")]
)


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("0a0149534b0004316b61", "0a0149534b0000000001"),
        ("0A0149534B0004316B61", "0a0149534b0000000001"),
        ("0A 01 49 53 4B 00 04 31 6B 61", "0a 01 49 53 4b 00 00 00 00 01"),
        ("0a:01:49:53:4b:00:04:31:6b:61", "0a:01:49:53:4b:00:00:00:00:01"),
        ("1 ISK 00 70347617", "1 ISK 00 00000001"),
        ("/api/v1/meters/1ISK0070347617/energy", "/api/v1/meters/1ISK0000000001/energy"),
        ("?meter=1%20ISK%2000%2070347617", "?meter=1%20ISK%2000%2000000001"),
        ("?meter=1+isk+00+70347617", "?meter=1+ISK+00+00000001"),
        ("Zähler Nr. 70347617.", "Zähler Nr. 00000001."),
        ("71674307", "10000000"),
        ("owner-4711", "0000000002"),
        ("geh/e im geh%2Fe%20im geh%2Fe+im", "*** *** ***"),
        ("nothing of this: 12345678 kWh", "nothing of this: 12345678 kWh"),
    ],
)
def test_each_form_is_replaced_by_the_same_form_of_what_stands_for_it(text: str, scrubbed: str) -> None:
    assert SCRUBBER.text(text) == scrubbed


@pytest.mark.parametrize(
    "form",
    [
        str(int.from_bytes(ORIGINAL)),
        str(int.from_bytes(ORIGINAL, "little")),
        base64.b64encode(ORIGINAL).decode(),
        ORIGINAL[::-1].hex(),
        "04316b61",
        "616b3104",
        "71674307 00 KSI 1",
        bytes(range(48)).hex(),
        b"geh/e im".hex(),
        base64.b64encode(b"geh/e im").decode(),
    ],
)
def test_other_forms_are_gone_too(form: str) -> None:
    assert form.lower().rstrip("=") not in SCRUBBER.text(f"a {form} b").lower()


@given(serial=st.integers(10_000, 99_999_999), around=st.text(max_size=20))
def test_no_serial_number_survives(serial: int, around: str) -> None:
    original = bytes.fromhex("090149534b00") + serial.to_bytes(4)
    scrubber = Scrubber({original: SUBSTITUTE})
    text = scrubber.text(f"{around}{serial} {serial:08d} {original.hex()} {serial:08x} 1 ISK 00 {serial:08d}{around}")
    if str(serial) not in around + "0000000001" + SUBSTITUTE.hex():
        assert str(serial) not in text.replace(around, "")
        assert original.hex() not in text


def test_without_anything_to_hide_a_text_stays() -> None:
    assert Scrubber({}, [Secret(), Secret()]).text("abc") == "abc"
