import re
import subprocess
import sys
from pathlib import Path

import pytest

import pushes
import texts
from iskra_server.base.installation import how_to_add
from iskra_server.base.secret import Secret
from iskra_server.codecs.dlms import encoder
from iskra_server.codecs.dlms.security import Keys
from iskra_server.meter.reading import Fault, Reading
from iskra_server.reading.decoding import Decoding, decoding

pytest.importorskip("cryptography")

NAMES = ("meters.key", "meters.auth_key", "meters.system_title")
KEY, AUTH_KEY = Secret(pushes.KEYS.encryption.hex(" ")), Secret(pushes.KEYS.authentication.hex().upper())
ENCRYPTED = encoder.hdlc(pushes.sealed(pushes.tagged()))
LAYOUT = '[[layout]]\nname="a"\nsource="b"\nelements=["0-0:42.0.0 o","skip u1","1.8.0 u4","2.8.0 u4","skip a"]'


def results(made: Decoding, stream: bytes, protocol: str = "") -> list[Reading | Fault]:
    return list(made.decoder(protocol).feed(stream))


def test_with_its_keys_an_encrypted_telegram_is_read() -> None:
    made = decoding(KEY, AUTH_KEY, None, NAMES)
    assert made.has_key
    for protocol in ("", "dlms"):
        (reading,) = results(made, ENCRYPTED, protocol)
        assert isinstance(reading, Reading)
        assert (reading.meter_id, reading.protection) == (pushes.METER_ID, "tag")


def test_without_a_key_or_with_a_wrong_one_there_is_no_value() -> None:
    assert [result.kind for result in results(Decoding(), ENCRYPTED) if isinstance(result, Fault)] == ["encrypted"]
    wrong = decoding(Secret(pushes.OTHER_KEYS.encryption.hex()), Secret(), None, NAMES)
    assert [result.kind for result in results(wrong, ENCRYPTED) if isinstance(result, Fault)] == ["wrong_key"]


def test_an_encrypted_p1_meter_is_read_with_its_system_title() -> None:
    """In Poland the telegram does not have it."""
    keys = Keys(pushes.KEYS.encryption, pushes.KEYS.authentication, b"KFM\x10\x20\x01\x02\x03")
    stream = texts.sealed_p1(["0-0:96.1.0(3330303030303735)", "1-0:1.8.0(000336.420*kWh)"], keys)
    for protocol in ("", "p1"):
        made = decoding(KEY, AUTH_KEY, None, NAMES, "4B:46:4D 10 20010203")
        (reading,) = results(made, stream, protocol)
        assert isinstance(reading, Reading)
        assert (reading.meter_id, reading.protection) == ("KFM 30000075", "tag")
        untitled = decoding(KEY, AUTH_KEY, None, NAMES)
        assert [fault.kind for fault in results(untitled, stream, protocol) if isinstance(fault, Fault)] == [
            "encrypted"
        ]


@pytest.mark.parametrize(
    ("key", "title", "sentence"),
    [
        (KEY, "4B464D", "meters.system_title is no system title: it has 6 characters"),
        (Secret(), "4B464D1020010203", "meters.system_title needs meters.key too"),
    ],
)
def test_a_system_title_that_cannot_be_used_is_a_sentence(key: Secret, title: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        decoding(key, Secret(), None, NAMES, title)


def test_a_protocol_skips_the_search() -> None:
    assert results(Decoding(), texts.p1_telegram(), "sml") == []
    assert len(results(Decoding(), texts.p1_telegram(), "p1")) == 2


def test_own_layouts_are_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(LAYOUT)
    made = decoding(Secret(), Secret(), tmp_path / "own.toml", NAMES)
    (reading,) = results(made, encoder.hdlc(pushes.apdu(pushes.unknown())))
    assert isinstance(reading, Reading)
    assert not made.has_key
    assert made == decoding(Secret(), Secret(), tmp_path / "own.toml", NAMES)


@pytest.mark.parametrize(
    ("key", "auth_key", "layouts", "sentence"),
    [
        (
            Secret("0123"),
            Secret(),
            None,
            "meters.key is no key: it has 4 characters, expected 32 hex digits (0-9, a-f)",
        ),
        (
            KEY,
            Secret("x" * 32),
            None,
            "meters.auth_key is no key: it has 32 characters that are not all such digits, expected 32 hex digits",
        ),
        (Secret(), AUTH_KEY, None, "meters.auth_key needs meters.key too"),
        (Secret(), Secret(), "missing.toml", "missing.toml cannot be read: No such file or directory"),
        (Secret(), Secret(), "none.toml", "none.toml is not TOML"),
    ],
)
def test_what_cannot_be_used_is_a_sentence_without_the_key(
    key: Secret, auth_key: Secret, layouts: str | None, sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "none.toml").write_text("{")
    with pytest.raises(ValueError, match=re.escape(sentence)) as raised:
        decoding(key, auth_key, tmp_path / layouts if layouts else None, NAMES)
    assert "xxxx" not in str(raised.value)


def test_a_missing_package_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("cryptography")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(ValueError, match=re.escape(how_to_add("encrypted"))):
        decoding(KEY, Secret(), None, NAMES)


def test_without_a_key_nothing_of_a_protocol_or_of_its_library_is_imported() -> None:
    code = (
        "import sys; from iskra_server.base.secret import Secret; from iskra_server.reading.decoding import decoding;"
        "decoding(Secret(), Secret(), None, ('', '')).decoder();"
        "print([name for name in sys.modules if 'dlms' in name or 'cryptography' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
