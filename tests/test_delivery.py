"""Whoever is configured hands readings on; nobody else is made."""

import pytest
from msgspec import structs

from iskra_server.address import Address
from iskra_server.config import Config, ConfigError, UplinkConfig
from iskra_server.delivery import check, mqtt_settings, outputs_of
from iskra_server.hub import Hub


def with_broker(url: str) -> Config:
    config = Config()
    return structs.replace(
        config, outputs=structs.replace(config.outputs, mqtt=structs.replace(config.outputs.mqtt, url=url))
    )


def test_nothing_is_handed_on_unless_it_is_configured() -> None:
    assert mqtt_settings(Config().outputs.mqtt) is None
    assert "mqtt" not in " ".join(output.part.name for output in outputs_of(Config(), Hub(), list, lambda: None))


def test_a_broker_that_is_configured_is_named() -> None:
    names = [output.part.name for output in outputs_of(with_broker("mqtt://pi:1884"), Hub(), list, lambda: None)]
    assert any("pi:1884" in name for name in names)


def test_an_output_that_cannot_be_used_is_a_mistake_in_the_configuration() -> None:
    with pytest.raises(ConfigError, match=r"outputs\.mqtt: "):
        check(with_broker("gopher://pi"))


def test_a_centre_that_is_configured_is_named_and_needs_history() -> None:
    config = structs.replace(Config(), uplink=UplinkConfig(url=Address("mqtts://centre"), reader="cellar"))
    assert "uplink mqtts://centre:8883" in [
        output.part.name for output in outputs_of(config, Hub(), list, lambda: None)
    ]
    with pytest.raises(ConfigError, match=r"uplink\.url needs history\.enabled"):
        check(structs.replace(config, history=structs.replace(config.history, enabled=False)))
    with pytest.raises(ConfigError, match=r"uplink: the reader's name 'a/b' cannot"):
        check(structs.replace(config, uplink=UplinkConfig(url=Address("mqtts://centre"), reader="a/b")))
