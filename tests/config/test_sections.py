"""What is configured where nothing is."""

from iskra_server.address import Address
from iskra_server.config.sections import Config, MeterConfig


def test_one_meter_that_is_found_by_itself_is_the_default() -> None:
    assert Config().meters == (MeterConfig(url=Address("auto")),)
