"""Keys and layouts in files: `decode` of encrypted telegrams, and what it says of a file that is none."""

import json
from pathlib import Path

import pytest

import pushes
import texts
from command import Run
from iskra_server.codecs.dlms import encoder
from iskra_server.codecs.dlms.security import Keys

pytest.importorskip("cryptography")

CLEAR = encoder.hdlc(pushes.apdu(pushes.tagged()), 60)
ENCRYPTED = encoder.hdlc(pushes.sealed(pushes.kng()))
LAYOUT = '[[layout]]\nname="a"\nsource="b"\nelements=["0-0:42.0.0 o","skip u1","1.8.0 u4","2.8.0 u4","skip a"]'


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "key").write_text(pushes.KEYS.encryption.hex(" ") + "\n")
    (tmp_path / "auth").write_text(pushes.KEYS.authentication.hex().upper())
    (tmp_path / "other").write_text(pushes.OTHER_KEYS.encryption.hex())
    (tmp_path / "layouts.toml").write_text(LAYOUT)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "empty").write_bytes(b"\n")
    return tmp_path


def decode(run: Run, stream: bytes, *options: object) -> list[dict[str, object]]:
    done = run("decode", "--json", "-", *options, stdin=stream)
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_clear_telegram_needs_no_key(run: Run) -> None:
    noise, reading, cut = decode(run, b"\0\0" + CLEAR + CLEAR[:100])
    assert (noise["fault"], cut["fault"], cut["octets"]) == ("noise", "cut", 100)
    assert (reading["protocol"], reading["meter_id"], reading["octets"]) == ("dlms", pushes.METER_ID, len(CLEAR))


def test_an_encrypted_telegram_is_read_with_its_key(run: Run, files: Path) -> None:
    (fault,) = decode(run, ENCRYPTED)
    assert fault["fault"] == "encrypted"
    for options in (("--key-file", files / "key"), ("--key-file", files / "key", "--auth-key-file", files / "auth")):
        (reading,) = decode(run, ENCRYPTED, *options)
        assert reading["meter_id"] == pushes.METER_ID
    (fault,) = decode(run, ENCRYPTED, "--key-file", files / "other")
    assert fault["fault"] == "wrong_key"


def test_a_system_title_that_the_meter_does_not_send(run: Run, files: Path) -> None:
    keys = Keys(pushes.KEYS.encryption, pushes.KEYS.authentication, b"KFM\x10\x20\x01\x02\x03")
    stream = texts.sealed_p1(["0-0:96.1.0(3330303030303735)", "1-0:1.8.0(000336.420*kWh)"], keys)
    (fault,) = decode(run, stream, "--key-file", files / "key")
    assert fault["fault"] == "encrypted"
    (reading,) = decode(run, stream, "--key-file", files / "key", "--system-title", "4B:46:4D:10 20010203")
    assert reading["meter_id"] == "KFM 30000075"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--system-title", "4B464D1020010203"), "--system-title needs --key-file too."),
        (("--key-file", "key", "--system-title", "4B46"), "--system-title is no system title: it has 4 characters"),
    ],
)
def test_a_wrong_system_title_is_one_sentence(run: Run, files: Path, options: tuple[str, ...], sentence: str) -> None:
    done = run("decode", "-", *options, stdin=CLEAR)
    assert (done.returncode, done.stdout) == (2, "") and sentence in done.stderr and done.stderr.count("\n") == 1


def test_a_list_of_an_own_layout_is_read(run: Run, files: Path) -> None:
    stream = encoder.hdlc(pushes.apdu(pushes.unknown()))
    (fault,) = decode(run, stream)
    assert fault["fault"] == "layout"
    (reading,) = decode(run, stream, "--layouts", files / "layouts.toml")
    assert reading["meter_id"] == pushes.METER_ID


@pytest.mark.parametrize(
    ("option", "name", "sentence"),
    [
        ("--key-file", "missing", "cannot be read: No such file or directory."),
        ("--key-file", "bytes", "is no text."),
        ("--key-file", "empty", "is empty; write the key into it."),
        ("--auth-key-file", pushes.KEYS.encryption.hex(), "the name of a file that holds the key, not the key itself."),
        ("--auth-key-file", "layouts.toml", "is no key: it has "),
        ("--layouts", "key", "is not TOML: "),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence(
    run: Run, files: Path, option: str, name: str, sentence: str
) -> None:
    done = run("decode", "-", option, files / name, stdin=CLEAR)
    assert done.returncode == 2 and done.stdout == ""
    assert sentence in done.stderr and len(done.stderr.splitlines()) == 1
    assert pushes.KEYS.encryption.hex() not in done.stderr
