"""P1 telegrams inside general-glo-ciphering (Luxembourg, Hungary, Austria): opened by the right key alone."""

from random import Random

import pytest

import pushes
import texts
from iskra_server.codecs.decoder import detect
from iskra_server.codecs.dlms import encoder
from iskra_server.codecs.dlms.decoder import DlmsDecoder
from iskra_server.codecs.dlms.security import Keys
from iskra_server.codecs.p1.decoder import P1Decoder
from iskra_server.meter.reading import Fault, Reading

pytest.importorskip("cryptography")

TITLE = b"SAGY\x05\xe8\x94\xb6"
EK = pushes.KEYS.encryption
# the same for all meters of Luxembourg
PUBLIC = bytes.fromhex("00112233445566778899AABBCCDDEEFF")


def text(second: int = 19) -> bytes:
    return texts.p1_telegram(texts.p1_lines(import_kwh=f"001234.{500 + second}", second=second))


def sealed(second: int = 19, counter: int | None = None, keys: Keys = pushes.KEYS, content: bytes = b"") -> bytes:
    return encoder.seal(content or text(second), TITLE, 700 + second if counter is None else counter, keys)


def decode(stream: bytes, keys: Keys | None = None, chunk: int | None = None) -> list[Reading | Fault]:
    return texts.decode(DlmsDecoder(keys), stream, chunk)


def alike(readings: list[Reading]) -> list[tuple[object, ...]]:
    return [(each.meter_id, each.registers, each.meter_time, each.channel, each.protocol) for each in readings]


def clear(*seconds: int) -> list[tuple[object, ...]]:
    return alike(texts.readings(texts.decode(P1Decoder(), b"".join(map(text, seconds)))))


@pytest.mark.parametrize("chunk", [1, 64, None])
def test_the_meter_and_its_sub_meters_are_read(chunk: int | None) -> None:
    stream = sealed(1) + sealed(2)
    found = texts.readings(decode(stream, pushes.KEYS, chunk))
    assert alike(found) == clear(1, 2) and len(found) == 4
    assert {each.protection for each in found} == {"tag"}
    assert sum(each.byte_count for each in found) == len(stream)


@pytest.mark.parametrize("authentication", [PUBLIC, b""], ids=["public", "none"])
def test_the_public_key_of_luxembourg_need_not_be_set(authentication: bytes) -> None:
    stream = sealed(keys=Keys(EK, authentication))
    found = texts.readings(decode(stream, Keys(EK)))
    assert alike(found) == clear(19)
    assert {each.has_unchecked_tag for each in found} == {False} if authentication else {True, False}


def test_without_the_authentication_key_the_checksum_inside_protects() -> None:
    (meter, gas) = texts.readings(decode(sealed(), Keys(EK)))
    assert [(each.protection, each.has_unchecked_tag) for each in (meter, gas)] == [("checksum", True)] * 2
    damaged = text().replace(b"001234", b"001235")
    assert [each.kind for each in decode(sealed(content=damaged), Keys(EK)) if isinstance(each, Fault)] == ["checksum"]
    # a tag proves the text as it was sent, whatever its checksum
    assert len(texts.readings(decode(sealed(content=damaged), pushes.KEYS))) == 2


def test_without_a_key_the_telegram_is_told_to_be_encrypted() -> None:
    (fault,) = decode(sealed())
    assert isinstance(fault, Fault) and (fault.kind, fault.meter_id) == ("encrypted", TITLE.hex())
    assert detect(sealed() * 2) == "dlms"


def test_wrong_keys_never_give_a_value() -> None:
    chance = Random(5)
    for _ in range(50):
        found = decode(sealed(), Keys(chance.randbytes(16), chance.choice((b"", pushes.KEYS.authentication))))
        assert [each.kind for each in found if isinstance(each, Fault)] == ["wrong_key"] and len(found) == 1
    (fault,) = decode(sealed(), Keys(EK, bytes(16)))
    assert isinstance(fault, Fault) and fault.kind == "not_authentic"


def test_counters_rise() -> None:
    stream = b"".join(sealed(second, counter) for second, counter in ((1, 9), (2, 10), (2, 10), (3, 8), (4, 11)))
    found = decode(stream, pushes.KEYS)
    assert alike(texts.readings(found)) == clear(1, 2, 4)
    assert texts.faults(found) == ["replayed"]


def test_a_text_message_of_2048_characters_fits() -> None:
    content = texts.p1_telegram([*texts.p1_lines(), f"0-0:96.13.0({'30' * 1024})"])
    found = texts.readings(decode(sealed(content=content) * 2, pushes.KEYS, 100))
    assert len(found) == 2 and found[0].registers[-1].raw == b"30" * 1024


@pytest.mark.parametrize("chunk", [7, None])
def test_a_damaged_telegram_costs_no_other(chunk: int | None) -> None:
    stream = sealed(1) + sealed(2)[:200] + sealed(3) + sealed(4)
    found = texts.readings(decode(stream, pushes.KEYS, chunk))
    assert alike(found) == clear(1, 3, 4)
