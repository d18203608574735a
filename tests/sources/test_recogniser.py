import subprocess
import sys

import pytest

import pushes
import telegrams
import texts
from iskra_server.codecs.dlms import encoder
from iskra_server.codecs.text.parity import with_parity
from iskra_server.sources.recogniser import MAX_BYTES, Recogniser

SML = telegrams.telegram()
HDLC = encoder.hdlc(pushes.apdu(pushes.ljubljana()))
TELEGRAMS = {
    "sml": SML,
    "p1": texts.p1_telegram(),
    "d0": with_parity(texts.d0_readout()),
    "dlms": HDLC,
}


@pytest.mark.parametrize("protocol", TELEGRAMS)
@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_a_whole_telegram_behind_noise_is_recognised(protocol: str, chunk: int) -> None:
    recogniser, data = Recogniser(), b"\x83noise\r\n" + TELEGRAMS[protocol]
    found = [recogniser.feed(part) for part in telegrams.chunks(data, chunk)]
    assert found[-1] == recogniser.protocol == protocol
    assert recogniser.data == data


def test_any_part_of_sml_is_a_beginning() -> None:
    for start in range(0, len(SML), 20):
        recogniser = Recogniser()
        recogniser.feed(SML[start : start + 120])
        assert recogniser.begun == "sml"


def test_a_slow_readout_is_recognised_before_it_ends() -> None:
    recogniser = Recogniser()
    recogniser.feed(TELEGRAMS["d0"][:100])
    assert (recogniser.begun, recogniser.has_marks) == ("", True)
    recogniser.feed(TELEGRAMS["d0"][100:-10])
    assert recogniser.begun == "d0"


@pytest.mark.parametrize(
    ("data", "has_marks"),
    [
        (b"1-0:1.8.0(0001.5*kWh)\r\n", True),
        (with_parity(b"1-0:1.8.0(0001.5*kWh)\r\n"), True),
        (b"\x00\x80\xf8" * 10, False),
        (bytes(range(0x80, 0xC0)), False),
    ],
)
def test_text_is_worth_waiting_for(data: bytes, has_marks: bool) -> None:
    recogniser = Recogniser()
    recogniser.feed(data)
    assert (recogniser.has_marks, recogniser.begun) == (has_marks, "")


def test_its_memory_is_bounded() -> None:
    recogniser = Recogniser()
    for _ in range(100):
        recogniser.feed(b"/ISk5MT174\r\n" + b"(" * 200)
    assert len(recogniser.data) == MAX_BYTES


def test_sml_is_recognised_without_the_other_protocols() -> None:
    program = (
        "import sys; from iskra_server.sources.recogniser import Recogniser;"
        f"r = Recogniser(); r.feed(bytes.fromhex('{SML.hex()}')); assert r.protocol == 'sml';"
        "print([m for m in sys.modules if m.startswith(('iskra_server.codecs.d0.decoder', 'iskra_server.codecs.p1',"
        " 'iskra_server.codecs.dlms'))])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
