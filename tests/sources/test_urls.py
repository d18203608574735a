from pathlib import Path

import pytest

from iskra_server.base.address import Address
from iskra_server.sources import open_source
from iskra_server.sources.reconnect import Reconnecting
from iskra_server.sources.replay import Replay
from iskra_server.sources.source import Source, SourceState
from iskra_server.sources.urls import FORMS


def opened(url: str) -> Source:
    return open_source(url)


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("auto", "auto"),
        ("/dev/ttyUSB0", "/dev/ttyUSB0"),
        ("/dev/ttyUSB0?baud=115200", "/dev/ttyUSB0"),
        (
            "/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0",
            "/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0",
        ),
        ("meter/pty", "meter/pty"),
        ("tcp://192.0.2.1:4000", "tcp://192.0.2.1:4000"),
        ("tcp://[2001:db8::1]:4000", "tcp://[2001:db8::1]:4000"),
        ("rfc2217://192.0.2.1:4000", "rfc2217://192.0.2.1:4000"),
        ("esphome://192.0.2.1/?port_name=head", "esphome://192.0.2.1/?port_name=head"),
        ("/dev/ttyUSB0?poll_s=60", "/dev/ttyUSB0"),
        ("/dev/ttyUSB0?format=8E1&baud=2400&listen_only=1", "/dev/ttyUSB0"),
        ("http://192.0.2.1", "http://192.0.2.1"),
        ("http://admin:AD56-54BA@192.0.2.1/data.json?node_id=1", "http://admin:***@192.0.2.1/data.json?node_id=1"),
        ("https://bridge/data.json?poll_s=5", "https://bridge/data.json?poll_s=5"),
        ("mqtt://192.0.2.1/house/meter", "mqtt://192.0.2.1/house/meter"),
        ("mqtts://me:secret@broker:8883/meter", "mqtts://me:***@broker:8883/meter"),
    ],
)
def test_every_form_of_address_makes_a_source_that_is_not_open(url: str, port: str) -> None:
    source = opened(url)
    assert isinstance(source, Reconnecting)
    assert (source.url, source.state, source.simulated) == (str(Address(url)), SourceState(port, is_open=False), False)


@pytest.mark.parametrize("url", ["file:capture.bin", "file:capture.bin?speed=0", "file:capture.bin?speed=2.5"])
def test_a_capture_is_replayed(url: str) -> None:
    source = opened(url)
    assert isinstance(source, Replay)
    assert source.state == SourceState(str(Path("capture.bin")), is_open=False)


@pytest.mark.parametrize("url", ["", "udp://192.0.2.1:4000", "ws://192.0.2.1/ws", "simulator:MT175", "tpc://1"])
def test_an_unknown_form_is_rejected_with_a_list_of_forms(url: str) -> None:
    with pytest.raises(ValueError) as refusal:
        opened(url)
    sentence = str(refusal.value)
    assert sentence.startswith(f"{url!r} is not an address of a meter. It can be auto, ")
    assert all(form in sentence for form in FORMS)


@pytest.mark.parametrize(
    ("url", "better"),
    [
        ("192.168.1.1:2001", "write tcp://192.168.1.1:2001"),
        ("192.168.1.1", "write tcp://192.168.1.1:PORT"),
        ("ser2net.local:2001", "write tcp://ser2net.local:2001"),
        ("[2001:db8::1]:2001", "write tcp://[2001:db8::1]:2001"),
        ("socket://192.168.1.1:2001", "write tcp://192.168.1.1:2001"),
        ("telnet://head:23/", "write tcp://head:23"),
        ("com3", "COM3 is a port of Windows; iskra-server ports lists the ports of this computer"),
        ("ttyUSB97", "write /dev/ttyUSB97"),
    ],
)
def test_an_address_of_another_program_gets_a_suggestion(url: str, better: str) -> None:
    with pytest.raises(ValueError) as refusal:
        opened(url)
    assert str(refusal.value) == f"{url} is not an address of a meter; {better}."


@pytest.mark.parametrize("url", ["/dev/tty\0", "tcp://host\n:1", "/dev/\udcff"])
def test_unprintable_characters_are_rejected(url: str) -> None:
    with pytest.raises(ValueError, match="has characters that no address has"):
        opened(url)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("file:a.bin?speed=nan", "speed in file:a.bin?speed=nan must be a number, not 'nan'."),
        ("file:a.bin?pace=2", "file:a.bin?pace=2 has an unknown option pace. There is only speed."),
    ],
)
def test_a_wrong_option_is_named(url: str, sentence: str) -> None:
    with pytest.raises(ValueError) as refusal:
        opened(url)
    assert str(refusal.value) == sentence


def test_a_word_that_is_neither_a_port_nor_a_url_nor_a_file_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="'nonsense' is neither a serial port, a URL nor a file; iskra-server ports"):
        opened("nonsense")
    (tmp_path / "head").symlink_to("/dev/null")
    assert opened("head").state.port == "head"
