"""Emulated devices that several batteries do not share, as a user configures them."""

from pathlib import Path

import pytest

from iskra_server.config import Config, ConfigError, load
from iskra_server.runtime.emulation_outputs import emulation_outputs
from outputs.emulation.sma_group import decoded, listening, serial_of
from outputs.mqtt.broker import Mosquitto, Subscriber
from running import serving, until

SIMULATED = ("serve", "simulator:MT175?rate=10")


def configured(folder: Path, text: str) -> Config:
    path = folder / "iskra-server.toml"
    path.write_text(f'[history]\ndata_dir = "{folder}"\n{text}')
    return load({}, path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"outputs\.victron\.url is empty, and so is outputs\.mqtt\.url: one of them must name the broker\."),
        (
            'url = "http://venus"',
            r"outputs\.victron: the url must be like mqtt://user@host:1883, or mqtts:// for TLS\.",
        ),
        ('url = "mqtt://venus"\ntopic = "grid/#"', r"outputs\.victron: topic must be a topic such as house/meters"),
    ],
)
def test_victron_needs_a_broker_and_a_topic(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        list(emulation_outputs(configured(tmp_path, f"[outputs.victron]\nenabled = true\n{text}\n")))


def test_a_change_of_the_broker_restarts_victron(tmp_path: Path) -> None:
    def settings(text: str) -> object:
        (output,) = emulation_outputs(configured(tmp_path, f"[outputs.victron]\nenabled = true\n{text}"))
        return output.settings

    own, of_mqtt = 'url = "mqtt://venus"\n', '[outputs.mqtt]\nurl = "mqtt://broker"\n'
    assert settings(own) == settings(own + of_mqtt) != settings(of_mqtt)
    # a second connection with the client id of the MQTT output would end the first one
    assert settings(of_mqtt) == settings(of_mqtt + 'client_id = "house"\n')


def test_the_real_server_sends_to_a_multicast_group_and_to_its_broker(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path).start()
    environ = {
        "IES_EMULATION_HOST": "127.0.0.1",
        "IES_SMA_ENERGY_METER_ENABLED": "true",
        "IES_SMA_ENERGY_METER_MODEL": "em2",
        "IES_VICTRON_ENABLED": "true",
        "IES_MQTT_URL": broker.url,
    }
    with Subscriber(broker.port) as venus, listening() as group:
        group.settimeout(60)
        with serving(*SIMULATED, environ=environ) as server:
            message = until(lambda: venus.json("iskra-server/grid"))
            counter_kwh = message["grid"]["energy_forward"]
            data = group.recv(4096)
            while abs(decoded(data).get((1, 8), 0) / 3_600_000 - counter_kwh) > 1:
                data = group.recv(4096)
            assert len(data) == 608 and len(str(serial_of(data))) == 9
            states = {output["name"]: output for output in server.get("/api/v1/status").json()["outputs"]}
            for name in ("sma_energy_meter", "victron"):
                assert states[name]["ok"] and states[name]["delivered"] >= 1 and states[name]["clients"] == []
        assert until(lambda: venus.now["iskra-server/grid/availability"] == b"offline")
    broker.kill()
