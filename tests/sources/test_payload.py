"""Payloads of brokers and bridges: raw, hex text, JSON, and what is none of them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import telegrams
import texts
from iskra_server.codecs.d0 import encoder as d0
from iskra_server.codecs.d0.decoder import D0Decoder
from iskra_server.codecs.p1 import encoder as p1
from iskra_server.meter.reading import Reading
from iskra_server.sources.payload import PayloadDecoder
from trying import tries

TELEGRAM = telegrams.telegram()
HEX = TELEGRAM.hex()


def decoded(*payloads: bytes) -> list[bytes | None]:
    decoder = PayloadDecoder()
    return [decoder.decode(payload) for payload in payloads]


@pytest.mark.parametrize(
    "payload",
    [
        TELEGRAM,
        HEX.encode(),
        HEX.upper().encode() + b"\n",
        TELEGRAM.hex(" ").encode(),
        TELEGRAM.hex(":").encode(),
        f"{TELEGRAM.hex('.').upper()} ({len(TELEGRAM)})".encode(),
        json.dumps({"Time": "2026-11-22T10:00:00", "SSerialReceived": HEX.upper()}).encode(),
        json.dumps({"SerialReceived": HEX}).encode(),
        json.dumps({"id": "0901495350", "name": "Zähler", "raw": HEX}, indent=1, ensure_ascii=False).encode(),
    ],
    ids=[
        "raw",
        "hex",
        "upper case",
        "blanks",
        "colons",
        "ESPHome",
        "Tasmota",
        "Tasmota, hardware port",
        "another name",
    ],
)
def test_each_form_of_a_telegram(payload: bytes) -> None:
    assert decoded(payload) == [TELEGRAM]


def test_hex_text_in_brackets() -> None:
    (data,) = decoded(b"SML(" + HEX.encode() + b")\r\n")
    assert data and TELEGRAM in data


def test_a_telegram_in_parts() -> None:
    """Tasmota's serial bridge sends at most 256 bytes at once."""
    size = len(TELEGRAM) // 3
    parts = [TELEGRAM[place : place + size] for place in range(0, len(TELEGRAM), size)]
    assert len(parts[-1]) < 4
    hexed = decoded(*(part.hex().encode() for part in parts))
    in_json = decoded(*(json.dumps({"SSerialReceived": part.hex()}).encode() for part in parts))
    assert b"".join(filter(None, hexed)) == b"".join(filter(None, in_json)) == TELEGRAM


@pytest.mark.parametrize(
    "payload",
    [
        b'{"Time":"2026-11-22T10:00:00","SML":{"Total_in":1234.5,"ID":"090149534b0000bc614e"}}',
        b'{"power":',
        b"[1, 2]",
        b"{",
        # deeper than a decoder follows
        b"[" * 10_000,
        b'{"a":' * 10_000,
        b'{"SSerialReceived":"no hex"}',
        b'{"SSerialReceived":5}',
    ],
)
def test_json_without_a_telegram(payload: bytes) -> None:
    assert decoded(payload) == [None]


def test_the_last_line_end_of_a_text_telegram_may_be_missing() -> None:
    whole = texts.p1_telegram()
    assert decoded(whole.rstrip()) == [whole]
    push = b"/ESY5Q3DA1004\r\n\r\n1-0:1.8.0*255(00001234.567*kWh)\r\n!"
    assert decoded(push) == [push + b"\r\n"]
    # a part of a telegram has no end
    assert decoded(whole[:-30], whole[-30:].rstrip()) == [whole[:-30], whole[-30:].rstrip()]


def test_the_empty_line_behind_the_identification_may_be_missing() -> None:
    """As eBZ meters through a Tibber bridge; a telegram with a checksum stays as it is."""
    lines = ["1-0:0.0.0*255(1EBZ0100012345)", "1-0:1.8.0*255(000123.456*kWh)", "1-0:16.7.0*255(000321.00*W)"]
    whole = d0.pushed("EBZ5DD32R06ETA_107", lines)
    for payload in (whole, whole.replace(b"\r\n\r\n", b"\r\n"), whole.replace(b"\r\n\r\n", b"\r\n").rstrip()):
        data = PayloadDecoder().decode(payload)
        assert data == whole
        (reading,) = D0Decoder().feed(data)
        assert isinstance(reading, Reading) and texts.value(reading, "1.8.0") == texts.wh(123_456)
    checked = p1.telegram(texts.P1_IDENT, texts.p1_lines()).replace(b"\r\n\r\n", b"\r\n")
    assert PayloadDecoder().decode(checked) == checked


def test_digits_within_a_text_telegram_are_no_hex_text() -> None:
    """A message of the grid operator (P1, 96.13.0) has up to 2,048 of them, and may arrive in parts."""
    parts = [b"/ISk5\\2MT382-1000\r\n\r\n0-0:96.13.0(", b"30" * 100, b")\r\n!\r\n"]
    assert decoded(*parts) == parts


def test_a_part_of_a_binary_telegram_may_begin_like_json() -> None:
    assert decoded(b"\x1b\x1b\x1b\x1b\1\1\1\1v", b"{\x07\x01\xff") == [b"\x1b\x1b\x1b\x1b\1\1\1\1v", b"{\x07\x01\xff"]


def test_hex_text_counts_again_with_the_first_bytes_of_a_telegram() -> None:
    assert decoded(b"hello", HEX.encode(), HEX.encode()) == [b"hello", TELEGRAM, TELEGRAM]


def test_nothing_is_nothing() -> None:
    assert decoded(b"") == [b""]


@tries()
@given(st.binary(max_size=200))
def test_a_binary_payload_passes_unchanged(payload: bytes) -> None:
    payload = b"\x1b" + payload
    assert decoded(payload) == [payload]


@tries()
@given(st.lists(st.binary(max_size=60) | st.text(max_size=60).map(str.encode)))
def test_no_payload_is_an_error(payloads: list[bytes]) -> None:
    assert len(decoded(*payloads)) == len(payloads)
