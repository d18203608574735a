"""The keys of [outputs.mqtt] as the publisher takes them, and one sentence for each that it cannot."""

from pathlib import Path

import pytest

from iskra_server.base.address import Address
from iskra_server.config import CollectConfig, ConfigError
from iskra_server.outputs.mqtt.broker_settings import broker_settings
from outputs.mqtt.published import settings as settings_of


@pytest.mark.parametrize(
    ("url", "broker", "username", "password"),
    [
        ("mqtt://pi", "mqtt://pi:1883", None, None),
        ("mqtt://pi:2883/", "mqtt://pi:2883", None, None),
        ("mqtts://broker.example", "mqtts://broker.example:8883", None, None),
        ("mqtt://me:p%40ss@[::1]", "mqtt://[::1]:1883", "me", "p@ss"),
        ("mqtt://m%2Fe@pi", "mqtt://pi:1883", "m/e", None),
    ],
)
def test_a_url_says_all(url: str, broker: str, username: str | None, password: str | None) -> None:
    settings = settings_of(url)
    assert (settings.broker, settings.username, settings.password.reveal() or None) == (broker, username, password)


def test_a_password_may_stand_in_a_key_of_its_own() -> None:
    assert settings_of("mqtt://me@pi", password="p@ss:/").password.reveal() == "p@ss:/"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"url": "pi"}, "the url must be like mqtt://user@host:1883"),
        ({"url": "http://pi"}, "the url must be like mqtt://user@host:1883"),
        ({"url": "mqtt://pi/topic"}, "the url must be like mqtt://user@host:1883"),
        ({"url": "mqtt://pi:99999"}, "the port in the url must be a number from 1 to 65535"),
        ({"url": "mqtt://[pi"}, "the url must be like mqtt://user@host:1883"),
        ({"url": "mqtt://me:a@pi", "password": "b"}, "keep one of them"),
        ({"url": "mqtt://pi", "password": "b"}, "a password needs its user"),
        ({"url": "mqtt://pi", "ca_file": "/x"}, "certificates need TLS"),
        ({"url": "mqtts://pi", "ca_file": "/nowhere.pem"}, "there is no file /nowhere.pem"),
        ({"url": "mqtts://pi", "key_file": "/x"}, "key_file needs cert_file"),
        ({"url": "mqtt://pi", "base_topic": "a/#"}, "base_topic must be a topic such as house/meters"),
        ({"url": "mqtt://pi", "base_topic": "/a"}, "base_topic must be a topic such as house/meters"),
        ({"url": "mqtt://pi", "discovery_prefix": "+"}, "discovery_prefix must be a topic"),
        ({"url": "mqtt://pi", "base_topic": "a\nb"}, "base_topic must be a topic such as house/meters"),
        ({"url": "mqtt://pi", "base_topic": "$SYS/x"}, "base_topic must not begin with $"),
        ({"url": "mqtt://pi", "discovery_prefix": "$share/x"}, "discovery_prefix must not begin with $"),
        ({"url": "mqtt://pi", "base_topic": "x" * 66_000}, "base_topic must have at most 1,000 bytes"),
        ({"url": "mqtt://pi", "client_id": "x" * 70_000}, "client_id must be text without control characters"),
        ({"url": "mqtt://pi", "client_id": "a\0b"}, "client_id must be text without control characters"),
        ({"url": f"mqtt://{'u' * 70_000}:p@pi"}, "user must be text without control characters"),
        ({"url": "mqtt://me@pi", "password": "x" * 70_000}, "password must be text without control characters"),
        ({"url": "mqtt://a..b"}, "the url must be like mqtt://user@host:1883"),
        ({"url": f"mqtt://{'x' * 70}.local"}, "the url must be like mqtt://user@host:1883"),
        ({"url": "mqtt://pi:0"}, "the port in the url must be a number from 1 to 65535"),
    ],
)
def test_what_cannot_be_is_one_sentence(given: dict[str, str], sentence: str) -> None:
    with pytest.raises(ConfigError, match=r"^[^\n]+$") as refused:
        settings_of(**given)
    assert sentence in str(refused.value)


def test_files_that_hold_no_certificates_are_named(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("no certificate")
    for given in ({"ca_file": str(tmp_path / "x.pem")}, {"cert_file": str(tmp_path / "x.pem")}):
        with pytest.raises(ConfigError, match=r"x\.pem"):
            settings_of("mqtts://pi", **given)


def test_collectors_and_uplinks_have_the_same_broker_settings_without_a_client_id() -> None:
    settings = broker_settings("collect", CollectConfig(url=Address("mqtt://reader:secret@central")))
    assert (settings.broker, settings.username, settings.client_id) == ("mqtt://central:1883", "reader", "")
    with pytest.raises(ConfigError, match=r"^collect: the url must be like"):
        broker_settings("collect", CollectConfig(url=Address("http://central")))
