"""What may be seen of a value."""

import pytest

from iskra_server.config import describe
from iskra_server.config.masking import masked_url, shown

KEYS = {key.path: key for key in describe()}


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("postgresql://iskra:geheim@db/iskra", "postgresql://iskra:***@db/iskra"),
        ("postgresql://iskra:ge@he/im@db/iskra", "postgresql://iskra:***@db/iskra"),
        (
            "postgresql://db/iskra?user=u&password=geheim&sslmode=require",
            "postgresql://db/iskra?user=u&password=***&sslmode=require",
        ),
        ("esphome://host/?port_name=uart&key=geheim", "esphome://host/?port_name=uart&key=***"),
        ("http://:geheim@bridge/data", "http://:***@bridge/data"),
        ("http://bridge/data?node_id=1", "http://bridge/data?node_id=1"),
        ("tcp://192.168.1.20:2001", "tcp://192.168.1.20:2001"),
        ("/dev/serial/by-id/usb-EXAMPLE", "/dev/serial/by-id/usb-EXAMPLE"),
        ("auto", "auto"),
    ],
)
def test_passwords_and_keys_of_addresses_are_not_seen(url: str, seen: str) -> None:
    assert masked_url(url) == seen


def test_of_a_secret_nothing_is_seen_whatever_it_looks_like() -> None:
    assert shown(KEYS["server.token"], "0123456789abcdef") == "***"
    assert shown(KEYS["server.token"], "a://0123456789abcdef") == "***"
    assert shown(KEYS["history.database_url"], "geheim") == "***"
    assert shown(KEYS["server.token"], "") == ""


def test_other_values_are_seen_as_they_are() -> None:
    assert shown(KEYS["server.port"], 8080) == 8080
    assert shown(KEYS["meters.name"], "House") == "House"
    assert shown(KEYS["meters.url"], "tcp://h:1") == "tcp://h:1"
