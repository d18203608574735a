"""A masked recording keeps the numbers and loses the names."""

from pathlib import Path

import pytest

from iskra_server.codecs.checksum import Variant
from iskra_server.codecs.sml import encoder, tlv
from iskra_server.codecs.sml.decoder import SmlDecoder
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading
from iskra_server.redact.masking import Masking
from iskra_server.redact.pseudonyms import Pseudonyms
from iskra_server.redact.sml_masking import mask

CAPTURES = Path(__file__).parents[3] / "shared" / "captures" / "sml"
SERIAL = bytes.fromhex("0403a2b1")
SERVER_ID = bytes.fromhex("0a0149534b00") + SERIAL
PUBLIC_KEY = bytes(range(100, 148))


def telegram(server_id: bytes = SERVER_ID, *extra: tlv.Sequence, variant: Variant = Variant.X25) -> bytes:
    entries = (
        encoder.entry(Obis.parse("129-129:199.130.3"), tlv.octet_string(b"ISK")),
        encoder.entry(Obis.parse("1-0:0.0.9"), tlv.octet_string(server_id)),
        encoder.entry(
            Obis.parse("1.8.0"), tlv.integer(123456789, 8), scaler=tlv.integer(-1, 1), unit=tlv.unsigned(30, 1)
        ),
        encoder.entry(Obis.parse("129-129:199.130.5"), tlv.octet_string(PUBLIC_KEY)),
        *extra,
    )
    response = encoder.list_response(server_id, tlv.ABSENT, encoder.sec_index(77), entries)
    return encoder.telegram(
        (
            encoder.message(SERIAL, tlv.unsigned(encoder.OPEN_RESPONSE, 2), encoder.open_response(SERIAL, server_id)),
            encoder.message(b"\x01\x02", tlv.unsigned(encoder.LIST_RESPONSE, 2), response),
            encoder.message(b"\x03\x04", tlv.unsigned(encoder.CLOSE_RESPONSE, 2), encoder.close_response()),
        ),
        variant,
    )


def read(data: bytes) -> Reading:
    (reading,) = SmlDecoder().feed(data)
    assert isinstance(reading, Reading)
    return reading


def masked(data: bytes) -> bytes:
    masking = Masking()
    return masking.feed(data) + masking.end()


@pytest.mark.parametrize("variant", Variant)
def test_a_masked_telegram_decodes_to_the_same_numbers_of_another_meter(variant: Variant) -> None:
    original, result = read(telegram(variant=variant)), read(masked(telegram(variant=variant)))
    assert result.meter_id == "1 ISK 00 00000001"
    assert result.meter_time == original.meter_time
    assert list(result.numbers()) == list(original.numbers())
    assert [register.obis for register in result.registers] == [register.obis for register in original.registers]


def test_the_maker_stays_and_the_register_of_the_server_id_says_the_same_as_the_telegram() -> None:
    maker, identity, *_ = read(masked(telegram())).registers
    assert maker.text == "ISK"
    assert identity.raw == read(masked(telegram())).server_id


@pytest.mark.parametrize("secret", [SERVER_ID, SERIAL, PUBLIC_KEY, PUBLIC_KEY[8:16]])
def test_no_name_survives(secret: bytes) -> None:
    assert secret in telegram()
    assert secret not in masked(telegram())


def test_the_same_name_gets_the_same_substitute_in_every_telegram_and_another_name_another_one() -> None:
    other = SERVER_ID[:-1] + b"\x00"
    masking = Masking()
    results = [read(masking.feed(telegram(server_id))).meter_id for server_id in (SERVER_ID, other, SERVER_ID)]
    assert results[0] == results[2] != results[1]


def test_a_serial_number_that_looks_like_a_substitute_is_replaced_too() -> None:
    plain = SERVER_ID[:6] + bytes((0, 0, 0, 1))
    assert read(masked(telegram(plain))).server_id != plain


def test_a_server_id_of_the_older_form_keeps_its_maker() -> None:
    old = bytes.fromhex("0649534b01") + bytes((0x11, 0x22, 0x33, 0x44, 0x55))
    result = read(masked(telegram(old))).server_id
    assert result.startswith(old[:5])
    assert result[5:] != old[5:]


def test_printable_names_stay_printable() -> None:
    owner = encoder.entry(Obis.parse("1-0:0.0.0"), tlv.octet_string(b"Herr Maier 17"))
    register = read(masked(telegram(SERVER_ID, owner))).registers[-1]
    assert register.text is not None
    assert len(register.text) == len("Herr Maier 17")
    assert "Maier" not in register.text


def test_a_telegram_that_would_betray_the_serial_as_a_number_is_blanked() -> None:
    revealing = encoder.entry(Obis.parse("1-0:96.5.0"), tlv.unsigned(int.from_bytes(SERIAL), 4))
    data = telegram(SERVER_ID, revealing)
    assert mask(data, Pseudonyms()) is None
    assert masked(data) == bytes(len(data))


def test_bytes_outside_whole_telegrams_are_blanked_and_counted() -> None:
    damaged = telegram()[:-1] + b"\x00"
    stream = SERVER_ID + telegram() + damaged + telegram() + telegram()[:60]
    masking = Masking()
    result = masking.feed(stream) + masking.end()
    assert len(result) == len(stream)
    assert masking.blanked == len(SERVER_ID) + len(damaged) + 60
    assert SERIAL not in result
    assert sum(isinstance(item, Reading) for item in SmlDecoder().feed(result)) == 2


def test_it_comes_out_the_same_in_chunks_of_any_size() -> None:
    stream = b"noise" + telegram() + telegram()
    for size in (1, 7, 64):
        masking = Masking()
        chunks = [masking.feed(stream[at : at + size]) for at in range(0, len(stream), size)]
        assert b"".join((*chunks, masking.end())) == masked(stream)


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="no captures beside the project (../shared/captures)")
def test_real_recordings_keep_their_numbers_and_lose_their_server_ids() -> None:
    for capture in sorted(CAPTURES.glob("*.bin")):
        data = capture.read_bytes()
        original = [item for item in SmlDecoder().feed(data) if isinstance(item, Reading)]
        output = masked(data)
        result = [item for item in SmlDecoder().feed(output) if isinstance(item, Reading)]
        assert [list(item.numbers()) for item in result] == [list(item.numbers()) for item in original], capture.name
        for reading in original:
            assert reading.server_id not in output, capture.name
            assert reading.server_id[-4:] not in output, capture.name
