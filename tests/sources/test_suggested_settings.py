from random import Random

import pytest

import pushes
import telegrams
import texts
from iskra_server.codecs.dlms import encoder
from iskra_server.codecs.text.parity import with_parity
from iskra_server.codecs.wire import received
from iskra_server.sources.source import LineSettings
from iskra_server.sources.suggested_settings import suggested_settings

SML = telegrams.telegram()
TEXT = with_parity(texts.d0_readout())
MBUS = encoder.mbus(pushes.apdu(pushes.tagged()))
USUAL = LineSettings()


@pytest.mark.parametrize("resyncs", [True, False])
@pytest.mark.parametrize("speed", [1200, 2400, 4800, 19_200])
def test_sml_at_another_speed(speed: int, resyncs: bool) -> None:
    suggested = suggested_settings(received(SML, speed, resyncs=resyncs), USUAL)
    assert suggested is not None
    assert suggested.baud == speed


@pytest.mark.parametrize("telegram", [SML, TEXT, MBUS], ids=["sml", "text", "mbus"])
@pytest.mark.parametrize("speed", [300, 1200, 2400, 4800])
def test_every_slower_line(telegram: bytes, speed: int) -> None:
    data = received(telegram, speed, has_parity=telegram is MBUS)
    suggested = suggested_settings(data, USUAL)
    assert suggested is not None
    assert suggested.baud == speed


@pytest.mark.parametrize("speed", [300, 2400, 9600])
@pytest.mark.parametrize("read_at", [38_400, 115_200])
def test_far_above_every_slow_line_looks_alike(speed: int, read_at: int) -> None:
    assert suggested_settings(received(SML, speed, read_at=read_at), LineSettings(read_at)) == USUAL


def test_38400_at_115200() -> None:
    data = received(encoder.hdlc(pushes.apdu(pushes.ljubljana())), 38_400, read_at=115_200)
    assert suggested_settings(data, LineSettings(115_200)) == LineSettings(38_400)


@pytest.mark.parametrize("telegram", [SML, TEXT, MBUS, texts.p1_telegram()], ids=["sml", "text", "mbus", "p1"])
def test_bytes_at_their_own_speed_suggest_no_other(telegram: bytes) -> None:
    for start in range(0, len(telegram), 16):
        for length in (16, 40, len(telegram)):
            assert suggested_settings(telegram[start : start + length], USUAL) is None


def test_chance_suggests_nothing() -> None:
    chance = Random(1)
    assert {suggested_settings(chance.randbytes(64), USUAL) for _ in range(300)} == {None}
    assert suggested_settings(b"\0" * 15, USUAL) is None
