"""What is read from an address, and what is shown of it."""

import pytest

from iskra_server.base.address import Address, PathSecret, host_in_url, is_host


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("postgresql://iskra:geheim@db/iskra", "postgresql://iskra:***@db/iskra"),
        ("postgresql://iskra:ge@he/im@db/iskra", "postgresql://iskra:***@db/iskra"),
        (
            "postgresql://db/iskra?user=u&password=geheim&sslmode=require",
            "postgresql://db/iskra?user=u&password=***&sslmode=require",
        ),
        ("postgresql:///iskra?host=/run/postgresql", "postgresql:///iskra?host=/run/postgresql"),
        ("esphome://host/?port_name=uart&key=geheim", "esphome://host/?port_name=uart&key=***"),
        ("esphome://host/?port_name=uart&KEY=geheim#geheim", "esphome://host/?port_name=uart&KEY=***"),
        ("esphome://host/?port_name=uart;noise_psk=geheim", "esphome://host/?port_name=uart;noise_psk=***"),
        ("esphome://host/?port_name=uart#geheim&key=geheim", "esphome://host/?port_name=***&key=***"),
        ("esphome://host/?key=gehe&im", "esphome://host/?key=***&***"),
        ("esphome://:geheim@host/?port_name=uart", "esphome://***@host/?port_name=uart"),
        ("http://:geheim@bridge/data", "http://***@bridge/data"),
        ("http://geheim@bridge/data", "http://***@bridge/data"),
        ("http://bridge/data?node_id=1", "http://bridge/data?node_id=1"),
        ("http://bridge/?geheim", "http://bridge/?***"),
        ("tcp://192.168.1.20:2001", "tcp://192.168.1.20:2001"),
        ("tcp://geheim@bridge:1", "tcp://***@bridge:1"),
        ("tcp://me:gehe/im@bridge:1", "tcp://me:***@bridge:1"),
        ("mqtt://me:1234/im@broker", "mqtt://me:***@broker"),
        ("mqtt://me:gehe?im=x@broker:1883", "mqtt://me:***@broker:1883"),
        ("mqtt://me:gehe#im@[::1]:1883", "mqtt://me:***@[::1]:1883"),
        # an @ that was forgotten
        ("mqtt://me:geheim", "mqtt://me:***"),
        ("mqtt:me:geheim@broker", "mqtt:me:***@broker"),
        ("me:geheim@broker:1883", "me:***@broker:1883"),
        ("geheim@broker", "***@broker"),
        ("/dev/serial/by-id/usb-EXAMPLE", "/dev/serial/by-id/usb-EXAMPLE"),
        ("/dev/serial/by-id/usb-a@b?baud=9600", "/dev/serial/by-id/usb-a@b?baud=9600"),
        ("//me:geheim@broker", "//me:***@broker"),
        ("file:/home/a@b/meter.bin?speed=0", "file:/home/a@b/meter.bin?speed=0"),
        ("simulator:MT175?seed=1&rate=10", "simulator:MT175?seed=1&rate=10"),
        ("192.168.1.1:2001", "192.168.1.1:2001"),
        ("auto", "auto"),
        ("", ""),
    ],
)
def test_passwords_and_keys_are_not_printed(url: str, seen: str) -> None:
    address = Address(url)
    assert (str(address), address.reveal()) == (seen, url)


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("mqtt://me:p%40ss@Broker:1884", ("mqtt", "me", "p@ss", "broker", 1884, "")),
        ("mqtt://m%2Fe@broker/", ("mqtt", "m/e", "", "broker", None, "/")),
        (
            "postgresql://me:p@s/s#d@db:5432/iskra?sslmode=require",
            ("postgresql", "me", "p@s/s#d", "db", 5432, "/iskra?sslmode=require"),
        ),
        ("postgresql:///iskra", ("postgresql", "", "", "", None, "/iskra")),
        ("http://[::1]:8086/influx", ("http", "", "", "::1", 8086, "/influx")),
        ("HTTPS://pi", ("https", "", "", "pi", None, "")),
        ("/dev/ttyUSB0", ("", "", "", "", None, "")),
    ],
)
def test_an_address_is_parsed_into_its_parts(url: str, parts: tuple[object, ...]) -> None:
    address = Address(url)
    found = (address.scheme, address.user, address.password.reveal(), address.host, address.port, address.rest)
    assert found == parts


