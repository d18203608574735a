"""Encrypted telegrams behind a clear identification, as in Poland."""

from random import Random

import pytest

import pushes
import texts
from iskra_server.codecs.dlms.security import Keys
from iskra_server.codecs.p1.decoder import P1Decoder
from iskra_server.meter.reading import Fault, Reading

pytest.importorskip("cryptography")

TITLE = b"KFM\x10\x20\x01\x02\x03"
KEYS = Keys(pushes.KEYS.encryption, pushes.KEYS.authentication, TITLE)


def lines(second: int = 43) -> str:
    sent = [f"0-0:1.0.0(2611251056{second:02}W)", "0-0:96.1.0(3330303030303735)", "1-0:1.8.0(000336.420*kWh)"]
    return "".join(f"{line}\r\n" for line in (*sent, "1-0:1.7.0(00.132*kW)", "0-0:96.13.0()"))


def telegram(second: int = 43, content: str = "") -> bytes:
    return texts.sealed_p1((content or lines(second)).splitlines(), KEYS, 100 + second)


def decode(stream: bytes, keys: Keys | None = KEYS, chunk: int | None = None) -> list[Reading | Fault]:
    return texts.decode(P1Decoder(keys), stream, chunk)


PADDED = [lines(second) for second in range(10, 14)]
STREAM = b"".join(telegram(10 + k, content) for k, content in enumerate(PADDED))


@pytest.mark.parametrize("chunk", [1, 7, 64, None])
def test_the_text_is_read_with_key_and_system_title(chunk: int | None) -> None:
    found = texts.readings(decode(STREAM, chunk=chunk))
    assert len(found) == 4
    assert {texts.value(each, "1.8.0") for each in found} == {texts.wh(336_420)}
    assert {(each.meter_id, each.protection) for each in found} == {("KFM 30000075", "tag")}
    assert sum(each.byte_count for each in found) == len(STREAM) - 4 * len("\r\n")


@pytest.mark.parametrize("keys", [None, Keys(KEYS.encryption, KEYS.authentication)])
def test_without_key_or_title_it_is_told_to_be_encrypted(keys: Keys | None) -> None:
    faults = decode(STREAM, keys)
    assert [each.kind for each in faults if isinstance(each, Fault)] == ["encrypted"] * 4
    assert {each.meter_id for each in faults} == {"KFM KAIFA-METER"}


def test_wrong_keys_never_give_a_value() -> None:
    chance = Random(3)
    for _ in range(40):
        found = decode(STREAM, Keys(chance.randbytes(16), chance.choice((b"", KEYS.authentication)), TITLE))
        assert texts.readings(found) == []
        assert set(texts.faults(found)) <= {"wrong_key", "not_authentic"}


def test_after_a_tag_has_proved_one_a_text_with_another_tag_is_refused() -> None:
    # Poland has the public authentication key where none is set
    public = Keys(KEYS.encryption, bytes.fromhex("00112233445566778899AABBCCDDEEFF"), TITLE)
    first, second, third = (
        texts.sealed_p1(lines(40 + k).splitlines(), keys, 100 + k) for k, keys in enumerate((KEYS, public, KEYS))
    )
    found = decode(first + second + third, Keys(KEYS.encryption, title=TITLE))
    told = [each.kind if isinstance(each, Fault) else each.protection for each in found]
    assert told == ["checksum", "tag", "not_authentic"]


def test_damage_costs_one_telegram_alone() -> None:
    size = len(telegram(10, PADDED[0]))
    right = texts.readings(decode(STREAM))
    for at in range(0, size, 13):
        damaged = bytearray(STREAM)
        damaged[size + at] ^= 0x10
        assert texts.readings(decode(bytes(damaged))) == [right[0], *right[2:]] or at >= size - 2, at
        cut = STREAM[: size + at] + STREAM[2 * size :]
        assert texts.readings(decode(cut))[-2:] == right[2:], at


def test_an_older_counter_is_a_replay() -> None:
    size = len(telegram(10, PADDED[0]))
    assert texts.faults(decode(STREAM + STREAM[:size])) == ["replayed"]
