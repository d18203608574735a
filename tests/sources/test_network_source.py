import pytest

from iskra_server.sources import open_source


@pytest.mark.parametrize(
    ("url", "port", "protocol"),
    [
        ("tcp://192.0.2.1:4000?protocol=p1", "tcp://192.0.2.1:4000", "p1"),
        ("tcp://192.0.2.1:4000/?protocol=d0&poll_s=60", "tcp://192.0.2.1:4000/", "d0"),
        ("tcp://192.0.2.1:4000?protocol=d0&listen_only=1", "tcp://192.0.2.1:4000", "d0"),
        ("rfc2217://192.0.2.1:4000?baud=115200", "rfc2217://192.0.2.1:4000", ""),
        ("rfc2217://192.0.2.1:4000?protocol=d0", "rfc2217://192.0.2.1:4000", "d0"),
        ("esphome://192.0.2.1/?port_name=head&baud=300", "esphome://192.0.2.1/?port_name=head", ""),
    ],
)
def test_the_far_end_gets_its_own_options_alone(url: str, port: str, protocol: str) -> None:
    source = open_source(url)
    assert (source.url, source.state.port, source.state.protocol) == (url, port, protocol)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("tcp://192.0.2.1:4000?speed=3", "tcp://192.0.2.1:4000?speed=3 has an unknown option speed."),
        ("tcp://192.0.2.1:4000?baud=9601", "This system has no speed of 9601 baud"),
        ("rfc2217://192.0.2.1:4000?protocol=x", "protocol in rfc2217://192.0.2.1:4000?protocol=x must be sml"),
    ],
)
def test_a_wrong_option_is_named(url: str, sentence: str) -> None:
    with pytest.raises(ValueError) as refusal:
        open_source(url)
    assert str(refusal.value).startswith(sentence)
