"""What is configured becomes an output; what cannot be used is refused before anything runs."""

import subprocess
import sys
from pathlib import Path

import pytest
from msgspec import structs

from iskra_server.base.address import Address
from iskra_server.base.secret import Secret
from iskra_server.config import Config, ConfigError, UplinkConfig, load
from iskra_server.reading.hub import Hub
from iskra_server.runtime.output_factory import planned_outputs
from iskra_server.runtime.planned_output import PlannedOutput


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default data folder is below the home directory."""
    monkeypatch.setenv("HOME", str(tmp_path))


def with_broker(url: str) -> Config:
    config = Config()
    return structs.replace(
        config, outputs=structs.replace(config.outputs, mqtt=structs.replace(config.outputs.mqtt, url=Address(url)))
    )


def planned(config: Config) -> tuple[PlannedOutput, ...]:
    return planned_outputs(config, (), "Europe/Berlin")


def names(config: Config) -> list[str]:
    return [output.create(Hub(), list, lambda: None).part.name for output in planned(config)]


def test_nothing_is_handed_on_unless_it_is_configured() -> None:
    assert names(Config()) == ["mdns"]
    assert names(structs.replace(Config(), server=structs.replace(Config().server, announce=False))) == []


def test_a_broker_that_is_configured_is_named() -> None:
    assert any("pi:1884" in name for name in names(with_broker("mqtt://pi:1884")))


def test_the_same_configuration_gives_equal_settings_and_another_one_does_not() -> None:
    def settings(url: str) -> set[object]:
        return {output.settings for output in planned(with_broker(url))}

    assert settings("mqtt://pi") == settings("mqtt://pi")
    # what is not concerned stays equal
    assert len(settings("mqtt://pi") & settings("mqtt://other")) == 1


def test_the_announcement_changes_with_the_rules_of_access() -> None:
    def announced(token: str) -> set[object]:
        server = structs.replace(Config().server, token=Secret(token))
        return {output.settings for output in planned(structs.replace(Config(), server=server))}

    assert announced("") != announced("0123456789abcdef") == announced("fedcba9876543210")


def test_an_output_that_cannot_be_used_is_a_mistake_in_the_configuration() -> None:
    with pytest.raises(ConfigError, match=r"outputs\.mqtt: "):
        planned(with_broker("gopher://pi"))


def test_a_centre_that_is_configured_is_named_and_needs_history() -> None:
    config = structs.replace(Config(), uplink=UplinkConfig(url=Address("mqtts://centre"), reader="cellar"))
    assert "uplink mqtts://centre:8883" in names(config)
    with pytest.raises(ConfigError, match=r"uplink\.url needs history\.enabled"):
        planned(structs.replace(config, history=structs.replace(config.history, enabled=False)))
    with pytest.raises(ConfigError, match=r"uplink: the reader's name 'a/b' cannot"):
        planned(structs.replace(config, uplink=UplinkConfig(url=Address("mqtts://centre"), reader="a/b")))


def test_channels_of_messages_are_one_output_with_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text('[[notify]]\nurl = "https://ntfy.sh/our-topic"\n[[notify]]\nkind = "webhook"\n')
    config = load({}, tmp_path / "x.toml")
    assert names(config) == ["mdns", "notify"]
    _, notify = planned(config)
    output = notify.create(Hub(), list, lambda: None)
    assert [(state.name, state.ok) for state in output.states()] == [("notify", True)]
    assert notify == planned(config)[1]._replace(create=notify.create)


def test_a_channel_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text('[[notify]]\nurl = "ntfy.sh/our-topic"\n')
    with pytest.raises(ConfigError, match=r"^notify.1.url must be an address such as https://ntfy.sh/TOPIC"):
        planned(load({}, tmp_path / "x.toml"))


def test_without_a_channel_nothing_of_notifications_is_imported() -> None:
    program = "import sys, iskra_server.runtime.server as s; s.plan_of(s.Config()); print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "iskra_server.outputs.mdns" not in done.stdout and "outputs.notify" not in done.stdout
