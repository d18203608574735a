"""The options of the app of Home Assistant: what they set, and what a person is told in their words."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from iskra_server.base.address import Address
from iskra_server.base.secret import Secret
from iskra_server.config import Config, ConfigError, MeterConfig, describe, load, load_with_origins
from iskra_server.config.app_options import OPTIONS, in_option_names


def written(folder: Path, options: dict[str, Any]) -> Path:
    file = folder / "options.json"
    file.write_text(json.dumps(options))
    return file


def test_every_option_sets_keys_that_exist() -> None:
    paths = {key.path for key in describe()} | {"meters"}
    assert {path for keys in OPTIONS.values() for path in keys} <= paths


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sources": [], "language": "auto", "log_level": None, "token": "", "mqtt": True},
        {"sources": [{}]},
        {"sources": [{"url": "", "name": None, "key": ""}]},
    ],
)
def test_nothing_is_required(options: dict[str, Any], tmp_path: Path) -> None:
    assert load({}, written(tmp_path, options)) == Config()


def test_an_option_sets_the_keys_behind_it(tmp_path: Path) -> None:
    options = {
        "sources": [
            {"url": "auto", "name": "Haus", "max_power_w": 41_400},
            {"url": "tcp://head:2001", "key": "00" * 16},
        ],
        "language": "de",
        "log_level": "debug",
        "time_zone": "Europe/Vienna",
        "port": 18080,
        "token": "0123456789abcdef",
        "allowed_hosts": "meter.example.org",
        "mqtt": False,
        "mqtt_url": "mqtt://me@pi",
        "mqtt_password": "secret",
        "history_days": 7,
        "database_url": "postgresql://db/iskra",
        "ecotracker": True,
        "shelly_pro_3em": True,
        "emulated_meter": "Haus",
        "batteries": 2,
        "target_w": 30,
    }
    config = load({}, written(tmp_path, options))
    assert config.meters == (
        MeterConfig(Address("auto"), "Haus", max_power_w=41_400),
        MeterConfig(Address("tcp://head:2001"), key=Secret("00" * 16)),
    )
    assert (config.server.language, config.outputs.mqtt.language, config.log.level) == ("de", "de", "debug")
    assert (config.server.time_zone, config.server.token) == ("Europe/Vienna", Secret("0123456789abcdef"))
    assert config.server.port == 18080
    mqtt = config.outputs.mqtt
    assert (mqtt.use_home_assistant, mqtt.url.host, mqtt.password) == (False, "pi", Secret("secret"))
    assert (config.history.raw_days, config.history.database_url.host) == (7.0, "db")
    assert config.server.allowed_hosts == "meter.example.org"
    outputs = config.outputs
    assert outputs.ecotracker.enabled and outputs.shelly_pro_3em.enabled and not outputs.vzlogger.enabled
    emulation = outputs.emulation
    assert (emulation.meter, emulation.batteries, emulation.target_w) == ("Haus", 2, 30.0)


def test_the_file_of_the_apps_own_folder_wins_over_options_and_keeps_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = tmp_path / "iskra-server.toml"
    module = sys.modules[load.__module__]
    monkeypatch.setattr(module, "OPTIONS_FILE", written(tmp_path, {"language": "de", "port": 1}))
    monkeypatch.setattr(module, "FILE_BESIDE_OPTIONS", beside)
    monkeypatch.chdir(tmp_path.parent)
    assert load({}).server.port == 1
    beside.write_text('[server]\nport = 2\n[outputs.influx]\nurl = "http://pi:8086"\n')
    config = load({})
    assert (config.server.port, config.server.language, config.outputs.influx.url.host) == (2, "de", "pi")
    # another file is read alone
    other = tmp_path / "other.json"
    other.write_text("{}")
    assert load({}, other) == Config()


def test_the_sections_of_a_file_may_stand_beside_options(tmp_path: Path) -> None:
    options = {"language": "de", "server": {"port": 9000}, "outputs": {"influx": {"url": "http://pi:8086"}}}
    config = load({}, written(tmp_path, options))
    assert (config.server.language, config.server.port, config.outputs.influx.url.host) == ("de", 9000, "pi")


def test_a_variable_wins_over_an_option(tmp_path: Path) -> None:
    loaded = load_with_origins({"IES_LOG_LEVEL": "error"}, written(tmp_path, {"log_level": "debug"}))
    assert (loaded.config.log.level, loaded.origins["log.level"]) == ("error", "IES_LOG_LEVEL")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"lanugage": "de"}, "'lanugage' in {file} is not an option; did you mean language?"),
        ({"language": "fr"}, "language in {file} must be one of auto, en, de, not 'fr'."),
        ({"mqtt": "yes"}, "mqtt in {file} must be true or false, not 'yes'."),
        ({"history_days": -1}, "history_days in {file} must be a number from 0 on, not -1."),
        ({"sources": [{"ulr": "auto"}]}, "'sources.1.ulr' in {file} is not a key; did you mean url?"),
        (
            {"sources": [{}, {"factor": 0}]},
            "sources.2.factor in {file} must be a number above 0, at most 1000000, not 0.",
        ),
        ({"sources": "auto"}, None),
        ({"sources": ["/dev/ttyUSB0"]}, "'sources' in {file} must be a list of entries such as {url: auto}."),
        ({"mqtt_password": 7}, "mqtt_password in {file} must be text in quotes."),
    ],
)
def test_an_error_names_the_option(options: dict[str, Any], sentence: str | None, tmp_path: Path) -> None:
    file = written(tmp_path, options)
    if sentence is None:
        assert load({}, file) == Config()
        return
    with pytest.raises(ConfigError) as caught:
        load({}, file)
    assert str(caught.value) == sentence.replace("{file}", str(file))


def test_an_error_of_a_key_names_its_option() -> None:
    assert in_option_names("server.token must be at least 16 letters.") == "token must be at least 16 letters."
    assert in_option_names("outputs.mqtt: the url must be so.") == "mqtt_url: the url must be so."
    assert in_option_names("history.raw_days and server.host") == "history_days and server.host"
