"""Bytes on a port without a valid telegram: what do they seem to be?"""

import random
from pathlib import Path

import pytest

import pushes
import telegrams
import texts
from iskra_server.codecs.dlms import encoder
from iskra_server.codecs.wire import received
from iskra_server.diagnosis.stream_guess import MAX_BYTES, StreamGuess, recognise

TELEGRAM = telegrams.telegram()
# with what serial servers change
CROWDED = telegrams.telegram(
    [*telegrams.meter_entries(), *telegrams.meter_entries(power=0x0D0A0A)],
    server_id=bytes.fromhex("0a0a49534b0000bc614e"),
)
P1 = b"/ISK5\\2M550T-1012\r\n\r\n1-3:0.2.8(50)\r\n0-0:1.0.0(261126140500W)\r\n1-0:1.8.1(000123.456*kWh)\r\n!A1B2\r\n"
D0 = b"/ISk5MT174-0001\r\n\x020.0.0(12345678)\r\n1.8.0(000123.456*kWh)\r\n!\r\n\x03\x2a"
NMEA = b"$GNRMC,140500.00,A,4807.038,N,01131.000,E,0.0,84.4,261126,,,A*6A\r\n$GPGSV,1,1,00*79\r\n"
HDLC = bytes.fromhex("7ea01a0221" + "13" * 22 + "7e")
CAPTURES = Path(__file__).parents[3] / "shared" / "captures"


def parity(text: bytes) -> bytes:
    """7E1 as an 8N1 receiver sees it."""
    return bytes(byte | (byte.bit_count() % 2) << 7 for byte in text)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (P1, "p1"),
        (parity(P1), "p1"),
        (D0, "d0"),
        (parity(D0), "d0"),
        (b"1-0:1.8.0*255(00012.3*kWh)\r\n" * 3, "d0"),
        (HDLC, "dlms"),
        (b"\x0f" + bytes.fromhex("db08") + b"ISK" + bytes(5) + b"\x82" + bytes(30), "dlms"),
        (bytes.fromhex("68101068080172") + bytes(13) + b"\x7b\x16", "mbus"),
        (bytes.fromhex("6810106853ff10") + bytes(13) + b"\x62\x16", "dlms"),
        (b"\0\0" + bytes.fromhex("1040f03016") * 4, "amis"),
        (NMEA, "gps"),
        (b"\r\nOK\r\n\r\n+CREG: 0,1\r\n\r\nRING\r\n", "modem"),
        (b"ets Jun  8 2016 00:22:57\r\nrst:0x1 (POWERON_RESET)", "text"),
        (bytes(700), "flat"),
        (b"\xff" * 95 + b"\x3c" * 5, "flat"),
        (random.Random(1).randbytes(3000), "noise"),
        (TELEGRAM[:200] * 3, "no_valid_telegram"),
        (TELEGRAM[150:], "first_telegram"),
        (TELEGRAM, "first_telegram"),
        ((b"\x1b" * 4 + b"\1\1\0\1" + TELEGRAM[8:]) * 2, "no_valid_telegram"),
        (b"\xff\xfd\x03\xff\xfb\x03" + CROWDED.replace(b"\xff", b"\xff\xff") * 2, "telnet"),
        (CROWDED[50:].replace(b"\xff", b"\xff\xff"), "telnet"),
        (CROWDED.replace(b"\n", b"\r\n") * 2, "line_ends"),
        (CROWDED.decode("latin-1").encode() * 2, "characters"),
        (CROWDED.decode("utf-8", "replace").encode() * 2, "characters"),
        (bytes(byte & 0x7F for byte in CROWDED * 2), "seven_bits"),
        (CROWDED, "first_telegram"),
        (CROWDED[:-1] * 4, "no_valid_telegram"),
    ],
)
def test_what_bytes_seem_to_be(data: bytes, fault: str) -> None:
    found = recognise(data)
    assert found is not None
    assert found.fault == fault


@pytest.mark.parametrize("resyncs", [True, False])
@pytest.mark.parametrize("speed", [1200, 2400, 4800, 19200])
def test_another_speed_is_named_by_the_bit_pattern(speed: int, resyncs: bool) -> None:
    assert recognise(received(TELEGRAM, speed, resyncs=resyncs) * 2) == StreamGuess("speed", {"speed": str(speed)})


