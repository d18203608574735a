"""What the configuration generator of the documentation writes is what the server, the app and Compose accept."""

import json
import os
import shlex
import subprocess
import sys
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from command_lines import problem_of
from deploy.app_options import checked_options
from deploy.engine import CACHE, fetch_compose
from iskra_server.config import ConfigError, Loaded, load_with_origins
from iskra_server.cost.from_config import contract_findings
from iskra_server.runtime.plan import plan_of
from node import node

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SCHEMA = yaml.safe_load((ROOT / "deploy/homeassistant/iskra_server/config.yaml").read_text())["schema"]
TODAY = date(2026, 12, 31)
TOML = "iskra-server.toml"
_DEADLINE_S = 300

Made = dict[str, Any]


@cache
def made(*arguments: str) -> tuple[Made, ...]:
    """What the generator makes, by its own modules in Node.js."""
    done = subprocess.run(
        [node(), HERE / "combinations.js", *arguments], capture_output=True, text=True, timeout=_DEADLINE_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return tuple(map(json.loads, done.stdout.splitlines()))


def test_the_reference_of_the_generator_is_that_of_the_product() -> None:
    command = [sys.executable, str(ROOT / "docs" / "site" / "reference.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("choices", [(), pytest.param(("all",), marks=pytest.mark.slow)], ids=["some", "all"])
def test_every_combination_is_accepted(
    choices: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options, beside = tmp_path / "options.json", tmp_path / TOML
    # the function of the same name hides the module
    module = sys.modules["iskra_server.config.load"]
    monkeypatch.setattr(module, "OPTIONS_FILE", options)
    monkeypatch.setattr(module, "FILE_BESIDE_OPTIONS", beside)
    checked_files: set[tuple[str, str]] = set()
    count = 0
    for combination in made(*choices):
        count += 1
        assert combination["findings"] == [], combination["choices"]
        outputs = combination["outputs"]
        is_docker = combination["choices"]["install"] == "docker"
        assert ("docker-compose.yml" in outputs) == is_docker
        if is_docker:
            check_compose(combination)
        # many choices lead to the same files
        files = outputs.get(TOML, ""), outputs.get("options", "")
        if files in checked_files:
            continue
        checked_files.add(files)
        beside.unlink(missing_ok=True)
        options.unlink(missing_ok=True)
        text, given = files
        if text:
            beside.write_text(text)
        if given:
            checked = checked_options(SCHEMA, yaml.safe_load(given))
            assert checked == yaml.safe_load(given)
            options.write_text(json.dumps(checked))
        assert problems(loaded(options if given else beside if text else None)) == [], (combination["choices"], files)
    assert count > 300 and len(checked_files) > 100


def loaded(file: Path | None) -> Loaded:
    errors: list[ConfigError] = []
    result = load_with_origins({}, file, errors=errors)
    assert errors == []
    return result


def problems(result: Loaded) -> list[str]:
    """The errors and warnings of `iskra-server config check`; a start would raise its first error.

    But one: who enters gross prices is told that they count as gross.
    """
    plan_of(result.config)
    findings = contract_findings(result.config.contracts, result.config.offers, TODAY)
    return [
        finding.sentence
        for finding in findings
        if finding.level == "error" or not str(finding.key).endswith(".vat_percent")
    ]


def check_compose(combination: Made) -> None:
    choices = combination["choices"]
    text = combination["outputs"]["docker-compose.yml"]
    compose = yaml.safe_load(text)
    service = compose["services"].pop("iskra-server")
    if choices["hasMqtt"] and choices["isBrokerBeside"]:
        broker = compose["services"].pop("mqtt")
        assert broker["environment"] == {"IES_MQTT_PASSWORD": choices["mqttPassword"]} and "profiles" not in broker
    assert compose["services"] == {}
    assert "build" not in service and service["ports"] == [f"{choices['hostPort']}:8080"]
    assert service["environment"]["TZ"] == choices["timeZone"]
    is_serial = any(meter["head"] in ("auto", "port", "uart") for meter in choices["meters"])
    assert ("/dev:/dev:ro" in service["volumes"]) == ("device_cgroup_rules" in service) == is_serial
    mounted = [volume for volume in service["volumes"] if volume.startswith(f"./{TOML}:")]
    assert len(mounted) == (TOML in combination["outputs"])
    assert all(volume.split(":")[1] == service["environment"]["IES_CONFIG"] for volume in mounted)


def test_the_commands_to_type_exist() -> None:
    commands = {command for combination in made() for command in combination["commands"] if "iskra-server " in command}
    assert len(commands) > 3
    for command in commands:
        words = shlex.split(command)
        if "iskra-server" in words[-6:]:
            at = len(words) - 1 - words[::-1].index("iskra-server")
            assert problem_of(words[at + 1 :]) is None, command


@pytest.mark.slow
def test_compose_accepts_the_files(tmp_path: Path) -> None:
    """The real program, which needs no engine to check a file."""
    if not (CACHE / "config").exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        fetch_compose()
    (tmp_path / TOML).write_text("")
    texts = {text for combination in made() if (text := combination["outputs"].get("docker-compose.yml"))}
    assert len(texts) == 5
    for text in texts:
        (tmp_path / "docker-compose.yml").write_text(text)
        command = [str(CACHE / "config" / "cli-plugins" / "docker-compose"), "config", "--quiet"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), text


@pytest.mark.slow
def test_the_command_accepts_a_file(tmp_path: Path) -> None:
    """The installed command itself, once for each way to install."""
    for combination in made():
        text = combination["outputs"].get(TOML)
        if not text or combination["choices"]["install"] != "docker" or "contracts.grid" not in text:
            continue
        file = tmp_path / TOML
        file.write_text(text)
        command = [sys.executable, "-m", "iskra_server", "config", "check", "--config", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
        assert done.returncode == 0, done.stderr
        assert "is valid" in done.stdout
        return
    pytest.fail("no such combination")
