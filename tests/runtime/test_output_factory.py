"""What is configured becomes an output; what cannot be used is refused before anything runs."""

from pathlib import Path

import pytest
from msgspec import structs

from iskra_server.base.address import Address
from iskra_server.base.secret import Secret
from iskra_server.config import Config, ConfigError, UplinkConfig
from iskra_server.reading.hub import Hub
from iskra_server.runtime.output_factory import planned_outputs


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default data folder is below the home directory."""
    monkeypatch.setenv("HOME", str(tmp_path))


def with_broker(url: str) -> Config:
    config = Config()
    return structs.replace(
        config, outputs=structs.replace(config.outputs, mqtt=structs.replace(config.outputs.mqtt, url=Address(url)))
    )


def names(config: Config) -> list[str]:
    return [output.create(Hub(), list, lambda: None).part.name for output in planned_outputs(config)]


def test_nothing_is_handed_on_unless_it_is_configured() -> None:
    assert names(Config()) == ["mdns"]
    assert names(structs.replace(Config(), server=structs.replace(Config().server, announce=False))) == []


def test_a_broker_that_is_configured_is_named() -> None:
    assert any("pi:1884" in name for name in names(with_broker("mqtt://pi:1884")))


def test_the_same_configuration_gives_equal_settings_and_another_one_does_not() -> None:
    def settings(url: str) -> set[object]:
        return {output.settings for output in planned_outputs(with_broker(url))}

    assert settings("mqtt://pi") == settings("mqtt://pi")
    # what is not concerned stays equal
    assert len(settings("mqtt://pi") & settings("mqtt://other")) == 1


def test_the_announcement_changes_with_the_rules_of_access() -> None:
    def announced(token: str) -> set[object]:
        server = structs.replace(Config().server, token=Secret(token))
        return {output.settings for output in planned_outputs(structs.replace(Config(), server=server))}

    assert announced("") != announced("0123456789abcdef") == announced("fedcba9876543210")


def test_an_output_that_cannot_be_used_is_a_mistake_in_the_configuration() -> None:
    with pytest.raises(ConfigError, match=r"outputs\.mqtt: "):
        planned_outputs(with_broker("gopher://pi"))


def test_a_centre_that_is_configured_is_named_and_needs_history() -> None:
    config = structs.replace(Config(), uplink=UplinkConfig(url=Address("mqtts://centre"), reader="cellar"))
    assert "uplink mqtts://centre:8883" in names(config)
    with pytest.raises(ConfigError, match=r"uplink\.url needs history\.enabled"):
        planned_outputs(structs.replace(config, history=structs.replace(config.history, enabled=False)))
    with pytest.raises(ConfigError, match=r"uplink: the reader's name 'a/b' cannot"):
        planned_outputs(structs.replace(config, uplink=UplinkConfig(url=Address("mqtts://centre"), reader="a/b")))
