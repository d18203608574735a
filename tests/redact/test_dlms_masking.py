"""Frames keep their lengths and get right checksums; encrypted content does not leave the machine."""

import pytest

import pushes
from iskra_server.codecs.dlms import axdr, encoder
from iskra_server.codecs.dlms.axdr import Element
from iskra_server.codecs.dlms.encoder import code, octet_string, structure, u4
from iskra_server.codecs.dlms.security import TEST_KEYS, Keys
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Fault, Reading
from iskra_server.redact.dlms_list import masked_notification
from iskra_server.redact.dlms_masking import DlmsMasking
from iskra_server.redact.pseudonyms import Pseudonyms

METER_ID = "1 ISK 00 00000001"


def masked(stream: bytes) -> bytes:
    masking = DlmsMasking(Pseudonyms())
    return masking.feed(stream) + masking.end()


def test_encrypted_content_and_its_tag_become_zeros() -> None:
    sealed = pushes.sealed(pushes.tagged())
    stream = encoder.hdlc(sealed)
    output = masked(stream)
    head = len(sealed) - len(pushes.apdu(pushes.tagged())) - 12
    content = sealed[head:]
    assert len(output) == len(stream)
    assert not any(content[at : at + 4] in output for at in range(len(content) - 4))
    (fault,) = pushes.faults(output)
    assert (fault.kind, fault.meter_id) == ("encrypted", METER_ID)


@pytest.mark.parametrize("control", [0x20, 0x21, 0x30])
def test_with_the_key_encrypted_content_can_be_read_with_the_published_test_keys(control: int) -> None:
    stream = encoder.hdlc(pushes.sealed(pushes.tagged(), control=control), 60)
    masking = DlmsMasking(Pseudonyms(), Keys(pushes.KEYS.encryption))
    output = masking.feed(stream) + masking.end()
    assert len(output) == len(stream) and masking.resealed == 1 and pushes.NAME not in output
    (before,), (after,) = pushes.readings(stream, None, pushes.KEYS), pushes.readings(output, None, TEST_KEYS)
    assert list(before.numbers()) == list(after.numbers())
    assert (after.meter_id, after.protection) == (METER_ID, before.protection)
    assert pushes.readings(output, None, pushes.KEYS) == []


@pytest.mark.parametrize("keys", [pushes.OTHER_KEYS, Keys(pushes.KEYS.encryption, bytes(16))])
def test_what_a_key_does_not_open_becomes_zeros(keys: Keys) -> None:
    stream = encoder.hdlc(pushes.sealed(pushes.tagged()))
    masking = DlmsMasking(Pseudonyms(), keys)
    assert masking.feed(stream) + masking.end() == masked(stream)
    assert masking.resealed == 0


def test_clear_content_with_a_tag_is_masked_and_loses_its_tag() -> None:
    stream = encoder.hdlc(pushes.sealed(pushes.tagged(), control=0x10))
    (before,), (after,) = pushes.readings(stream), pushes.readings(masked(stream))
    assert list(before.numbers()) == list(after.numbers())
    assert after.meter_id == METER_ID


def test_numbers_that_nothing_describes_are_rounded() -> None:
    elements = (octet_string(pushes.NAME), u4(87654321), u4(7654), Element(axdr.NULL, None))
    (fault,) = pushes.faults(masked(encoder.hdlc(pushes.apdu(structure(*elements)))))
    assert fault.kind == "layout"
    assert fault.elements[1:] == ("u4 87600000", "u4 7654", "null")


def test_a_long_address_does_not_tell_the_serial_number() -> None:
    stream = encoder.hdlc(pushes.apdu(pushes.tagged()), addresses=bytes.fromhex("cf00225a7d"))
    output = masked(stream)
    assert bytes.fromhex("cf00220003") in output
    assert bytes.fromhex("5a7d") not in output
    (reading,) = pushes.readings(output)
    assert reading.meter_id == METER_ID


def test_a_telegram_that_lost_a_segment_becomes_zeros_and_the_next_one_stays() -> None:
    stream = encoder.hdlc(pushes.apdu(pushes.tagged()), segment=60)
    second = stream.index(b"\x7e\x7e") + 1
    third = stream.index(b"\x7e\x7e", second) + 1
    output = masked(stream[:second] + stream[third:] + stream)
    assert output[: len(stream) - (third - second)].strip(b"\0") == b""
    assert [type(item) for item in pushes.results(output)][-1:] == [Reading]
    assert pushes.NAME not in output


def test_a_meter_number_without_a_code_and_the_clock() -> None:
    stream = encoder.mbus(pushes.apdu(pushes.flat()))
    output = masked(stream)
    (before,), (after,) = pushes.readings(stream), pushes.readings(output)
    assert (list(before.numbers()), before.meter_time) == (list(after.numbers()), after.meter_time)
    assert b"178000000042" not in output


def test_a_list_of_values_alone_keeps_the_texts_that_tell_its_layout() -> None:
    """18 elements of Ljubljana: the second one is the name of the list or of the meter."""
    stream = encoder.hdlc(pushes.apdu(pushes.ljubljana()))
    (before,), (after,) = pushes.readings(stream), pushes.readings(masked(stream))
    assert list(before.numbers()) == list(after.numbers())
    assert (before.meter_id, after.meter_id) == (pushes.METER_ID, METER_ID)


def test_a_number_as_identity_keeps_its_digits() -> None:
    pairs = [(code("1-1:0.0.5"), u4(34000017)), (code("1-0:1.8.0"), u4(7654321)), (code("1-0:1.7.0"), u4(12))]
    apdu = pushes.apdu(structure(octet_string(b"Kamstrup_V0001"), *(element for pair in pairs for element in pair)))
    output = masked_notification(apdu, b"", Pseudonyms())
    assert output is not None
    (reading,) = pushes.readings(encoder.hdlc(output))
    register = reading.get(Obis.parse("1-1:0.0.5"))
    assert register is not None and register.raw == 30000001
    assert b"Kamstrup_V0001" in output


def test_what_is_no_list_is_no_telegram() -> None:
    stream = encoder.hdlc(b"\x0f\x00\x00\x00\x01\x00\x02\x05serial 70347617")
    assert masked(stream) == bytes(len(stream))
    assert all(isinstance(item, Fault) for item in pushes.results(stream))