@pytest.mark.parametrize("resyncs", [True, False])
@pytest.mark.parametrize("data", [texts.p1_telegram(), texts.d0_readout()])
def test_inverted_text_is_named(data: bytes, resyncs: bool) -> None:
    """A P1 cable without an inverter, at 9600 baud; in seven bits with parity too."""
    for text in (data, parity(data)):
        assert recognise(received(text, 9600, is_inverted=True, resyncs=resyncs)) == StreamGuess("inverted")


@pytest.mark.parametrize("resyncs", [True, False])
@pytest.mark.parametrize("data", [pushes.apdu(pushes.tagged()), texts.p1_telegram(), TELEGRAM])
def test_a_line_of_2400_baud_is_named_whatever_is_sent(data: bytes, resyncs: bool) -> None:
    """With the parity bit of 8E1: M-Bus, and HDLC of Landis+Gyr and Kaifa."""
    for stream in (encoder.hdlc(data), encoder.mbus(data), data):
        picture = received(stream, 2400, has_parity=True, resyncs=resyncs)
        assert recognise(picture) == StreamGuess("speed", {"speed": "2400"})


@pytest.mark.parametrize("speed", [38_400, 115_200])
@pytest.mark.parametrize("data", [texts.p1_telegram() * 20, encoder.hdlc(pushes.apdu(pushes.tagged())) * 40])
def test_a_faster_line_looks_like_noise(data: bytes, speed: int) -> None:
    assert recognise(received(data, speed)) == StreamGuess("noise")


def test_flickering_light_is_no_slower_line() -> None:
    chance = random.Random(4)
    pulses = bytes.fromhex("0080c0e0f0f8fcfeff")
    assert recognise(bytes(chance.choices(pulses, k=2000))) == StreamGuess("noise")


@pytest.mark.parametrize("resyncs", [True, False])
def test_an_inverted_line_is_named(resyncs: bool) -> None:
    assert recognise(received(TELEGRAM, 9600, is_inverted=True, resyncs=resyncs) * 2) == StreamGuess("inverted")


def test_a_meter_at_300_baud_is_all_zeros_and_said_to_be_possible() -> None:
    assert recognise(received(D0, 300)) == StreamGuess("flat", {"byte": "00", "percent": "100"})


@pytest.mark.parametrize("data", [b"", b"\xff\x00 noise", b"\x9e" * 15, random.Random(2).randbytes(500)])
def test_too_little_tells_nothing(data: bytes) -> None:
    assert recognise(data) is None


def test_only_the_newest_bytes_are_looked_at() -> None:
    assert recognise(NMEA + bytes(MAX_BYTES)) == StreamGuess("flat", {"byte": "00", "percent": "100"})


def test_random_bytes_are_never_taken_for_a_speed_or_a_protocol() -> None:
    chance = random.Random(3)
    assert {found.fault for _ in range(300) if (found := recognise(chance.randbytes(2000)))} <= {
        "noise",
        "mbus",
        "dlms",
    }
    faults = [recognise(chance.randbytes(2000)) for _ in range(300)]
    assert sum(found != StreamGuess("noise") for found in faults) <= 15


def captures(folder: str) -> list[Path]:
    return sorted(path for path in (CAPTURES / folder).glob("*") if path.suffix in (".bin", ".txt"))


@pytest.mark.skipif(not CAPTURES.exists(), reason=f"no captures at {CAPTURES}")
@pytest.mark.parametrize("path", captures("sml"), ids=lambda path: path.name)
def test_real_telegrams_at_other_speeds(path: Path) -> None:
    data = path.read_bytes()
    start = data.find(bytes.fromhex("1b1b1b1b01010101"))
    if start < 0 or len(data) < start + 200:
        pytest.skip("no telegram of a useful length")
    for speed in (1200, 2400, 4800, 19200):
        assert recognise(received(data[start : start + 400], speed)) == StreamGuess("speed", {"speed": str(speed)})
