import pytest

import telegrams
import texts
from iskra_server.codecs.d0 import encoder as d0
from iskra_server.codecs.decoder import DECODERS, detect
from iskra_server.codecs.p1 import encoder as p1
from iskra_server.codecs.text.parity import with_parity


def test_every_decoder_keeps_the_contract() -> None:
    for make in DECODERS.values():
        decoder = make()
        assert list(decoder.feed(b"")) == []
        assert decoder.pending == 0


@pytest.mark.parametrize(
    ("data", "protocol"),
    [
        (telegrams.telegram(), "sml"),
        (texts.p1_telegram(), "p1"),
        (with_parity(texts.p1_telegram()), "p1"),
        (p1.without_checksum(texts.P1_IDENT, texts.p1_lines()[1:]), "p1"),
        # its checksum was lost: no reading, and no readout of D0
        (p1.without_checksum(texts.P1_IDENT, texts.p1_lines()), "p1"),
        (texts.d0_readout(), "d0"),
        (with_parity(d0.pushed(texts.D0_IDENT, texts.d0_lines())), "d0"),
        # nothing valid: by its start
        (telegrams.telegram()[:-1], "sml"),
        (texts.p1_telegram().replace(b"kWh", b"kWx"), "p1"),
        (texts.d0_readout()[:-9], "d0"),
        (b"noise", None),
        (b"/?!\r\n", None),
    ],
)
def test_the_protocol_of_a_capture(data: bytes, protocol: str | None) -> None:
    assert detect(data) == protocol
