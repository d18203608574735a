"""A later layer wins, and each value knows where it came from."""

import pytest

from iskra_server.base.address import Address
from iskra_server.config import ConfigError, load_with_origins
from iskra_server.config.layers import Layers
from iskra_server.config.sections import MeterConfig


def test_a_later_layer_wins_and_is_the_origin() -> None:
    layers = Layers()
    layers.add_file({"server": {"port": 1, "host": "::1"}}, "a.toml")
    layers.add_environment({"IES_PORT": "2"})
    assert (layers.config().server.port, layers.config().server.host) == (2, "::1")
    assert layers.origins == {"server.port": "IES_PORT", "server.host": "a.toml"}


def test_a_list_replaces_the_list_of_an_earlier_layer() -> None:
    layers = Layers()
    layers.add_file({"meters": [{"url": "a", "name": "A"}, {"url": "b"}]}, "a.toml")
    layers.add("meters.url", ["c"], "command line")
    assert [(meter.url.reveal(), meter.name) for meter in layers.config().meters] == [("c", "")]
    assert layers.origins == {"meters.1.url": "command line"}


def test_an_error_is_one_line_whatever_it_repeats() -> None:
    assert str(ConfigError("'a\n\x1b[31mb' is not a key.")) == "'a??[31mb' is not a key."


def test_a_wrong_value_is_refused_when_it_is_added() -> None:
    with pytest.raises(ConfigError, match=r"server\.port in a\.toml must be a whole number from 1 to 65535, not 0\."):
        Layers().add_file({"server": {"port": 0}}, "a.toml")


def test_a_key_for_every_meter_also_applies_to_meters_of_the_command_line() -> None:
    environ = {"IES_METERS": "tcp://a:1", "IES_METERS_NAME": "cellar"}
    meters = load_with_origins(environ, None, {"meters.url": ["/dev/one", "/dev/two"]}).config.meters
    assert [(meter.url.reveal(), meter.name) for meter in meters] == [("/dev/one", "cellar"), ("/dev/two", "cellar")]


def test_a_secret_of_a_wrong_type_is_not_repeated() -> None:
    with pytest.raises(ConfigError, match=r"^server\.token in x\.toml must be text in quotes\.$"):
        Layers().add_file({"server": {"token": 1234567890123456}}, "x.toml")


def test_meters_that_differ_only_in_a_secret_are_different() -> None:
    """A changed password restarts the part, though both print the same."""
    one, same, other = (MeterConfig(Address(f"tcp://me:{password}@head:1")) for password in ("a", "a", "b"))
    assert one == same != other
    assert len({one, same, other}) == 2
    assert str(one) == str(other)
