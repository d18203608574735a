"""Emulated devices as a user configures them, in the real server."""

import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from iskra_server.config import Config, ConfigError, load
from iskra_server.runtime.emulation_outputs import emulation_outputs
from running import free_port, serving, until


def configured(folder: Path, text: str) -> Config:
    path = folder / "iskra-server.toml"
    path.write_text(f'[history]\ndata_dir = "{folder}"\n{text}')
    return load({}, path)


def test_nothing_is_emulated_unless_it_is_enabled(tmp_path: Path) -> None:
    assert list(emulation_outputs(Config())) == []
    config = configured(tmp_path, "[outputs.ecotracker]\nport = 8001\n")
    assert list(emulation_outputs(config)) == []


def test_nothing_of_it_is_imported_unless_it_is_enabled() -> None:
    program = "import sys, iskra_server.runtime.server as s; s.plan_of(s.Config()); print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {name for name in done.stdout.split() if "emulation" in name} <= {
        "iskra_server.config.emulation_sections",
        "iskra_server.runtime.emulation_outputs",
    }


def test_a_change_of_the_rules_restarts_the_device(tmp_path: Path) -> None:
    def settings(text: str) -> object:
        (output,) = emulation_outputs(configured(tmp_path, f"[outputs.ecotracker]\nenabled = true\n{text}"))
        return output.settings

    assert settings("") == settings("port = 80\n")
    assert settings("") != settings("port = 81\n")
    assert settings("") != settings("[outputs.emulation]\nbatteries = 2\n")


def test_a_wrong_list_of_clients_is_a_mistake_in_the_configuration(tmp_path: Path) -> None:
    config = configured(
        tmp_path, '[outputs.ecotracker]\nenabled = true\n[outputs.emulation]\nclients = "192.168.1.300"\n'
    )
    with pytest.raises(ConfigError, match=r"^outputs\.emulation\.clients: '192\.168\.1\.300' is no address or network"):
        list(emulation_outputs(config))


def test_a_battery_reads_what_the_meter_says_and_the_status_tells_who_asks() -> None:
    port = free_port()
    environ = {"IES_ECOTRACKER_ENABLED": "true", "IES_ECOTRACKER_PORT": str(port), "IES_EMULATION_HOST": "127.0.0.1"}
    with serving("serve", "simulator:MT175?rate=10", environ=environ) as server:

        def answer() -> httpx.Response | None:
            try:
                found = httpx.get(f"http://127.0.0.1:{port}/v1/json")
            except httpx.ConnectError:
                return None
            return found if found.status_code == 200 else None

        body = (found := until(answer)) and found.json()
        assert body["energyCounterIn"] > 1000 and body["agePower"] < 10_000
        (device,) = [
            output for output in server.get("/api/v1/status").json()["outputs"] if output["name"] == "ecotracker"
        ]
        (client,) = device["clients"]
        assert device["ok"] and client["address"] == "127.0.0.1" and client["answers"] >= 1
        assert client["age_s"] < 10


def test_a_taken_port_disturbs_nothing_else_and_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environ = {
            "IES_ECOTRACKER_ENABLED": "true",
            "IES_ECOTRACKER_PORT": str(port),
            "IES_EMULATION_HOST": "127.0.0.1",
        }
        with serving("serve", "simulator:MT175?rate=10", environ=environ) as server:

            def sentence() -> str:
                outputs = server.get("/api/v1/status").json()["outputs"]
                return next((output["sentence"] for output in outputs if output["name"] == "ecotracker"), "")

            assert str(port) in until(sentence)
            until(lambda: server.cumulated().status_code == 200)
