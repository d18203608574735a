"""Channels as a list of sections; their addresses are secrets."""

from pathlib import Path

from iskra_server.config import load
from iskra_server.config.notify_sections import AlertsConfig, NotifyConfig


def test_each_section_is_a_channel(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text('[[notify]]\nurl = "https://ntfy.sh/our-topic"\n[[notify]]\nkind = "gotify"\n')
    config = load({}, file)
    assert [channel.kind for channel in config.notify] == ["ntfy", "gotify"]
    assert str(config.notify[0].url) == "https://ntfy.sh/***"
    assert config.notify[1] == NotifyConfig(kind="gotify")


def test_without_a_section_there_is_no_channel_and_the_rules_have_their_defaults() -> None:
    config = load({})
    assert (config.notify, config.alerts) == ((), AlertsConfig())


def test_a_variable_makes_the_first_channel() -> None:
    (channel,) = load({"IES_NOTIFY_URL": "https://ntfy.sh/our-topic"}).notify
    assert channel.url.reveal() == "https://ntfy.sh/our-topic"
