"""Shelly devices as a user configures them, in the real server."""

import json
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from iskra_server.config import Config, ConfigError, load
from iskra_server.runtime.shelly_devices import shelly_devices
from running import fetch, free_port, serving, until


def configured(folder: Path, text: str) -> Config:
    path = folder / "iskra-server.toml"
    path.write_text(text)
    return load({}, path)


def test_both_devices_have_the_ports_of_the_real_ones(tmp_path: Path) -> None:
    text = "[outputs.shelly_pro_3em]\nenabled = true\n[outputs.shelly_em1]\nenabled = true\nport = 8002\n"
    pro, em1 = shelly_devices(configured(tmp_path, text))
    assert (pro.model.component, pro.port, pro.udp_ports) == ("EM", 80, (1010, 2220))
    assert (em1.model.component, em1.port, em1.udp_ports) == ("EM1", 8002, (2223,))
    (gen3,) = shelly_devices(
        configured(tmp_path, '[outputs.shelly_em1]\nenabled = true\nmodel = "em-gen3"\nport = 0\n')
    )
    assert (gen3.port, gen3.udp_ports, gen3.model.generation) == (None, (2222,), 3)
    identity = gen3.identify(lambda: "02ab34cd56ef")()
    assert identity and identity.id == "shellyemg3-02ab34cd56ef"
    assert gen3.identify(lambda: None)() is None


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        (
            'udp_ports = "1010, 0"',
            r"^outputs\.shelly_pro_3em\.udp_ports: '0' is no UDP port; write them as 1010, 2220\.$",
        ),
        ('udp_ports = "1010 2220"', r"'1010 2220' is no UDP port"),
        ('udp_ports = " "\nport = 0', r"^outputs\.shelly_pro_3em has neither a TCP port nor a UDP port"),
    ],
)
def test_wrong_ports_are_a_mistake_in_the_configuration(tmp_path: Path, keys: str, error: str) -> None:
    config = configured(tmp_path, f"[outputs.shelly_pro_3em]\nenabled = true\n{keys}\n")
    with pytest.raises(ConfigError, match=error):
        list(shelly_devices(config))


def test_all_ways_to_ask_in_the_real_server_and_one_taken_port_does_not_disturb_the_others() -> None:
    udp, pro, em1, em1_udp = (free_port() for _ in range(4))
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as battery,
    ):
        other.bind(("127.0.0.1", 0))
        taken = other.getsockname()[1]
        battery.settimeout(1)
        environ = {
            "IES_SHELLY_PRO_3EM_ENABLED": "true",
            "IES_SHELLY_PRO_3EM_PORT": str(pro),
            "IES_SHELLY_PRO_3EM_UDP_PORTS": f"{taken}, {udp}",
            "IES_SHELLY_EM1_ENABLED": "true",
            "IES_SHELLY_EM1_PORT": str(em1),
            "IES_SHELLY_EM1_UDP_PORT": str(em1_udp),
            "IES_EMULATION_HOST": "127.0.0.1",
        }

        def by_udp(port: int, method: str) -> dict[str, Any] | None:
            battery.sendto(json.dumps({"id": port, "method": method}).encode(), ("127.0.0.1", port))
            try:
                frame: dict[str, Any] = json.loads(battery.recv(2048))
            except (TimeoutError, ConnectionRefusedError):
                return None
            return frame if frame["id"] == port else None

        def by_http(port: int, method: str) -> dict[str, Any] | None:
            try:
                answer = fetch(f"http://127.0.0.1:{port}/rpc/{method}", params={"id": 0})
            except httpx.TransportError:
                return None
            result: dict[str, Any] = answer.json()
            return result if answer.is_success else None

        with serving("serve", "simulator:MT175?rate=10", environ=environ) as server:
            frame = until(lambda: by_udp(udp, "EM.GetStatus"))
            assert frame["result"]["total_act_power"] != 0 and frame["src"].startswith("shellypro3em-02")
            assert until(lambda: by_udp(em1_udp, "EM1.GetStatus"))["src"].startswith("shellyproem50-02")
            assert until(lambda: by_http(pro, "EMData.GetStatus"))["total_act"] > 1000
            assert until(lambda: by_http(em1, "EM1.GetStatus")).keys() >= {"act_power", "voltage"}
            outputs = {output["name"]: output for output in server.get("/api/v1/status").json()["outputs"]}
    asked = outputs[f"shelly_pro_3em at UDP port {udp}"]
    assert asked["ok"] and asked["clients"][0]["address"] == "127.0.0.1" and asked["clients"][0]["age_s"] < 10
    refused = outputs[f"shelly_pro_3em at UDP port {taken}"]
    assert not refused["ok"] and str(taken) in refused["sentence"]
    assert outputs["shelly_pro_3em"]["ok"] and outputs["shelly_em1"]["ok"]
