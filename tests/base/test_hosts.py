"""Names of the local network are allowed, names that a stranger could own are not."""

import pytest

from iskra_server.base.hosts import Hosts, host_name

OURS = (
    *("192.168.1.20", "192.168.1.20:18080", "[fe80::1]", "[::1]:8080", "127.0.0.1"),
    *("localhost", "localhost:8080", "app.localhost", "LOCALHOST"),
    # a container's service name, a machine's name
    *("iskra-server:8080", "raspberrypi", "homeassistant"),
    *(
        "raspberrypi.local",
        "raspberrypi.local.",
        "pi.fritz.box",
        "pi.lan:80",
        "meter.home.arpa",
        "host.docker.internal",
    ),
    *("", ":8080"),
)
STRANGE = (
    *("evil.example", "evil.example:18080", "192.168.1.20.evil.example", "localhost.evil.example", "local.example"),
    *(
        "raspberrypi.local.evil.example",
        "evil.example.",
        "notlocal.example:80",
        "1.2.3",
        "[::1].evil.example",
        "a.b:c:d",
    ),
)


@pytest.mark.parametrize("host", OURS)
def test_a_name_of_the_local_network_is_allowed(host: str) -> None:
    assert Hosts().allows(host)


@pytest.mark.parametrize("host", STRANGE)
def test_a_name_that_a_stranger_can_own_is_refused(host: str) -> None:
    assert not Hosts().allows(host)


def test_the_name_of_this_machine_is_allowed() -> None:
    assert Hosts(machine="Meter.Example.org").allows("meter.example.org:8080")


def test_configured_names_are_allowed() -> None:
    hosts = Hosts(["meter.example.org", " *.example.net"])
    assert hosts.allows("Meter.example.org:443")
    assert hosts.allows("a.b.example.net")
    assert not hosts.allows("example.net")
    assert not hosts.allows("meter.example.com")


def test_a_star_allows_any_name() -> None:
    assert Hosts(["*"]).allows("evil.example")


def test_an_empty_configuration_adds_nothing() -> None:
    assert not Hosts([""]).allows("evil.example")


def test_the_port_is_not_part_of_the_name() -> None:
    assert [host_name(host) for host in ("A:1", "[::1]:80", "[::1]", "a.", "a.:1")] == ["a", "[::1]", "[::1]", "a", "a"]
