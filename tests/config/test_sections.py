"""What is configured where nothing is."""

from iskra_server.base.address import Address
from iskra_server.config.sections import Config, MeterConfig


def test_one_meter_that_is_found_by_itself_is_the_default() -> None:
    assert Config().meters == (MeterConfig(url=Address("auto")),)


def test_meters_that_differ_in_a_secret_alone_are_not_the_same() -> None:
    one, same, other = (MeterConfig(Address(f"tcp://me:{password}@head:1")) for password in ("a", "a", "b"))
    assert one == same != other
    assert len({one, same, other}) == 2
    assert str(one) == str(other)