def test_blanks_around_an_address_are_no_part_of_it() -> None:
    for text in ("/dev/ttyUSB0 ", "\t/dev/ttyUSB0\n", Address(" /dev/ttyUSB0")):
        assert Address(text) == Address("/dev/ttyUSB0")
    assert Address("tcp://head:2001 ").port == 2001


@pytest.mark.parametrize("url", ["mqtt://pi:0", "mqtt://pi:65536", "mqtt://pi:x", "mqtt://pi:99999999999"])
def test_an_impossible_port_is_an_error(url: str) -> None:
    with pytest.raises(ValueError, match="the port must be a number from 1 to 65535"):
        _ = Address(url).port


@pytest.mark.parametrize(
    ("url", "escaped"),
    [
        ("rfc2217://me:p#a/s@s@head:1", "rfc2217://me:p%23a%2Fs%40s@head:1"),
        ("esphome://[::1]:6053/?port_name=x&key=a#b", "esphome://[::1]:6053/?port_name=x&key=a%23b"),
        ("tcp://head:1", "tcp://head:1"),
    ],
)
def test_escaped_is_an_address_for_strict_parsers(url: str, escaped: str) -> None:
    assert Address(url).escaped() == escaped
    assert str(Address(escaped)) == str(Address(url))


def test_a_part_of_the_password_that_a_parser_takes_for_a_port_is_masked() -> None:
    assert Address("rfc2217://me:geheim#x@head:1").masked("no port: 'geheim'") == "no port: '***'"


def test_a_user_with_a_password_is_not_masked() -> None:
    assert (
        Address("postgresql://me@corporation:geheim@db/x").masked("no user me@corporation") == "no user me@corporation"
    )


def test_errors_of_libraries_are_masked() -> None:
    address = Address("rfc2217://me:gehe%40im@head:1?key=zzz/zzz")
    said = "no route to rfc2217://me:gehe%40im@head:1?key=zzz/zzz: user me:gehe@im, zzz%2Fzzz"
    assert address.masked(ValueError(said)) == "no route to rfc2217://me:***@head:1?key=***: user ***, ***"


@pytest.mark.parametrize("name", ["pi", "pi.local", "a_b", "kühlschrank", "192.168.1.20", "::1", "fe80::1", "host."])
def test_host_names_and_ip_addresses_are_hosts(name: str) -> None:
    assert is_host(name)


@pytest.mark.parametrize(
    "name", ["", "..", "a..b", "x" * 64, "x." * 130, "a b", "a\0b", "localhost\n", "ä" * 100, "[::1]"]
)
def test_names_that_no_resolver_accepts_are_no_hosts(name: str) -> None:
    assert not is_host(name)


@pytest.mark.parametrize(
    ("url", "seen", "parts"),
    [
        ("https://ntfy.sh/our-topic", "https://ntfy.sh/***", {"our-topic"}),
        # an ordinary word is not masked wherever it occurs
        ("https://ntfy.sh/meter", "https://ntfy.sh/***", set()),
        ("http://ha:8123/api/webhook/x1f00b5e8a?y", "http://ha:8123/***", {"x1f00b5e8a", "api/webhook/x1f00b5e8a?y"}),
        ("https://me:geheim@ntfy.sh/a", "https://me:***@ntfy.sh/***", {"geheim", "me:geheim"}),
        ("https:///our-topic", "https:///***", {"our-topic"}),
        ("smtps://mail.example.org", "smtps://mail.example.org", set()),
        ("https://ntfy.sh/", "https://ntfy.sh/", set()),
        ("", "", set()),
    ],
)
def test_a_path_may_be_a_secret_too(url: str, seen: str, parts: set[str]) -> None:
    address = PathSecret(url)
    assert (str(address), set(address.parts()) - {"y"}) == (seen, parts)


@pytest.mark.parametrize(
    ("host", "shown"), [("::1", "[::1]"), ("192.168.1.2", "192.168.1.2"), ("a.example", "a.example")]
)
def test_an_ipv6_address_has_brackets_in_a_url(host: str, shown: str) -> None:
    assert host_in_url(host) == shown
