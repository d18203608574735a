"""Emulated devices as a user configures them, in the real server."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from iskra_server.config import Config, ConfigError, load
from iskra_server.runtime.emulation_outputs import emulation_outputs
from iskra_server.runtime.output_factory import planned_outputs
from running import fetch, free_port, serving, until


def configured(folder: Path, text: str) -> Config:
    path = folder / "iskra-server.toml"
    path.write_text(f'[history]\ndata_dir = "{folder}"\n{text}')
    return load({}, path)


def test_nothing_is_emulated_unless_it_is_enabled(tmp_path: Path) -> None:
    keys = "[server]\nannounce = false\n[outputs.ecotracker]\nport = 8001\n[outputs.emulation]\nbatteries = 2\n"
    config = configured(tmp_path, keys)
    assert planned_outputs(config, (), "UTC") == ()


def test_nothing_of_it_is_imported_unless_it_is_enabled() -> None:
    program = "import sys, iskra_server.runtime.server as s; s.plan_of(s.Config()); print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {name for name in done.stdout.split() if "emulation" in name} <= {
        "iskra_server.config.emulation_sections",
        "iskra_server.diagnosis.emulation_sentences",
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


@pytest.mark.parametrize("meter", ["Haus", "heat PUMP", "1 ISK 00 10000001", "0a0149534b0004", ""])
def test_a_device_may_show_a_named_or_virtual_meter_or_one_of_any_number(tmp_path: Path, meter: str) -> None:
    assert len(list(emulation_outputs(configured(tmp_path, shown_meter(meter))))) == 1


def test_a_name_that_no_meter_has_is_a_mistake_in_the_configuration(tmp_path: Path) -> None:
    mistake = r"^outputs\.emulation\.meter names 'Flat', which is no meter: the names are Haus, Heat pump\. "
    with pytest.raises(ConfigError, match=mistake):
        list(emulation_outputs(configured(tmp_path, shown_meter("Flat"))))


def shown_meter(name: str) -> str:
    return (
        f'[outputs.ecotracker]\nenabled = true\n[outputs.emulation]\nmeter = "{name}"\n'
        '[[meters]]\nurl = "none"\nname = "Haus"\n[[virtual]]\nname = "Heat pump"\nplus = ["1ISK0010000001"]\n'
    )


@pytest.mark.parametrize("host", ["battery.local", "a" * 70, "192.168.1.300"])
def test_a_host_that_is_no_address_is_a_mistake_in_the_configuration(tmp_path: Path, host: str) -> None:
    config = configured(tmp_path, f'[outputs.ecotracker]\nenabled = true\n[outputs.emulation]\nhost = "{host}"\n')
    with pytest.raises(ConfigError, match=rf"^outputs\.emulation\.host is '{host[:40]}'; it must be an IP address"):
        list(emulation_outputs(config))


def test_devices_of_one_port_are_one_output(tmp_path: Path) -> None:
    both = "[outputs.ecotracker]\nenabled = true\n[outputs.vzlogger]\nenabled = true\n"
    assert len(list(emulation_outputs(configured(tmp_path, both)))) == 2
    assert len(list(emulation_outputs(configured(tmp_path, f"{both}port = 80\n")))) == 1


def test_clients_read_what_the_meter_says_and_the_status_tells_who_asks() -> None:
    port, vzlogger_port = free_port(), free_port()
    environ = {
        "IES_EMULATION_HOST": "127.0.0.1",
        # of the batteries alone
        "IES_EMULATION_TARGET_W": "10000",
        "IES_ECOTRACKER_ENABLED": "true",
        "IES_ECOTRACKER_PORT": str(port),
        "IES_SHELLY_3EM_ENABLED": "true",
        "IES_SHELLY_3EM_PORT": str(port),
        "IES_VZLOGGER_ENABLED": "true",
        "IES_VZLOGGER_PORT": str(vzlogger_port),
    }
    # at night: 100 to 200 W
    with serving("serve", "simulator:MT175?rate=10&start=2026-01-20T02:00:00Z", environ=environ) as server:

        def answer(at: int, path: str) -> httpx.Response | None:
            try:
                found = fetch(f"http://127.0.0.1:{at}{path}")
            except httpx.TransportError:
                return None
            return found if found.status_code == 200 else None

        body = until(lambda: answer(port, "/v1/json")).json()
        assert body["energyCounterIn"] > 1000 and body["agePower"] < 10_000
        assert body["power"] < -9000
        status = until(lambda: answer(port, "/status")).json()
        assert status["total_power"] > -1000 and status["emeters"][0]["total"] >= body["energyCounterIn"]
        channels = [channel["tuples"][0][1] for channel in until(lambda: answer(vzlogger_port, "/")).json()["data"]]
        assert channels[0] > -1000 and channels[1] >= body["energyCounterIn"]
        until(lambda: re.search(r"vzlogger: channel \S+ is 1-0:16\.7\.0 \(line 13 for openWB\)", server.log))
        outputs = {output["name"]: output for output in server.get("/api/v1/status").json()["outputs"]}
        for name in ("ecotracker", "shelly_3em", "vzlogger"):
            (client,) = outputs[name]["clients"]
            assert outputs[name]["ok"] and client["address"] == "127.0.0.1" and client["answers"] >= 1
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
