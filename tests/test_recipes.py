"""The recipes of docs/recipes.md against the real server: one that is read, and one whose meter is silent.

Run as they stand there: the lines for a shell, the flow in a real Node-RED, the script for ioBroker (with the five
functions of its adapter). evcc, openHAB and Telegraf are no packages of Debian, PyPI or npm: what they are told to ask
and to pick is asked and picked here, with jq and with an implementation of JSONPath.
"""

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from node import modules, node
from running import Head, Server, free_port, serving, until

PAGE = (Path(__file__).parents[1] / "docs" / "recipes.md").read_text()
HOST = "http://raspberrypi.local:18080"
needs_jq = pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed: apt-get install jq curl")


def blocks(title: str, language: str) -> list[str]:
    section = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    found = re.findall(rf"^```{language}\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    assert found, f"nothing in {language} under {title}"
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Far apart in time, so that a reading stays while it is compared, however long that takes."""
    with serving("serve", "simulator:MT175?rate=0.0001", environ={"IES_METERS_STALE_AFTER_S": "3600"}) as running:
        until(lambda: running.cumulated().status_code == 200)
        yield running


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    head = Head(tmp_path_factory.mktemp("silent") / "usb-infrared-head")
    with serving("serve", str(head.link)) as running:
        until(lambda: running.status()["facts"]["is_open"])
        yield running
    head.unplug()


def values(server: Server) -> dict[str, Any]:
    (meter,) = server.get("/api/v1/meters").json()["meters"]
    return {register["name"]: register["value"] for register in meter["registers"]}


def shell(line: str, server: Server) -> subprocess.CompletedProcess[str]:
    command = ["bash", "-o", "pipefail", "-c", line.replace(HOST, server.url)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@needs_jq
def test_the_lines_for_a_shell_print_what_the_meter_shows(server: Server) -> None:
    total, power, table, sentence = (shell(line, server) for line in blocks("curl and jq", "sh")[0].splitlines())
    shown = values(server)
    assert float(total.stdout) == server.cumulated().json()["value"]
    assert float(power.stdout) == shown["power"]
    assert f"power {shown['power']} W" in table.stdout.splitlines()
    assert sentence.stdout == server.status()["sentence"] + "\n"
    assert [done.returncode for done in (total, power, table, sentence)] == [0] * 4


@needs_jq
def test_the_lines_for_a_shell_print_no_number_where_there_is_none(silent: Server) -> None:
    total, power, table, sentence = (shell(line, silent) for line in blocks("curl and jq", "sh")[0].splitlines())
    assert total.returncode != 0
    assert [done.stdout for done in (total, power, table)] == [""] * 3
    assert "Nothing has arrived" in sentence.stdout


def picked(source: dict[str, Any], server: Server) -> str:
    """What evcc's plugin http picks with jq from an answer; an error status is an error to it."""
    answer = server.get(source["uri"].removeprefix(HOST))
    if answer.is_error:
        return ""
    done = subprocess.run(["jq", source["jq"]], input=answer.text, capture_output=True, text=True, check=False)
    return done.stdout.strip()


@needs_jq
def test_evcc_is_told_where_power_and_energy_stand(server: Server, silent: Server) -> None:
    whole, phases = map(yaml.safe_load, blocks("evcc", "yaml"))
    (meter,) = whole["meters"]
    assert whole["site"]["meters"]["grid"] == meter["name"]
    shown = values(server)
    assert float(picked(meter["power"], server)) == shown["power"]
    assert float(picked(meter["energy"], server)) == server.cumulated().json()["value"]
    assert [float(picked(phase, server)) for phase in phases["powers"]] == [shown[f"power_l{n}"] for n in (1, 2, 3)]
    sources = (meter["power"], meter["energy"], *phases["powers"])
    assert {source["source"] for source in sources} == {"http"}
    assert {picked(source, silent) for source in sources} == {""}


def json_path(path: str, text: str) -> list[Any]:
    script = (
        "const {JSONPath} = require('jsonpath-plus'); let text = '';"
        "process.stdin.on('data', (part) => text += part).on('end', () => console.log(JSON.stringify("
        "JSONPath({path: process.argv[1], json: JSON.parse(text)}))));"
    )
    done = subprocess.run(
        [node(), "-e", script, path], input=text, capture_output=True, text=True, check=True, cwd=modules().parent
    )
    found: list[Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_openhab_is_told_where_the_reading_and_the_power_stand(server: Server, silent: Server) -> None:
    things, items = blocks("openHAB", "text")
    found = re.findall(
        r'Thing http:url:(\w+) .*?baseURL="([^"]+)"[^\]]*strictErrorHandling=true.*?JSONPATH:([^"]+)"',
        things,
        re.DOTALL,
    )
    assert [name for name, _, _ in found] == ["meter", "power"]
    picked = {name: json_path(path, server.get(url.removeprefix(HOST)).text) for name, url, path in found}
    assert picked == {"meter": [server.cumulated().json()["value"]], "power": [values(server)["power"]]}
    channels = {f"http:url:{name}" for name, _, _ in found}
    assert {channel.rpartition(":")[0] for channel in re.findall(r'channel="([^"]+)"', items)} == channels
    for _, url, path in found:
        answer = silent.get(url.removeprefix(HOST))
        assert answer.status_code == 503 or json_path(path, answer.text) == []


ADAPTER = """
const states = {};
global.createState = (id, value) => { states[id] = {val: value}; };
global.existsState = (id) => id in states;
global.setState = (id, state) => { states[id] = state; };
global.httpGet = async (url, options, callback) => {
    try {
        const answer = await fetch(url, {signal: AbortSignal.timeout(options.timeout)});
        callback(null, {statusCode: answer.status, data: await answer.text()});
    } catch (error) {
        callback(error.message, {});
    }
};
global.schedule = async (_rule, action) => { await action(); console.log(JSON.stringify(states)); };
"""


def iobroker(url: str) -> dict[str, dict[str, Any]]:
    """The states after one turn of the script, with the functions of the adapter that it calls."""
    (script,) = blocks("ioBroker", "javascript")
    done = subprocess.run(
        [node(), "-e", ADAPTER + script.replace(HOST, url)], capture_output=True, text=True, timeout=60, check=True
    )
    states: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return states


def test_the_script_for_iobroker_sets_what_the_meter_shows(server: Server) -> None:
    states = iobroker(server.url)
    shown = values(server)
    for name in ("energy_import", "energy_export", "power"):
        assert states[f"electricity.{name}"] == {"val": shown[name], "ack": True, "q": 0}


def test_the_script_for_iobroker_marks_what_is_not_known(silent: Server) -> None:
    for url in (silent.url, f"http://127.0.0.1:{free_port()}"):
        assert {(state["val"], state["q"]) for state in iobroker(url).values()} == {(None, 0x42)}


# what stands below the node "reading" in the editor, for the log of the tests
PLACE = {"z": "iskra-tab", "x": 100, "y": 200}
STATUS: list[dict[str, object]] = [
    {"id": "iskra-status", "type": "status", "scope": ["iskra-reading"], "wires": [["iskra-log"]], **PLACE},
    {"id": "iskra-log", "type": "debug", "active": True, "console": True, "complete": "true", **PLACE, "wires": []},
]


@contextmanager
def node_red(url: str, folder: Path) -> Iterator[Path]:
    """The flow of the page in a Node-RED of its own; gives its log."""
    (flow,) = blocks("Node-RED", "json")
    folder.mkdir()
    (folder / "flows.json").write_text(json.dumps([*json.loads(flow.replace(HOST, url)), *STATUS]))
    settings = {"flowFile": "flows.json", "uiHost": "127.0.0.1", "uiPort": free_port(), "telemetry": {"enabled": False}}
    (folder / "settings.js").write_text(f"module.exports = {json.dumps(settings)};")
    program: list[str | Path] = [
        node(),
        modules() / "node-red" / "red.js",
        "--userDir",
        folder,
        "--settings",
        folder / "settings.js",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(program, stdout=log, stderr=log)
    try:
        yield folder / "log"
    finally:
        process.terminate()
        try:
            process.wait(20)
        finally:
            process.kill()
            process.wait()


@pytest.mark.slow
def test_the_flow_in_a_real_node_red_gives_what_the_meter_shows(server: Server, tmp_path: Path) -> None:
    with node_red(server.url, tmp_path / "node-red") as log:
        until(lambda: "energy_kwh" in log.read_text(), 60)
        shown = values(server)
        assert f"power_w: {shown['power']}" in log.read_text()
        assert f"energy_kwh: {shown['energy_import'] / 1000}" in log.read_text()
        assert "[error]" not in log.read_text()


@pytest.mark.slow
def test_the_flow_gives_nothing_but_a_reason_where_there_is_no_reading(silent: Server, tmp_path: Path) -> None:
    with node_red(silent.url, tmp_path / "node-red") as log:
        until(lambda: "no current reading" in log.read_text(), 60)
        assert "energy_kwh" not in log.read_text()


def test_telegraf_is_told_the_names_of_metrics_that_are_there(server: Server, silent: Server) -> None:
    (section,) = tomllib.loads(blocks("Telegraf", "toml")[0])["inputs"]["prometheus"]
    (url,) = section["urls"]
    text, without = (each.get(url.removeprefix(HOST)).text for each in (server, silent))
    assert [name for name in section["fieldinclude"] if not re.search(rf"^{name}{{", text, re.MULTILINE)] == []
    assert "iskra_energy" not in without and "iskra_power" not in without
