import pytest

from iskra_server.simulator.noise import heard

TEXT = b"1.8.0(0000001.000*kWh)"


def test_at_its_own_speed_a_reader_hears_what_was_sent() -> None:
    assert heard(TEXT, 9600, 9600) == TEXT
    assert heard(TEXT, 2400, 2400, has_parity=True) == TEXT


@pytest.mark.parametrize("read_at", [300, 2400, 19_200, 115_200])
def test_at_another_speed_it_hears_noise(read_at: int) -> None:
    noise = heard(TEXT, 9600, read_at)
    assert TEXT[:4] not in noise and (noise or read_at == 300)


@pytest.mark.parametrize("read_at", [0, 50, 921_600, 4_000_000])
def test_a_speed_that_no_meter_has_is_silence(read_at: int) -> None:
    assert heard(TEXT, 9600, read_at) == b""
