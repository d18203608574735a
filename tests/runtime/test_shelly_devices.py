"""Shelly devices as a user configures them, in the real server."""

import json
import socket
from pathlib import Path

import pytest

from iskra_server.config import Config, ConfigError, load
from iskra_server.runtime.shelly_devices import shelly_devices
from running import free_port, serving, until

REQUEST = b'{"id":1,"method":"EM.GetStatus","params":{"id":0}}'


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


def test_a_battery_asks_by_udp_and_one_taken_port_does_not_disturb_the_other() -> None:
    port = free_port()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as battery,
    ):
        taken.bind(("127.0.0.1", 0))
        battery.settimeout(1)
        environ = {
            "IES_SHELLY_PRO_3EM_ENABLED": "true",
            "IES_SHELLY_PRO_3EM_PORT": "0",
            "IES_SHELLY_PRO_3EM_UDP_PORTS": f"{taken.getsockname()[1]}, {port}",
            "IES_EMULATION_HOST": "127.0.0.1",
        }

        def answer() -> bytes | None:
            battery.sendto(REQUEST, ("127.0.0.1", port))
            try:
                return battery.recv(2048)
            except (TimeoutError, ConnectionRefusedError):
                return None

        with serving("serve", "simulator:MT175?rate=10", environ=environ) as server:
            frame = json.loads(until(answer))
            outputs = {output["name"]: output for output in server.get("/api/v1/status").json()["outputs"]}
        assert frame["result"]["total_act_power"] != 0 and frame["src"].startswith("shellypro3em-02")
        asked = outputs[f"shelly_pro_3em at UDP port {port}"]
        assert asked["ok"] and asked["clients"][0]["address"] == "127.0.0.1" and asked["clients"][0]["age_s"] < 10
        refused = outputs[f"shelly_pro_3em at UDP port {taken.getsockname()[1]}"]
        assert not refused["ok"] and str(taken.getsockname()[1]) in refused["sentence"]
