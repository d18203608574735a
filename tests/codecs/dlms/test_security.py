import subprocess
import sys

import pytest

import pushes
from iskra_server.codecs.dlms import security
from iskra_server.codecs.dlms.security import Counters, Keys, Opener, Sealed
from iskra_server.codecs.errors import Malformed

pytest.importorskip("cryptography")

# IEC 62056-5-3, the example of general-glo-ciphering in the Green Book: keys, system title, counter, clear text
EXAMPLE_KEYS = Keys(bytes(range(16)), bytes(range(0xD0, 0xE0)))
EXAMPLE_TITLE = bytes.fromhex("4d4d4d0000bc614e")
EXAMPLE_CLEAR = bytes.fromhex("01011000112233445566778899aabbccddeeff0000065f1f0400007e1f04b0")
EXAMPLE = bytes.fromhex(
    "3001234567801302ff8a7874133d414ced25b42534d28db0047720606b175bd52211be6841db204d39ee6fdb8e356855"
)
APDU = pushes.apdu(pushes.kng())


def opened(control: int, keys: Keys, used: Keys = pushes.KEYS) -> tuple[bytes, str]:
    sealed = security.parse(pushes.sealed(pushes.kng(), control=control, keys=used))
    return Opener(keys).open(sealed)


def test_the_example_of_the_standard() -> None:
    sealed = security.parse(b"\xdb\x08" + EXAMPLE_TITLE + bytes((len(EXAMPLE),)) + EXAMPLE)
    assert (sealed.title, sealed.control, sealed.counter) == (EXAMPLE_TITLE, 0x30, 0x01234567)
    assert Opener(EXAMPLE_KEYS).open(sealed) == (EXAMPLE_CLEAR, "proved")


@pytest.mark.parametrize("suite", [0, 1])
@pytest.mark.parametrize(
    ("control", "proof"), [(0x20, "none"), (0x30, "proved"), (0x10, "proved"), (0x00, "none"), (0x70, "proved")]
)
def test_any_suite_bits_are_read(control: int, proof: str, suite: int) -> None:
    assert opened(control | suite, pushes.KEYS) == (APDU, proof)


def test_without_the_authentication_key_the_tag_proves_nothing() -> None:
    assert opened(0x30, Keys(pushes.KEYS.encryption)) == (APDU, "unchecked")
    assert opened(0x10, Keys()) == (APDU, "unchecked")


def test_a_wrong_authentication_key_is_seen() -> None:
    assert opened(0x30, Keys(pushes.KEYS.encryption, bytes(16))) == (APDU, "wrong")
    assert opened(0x10, Keys(pushes.KEYS.encryption, bytes(16))) == (APDU, "wrong")


def test_a_wrong_key_gives_noise() -> None:
    content, proof = opened(0x30, pushes.OTHER_KEYS)
    assert content != APDU and proof == "wrong"


def test_what_needs_a_key_cannot_be_opened_without() -> None:
    sealed = security.parse(pushes.sealed(pushes.kng()))
    assert not Opener(Keys()).can_open(sealed)
    assert Opener(Keys()).can_open(security.parse(pushes.sealed(pushes.kng(), control=0x10)))
    untitled = Sealed(b"", 0x30, 1, b"x", bytes(12))
    assert not Opener(pushes.KEYS).can_open(untitled)
    assert Opener(Keys(pushes.KEYS.encryption, title=pushes.TITLE)).can_open(untitled)


@pytest.mark.parametrize(
    ("apdu", "sentence"),
    [
        ("db", "cut off"),
        ("db0549534b", "a system title of 5 bytes, expected 8"),
        ("db08" + "00" * 8 + "0530000000ff", "claims 5 bytes, 5 are left|shorter than its head"),
        ("db08" + "00" * 8 + "062000000001", "claims 6 bytes, 5 are left"),
        ("db08" + "00" * 8 + "06a000000001ff", "compressed"),
        ("db08" + "00" * 8, "the length is cut off"),
    ],
)
def test_what_is_malformed_is_named(apdu: str, sentence: str) -> None:
    with pytest.raises(Malformed, match=sentence):
        security.parse(bytes.fromhex(apdu))


def seen(*counters: tuple[int, int | None], title: bytes = pushes.TITLE) -> list[bool]:
    memory = Counters()
    sealed = [(Sealed(title, 0x30, counter, b"", b""), seconds) for counter, seconds in counters]
    return [not memory.problem(each, seconds, "proved") for each, seconds in sealed]


def test_counters_rise() -> None:
    assert seen((9000, 1), (9001, 2), (8999, 3), (9001, 4), (9002, 5)) == [True, True, False, False, True]


def test_a_meter_that_begins_anew_is_believed_after_three_telegrams() -> None:
    assert seen((9000, 1), (5, 2), (6, 3), (7, 4), (8, 5)) == [True, False, False, True, True]
    # without rising times it is a replay
    assert seen((9000, 1), (5, 2), (6, 2), (7, 2), (8, 2)) == [True] + [False] * 4
    assert seen((9000, 1), (5, None), (6, None), (7, None)) == [True] + [False] * 3
    assert seen((9000, 1), (5, 2), (9001, 3), (6, 4), (7, 5)) == [True, False, True, False, False]


def test_another_meter_has_counters_of_its_own() -> None:
    memory = Counters()
    assert not memory.problem(Sealed(b"AAA", 0x30, 9, b"", b""), 1, "proved")
    assert not memory.problem(Sealed(b"BBB", 0x30, 3, b"", b""), 1, "proved")
    assert memory.is_repeat(Sealed(b"BBB", 0x30, 3, b"", b""))
    assert not memory.is_repeat(Sealed(b"AAA", 0x30, 3, b"", b""))


@pytest.mark.parametrize(
    "text",
    [
        "000102030405060708090a0b0c0d0e0f",
        " 00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F ",
        "00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f",
        "0x000102030405060708090A0B0C0D0E0F",
        "00010203-04050607-08090a0b-0c0d0e0f",
        "AAECAwQFBgcICQoLDA0ODw==",
    ],
)
def test_a_key_in_every_form(text: str) -> None:
    assert security.key(text) == bytes(range(16))


@pytest.mark.parametrize("text", ["", "0001", "g" * 32, "00" * 17, "AAECAwQFBgcICQoLDA0ODw", "٣" * 32])
def test_what_is_no_key_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ValueError, match="expected 32 hex digits") as refusal:
        security.key(text)
    assert not text or text not in str(refusal.value)


def test_keys_have_no_printed_form() -> None:
    assert str(pushes.KEYS) == repr(pushes.KEYS) == "Keys(***)"


def test_the_library_is_imported_only_where_a_key_is_set() -> None:
    program = (
        "import sys; from iskra_server.codecs.dlms.decoder import DlmsDecoder, Keys; d = DlmsDecoder();"
        f"list(d.feed(bytes.fromhex('{pushes.sealed(pushes.kng()).hex()}' * 2))); print('cryptography' in sys.modules);"
        "DlmsDecoder(Keys(bytes(16))); print('cryptography' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["False", "True"]
