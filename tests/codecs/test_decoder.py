import telegrams
from iskra_server.codecs.decoder import DECODERS, recognise


def test_every_decoder_keeps_the_contract() -> None:
    for make in DECODERS.values():
        decoder = make()
        assert list(decoder.feed(b"")) == []
        assert decoder.to_send() == b""
        assert decoder.pending == 0


def test_a_meter_is_recognised_by_a_whole_telegram_and_by_nothing_less() -> None:
    data = telegrams.telegram()
    assert recognise(b"noise" + data + data[:50])
    assert not recognise(data[:-1])
    assert not recognise(b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n" * 20)
