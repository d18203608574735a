"""Emulated devices that several batteries do not share, as a user configures them."""

import asyncio
import socket
from pathlib import Path
from struct import unpack
from typing import Any

import pytest

from emulating import MAC, GridMeter
from iskra_server.config import Config, ConfigError, load
from iskra_server.runtime.emulation_outputs import emulation_outputs
from iskra_server.runtime.planned_device import PlannedDevice
from iskra_server.runtime.unshared_devices import modbus_devices, sending_devices
from outputs.emulation.modbus_client import LOOPBACK, connected, reading
from outputs.emulation.sma_group import decoded, listening
from outputs.mqtt.broker import Mosquitto, Subscriber
from running import free_port, serving, until


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


@pytest.mark.parametrize("topic", ["house", "house/grid"])
def test_the_topic_of_victron_cannot_be_one_of_a_meter(tmp_path: Path, topic: str) -> None:
    mqtt = '[outputs.mqtt]\nurl = "mqtt://broker"\nbase_topic = "house"\n'
    victron = f'[outputs.victron]\nenabled = true\ntopic = "{topic}"\n'
    message = r"^outputs\.victron: topic must not be house of outputs\.mqtt, nor the level below it\.$"
    with pytest.raises(ConfigError, match=message):
        list(emulation_outputs(configured(tmp_path, mqtt + victron)))
    assert list(emulation_outputs(configured(tmp_path, f"{mqtt.replace('house', 'other')}{victron}")))


def test_a_change_of_the_broker_restarts_victron(tmp_path: Path) -> None:
    def settings(text: str) -> object:
        (output,) = emulation_outputs(configured(tmp_path, f"[outputs.victron]\nenabled = true\n{text}"))
        return output.settings

    own, of_mqtt = 'url = "mqtt://venus"\n', '[outputs.mqtt]\nurl = "mqtt://broker"\n'
    assert settings(own) == settings(own + of_mqtt) != settings(of_mqtt)
    # a second connection with the client id of the MQTT output would end the first one
    assert settings(of_mqtt) == settings(of_mqtt + 'client_id = "house"\n')


def test_a_change_of_the_unit_restarts_the_meter_of_an_inverter(tmp_path: Path) -> None:
    def settings(text: str) -> object:
        (output,) = emulation_outputs(configured(tmp_path, f"[outputs.sunspec]\nenabled = true\n{text}"))
        return output.settings

    assert settings("") == settings("unit = 1\n") != settings("unit = 2\n")


def test_modbus_devices_of_one_port_are_one_output(tmp_path: Path) -> None:
    both = "[outputs.sunspec]\nenabled = true\n[outputs.shelly_modbus]\nenabled = true\n"
    assert len(list(emulation_outputs(configured(tmp_path, both)))) == 1
    assert len(list(emulation_outputs(configured(tmp_path, f"{both}port = 503\n")))) == 2


def test_a_shelly_by_modbus_says_that_it_is_not_there_by_http(tmp_path: Path) -> None:
    def notices(more: str) -> list[str]:
        text = f"[outputs.shelly_modbus]\nenabled = true\n{more}"
        (planned,) = modbus_devices(configured(tmp_path, text))[502]
        device = planned.make(GridMeter().clients(), lambda: MAC)
        device.recovered()
        return [notice.fault for notice in device.state().notices]

    assert notices("") == ["modbus_alone"]
    assert notices("[outputs.shelly_pro_3em]\nenabled = true\n") == []


def test_what_several_batteries_do_not_share_shows_the_meter_as_it_is(tmp_path: Path) -> None:
    both = "[outputs.sunspec]\nenabled = true\n[outputs.sma_energy_meter]\nenabled = true\n"
    config = configured(tmp_path, both)
    planned: list[PlannedDevice[Any]] = [*modbus_devices(config)[502], *sending_devices(config).values()]
    assert [(plan.settings, plan.for_batteries) for plan in planned] == [
        (config.outputs.sunspec, False),
        (config.outputs.sma_energy_meter, False),
    ]


def asked(port: int, address: int, count: int, *, unit: int = 1, function: int = 3) -> bytes:
    """The registers; nothing while the port is closed, or the device has no reading."""

    async def ask() -> bytes:
        try:
            async with connected(port) as client:
                answer = await client.ask(reading(address, count, function=function), unit=unit)
        except ConnectionRefusedError:
            return b""
        return answer[2:] if answer[0] == function else b""

    return asyncio.run(ask())


def test_all_of_them_tell_what_the_meter_says_and_a_taken_port_disturbs_nothing_else(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path).start()
    with (
        socket.create_server((LOOPBACK, 0)) as taken,
        Subscriber(broker.port) as venus,
        listening() as group,
    ):
        port, taken_port = free_port(), taken.getsockname()[1]
        environ = {
            "IES_EMULATION_HOST": LOOPBACK,
            "IES_SMA_ENERGY_METER_ENABLED": "true",
            "IES_SMA_ENERGY_METER_MODEL": "em2",
            "IES_VICTRON_ENABLED": "true",
            "IES_MQTT_URL": broker.url,
            "IES_SUNSPEC_ENABLED": "true",
            "IES_SUNSPEC_PORT": str(port),
            "IES_SHELLY_MODBUS_ENABLED": "true",
            "IES_SHELLY_MODBUS_PORT": str(taken_port),
        }
        with serving("serve", "simulator:MT175?rate=10", environ=environ) as server:

            def output(name: str) -> dict[str, Any]:
                outputs = server.get("/api/v1/status").json()["outputs"]
                return next((state for state in outputs if state["name"] == name), {"sentence": ""})

            def is_read(energy_wh: float) -> bool:
                shown_kwh: float = server.cumulated().json()["value"]
                return abs(shown_kwh * 1000 - energy_wh) < 1000

            # Victron and SMA
            assert is_read(until(lambda: venus.json("iskra-server/victron/grid"))["grid"]["energy_forward"] * 1000)
            group.settimeout(60)
            until(lambda: is_read(decoded(data := group.recv(4096)).get((1, 8), 0) / 3600) and len(data) == 608)
            for name in ("sma_energy_meter", "victron"):
                assert (state := output(name))["ok"] and state["delivered"] >= 1 and state["clients"] == []
            # SunSpec
            assert is_read(*unpack(">f", until(lambda: asked(port, 40_137, 2))))
            (client,) = output("sunspec")["clients"]
            assert output("sunspec")["ok"] and client["address"] == LOOPBACK and client["answers"] >= 1
            # Shelly
            assert str(taken_port) in until(lambda: output("shelly_modbus")["sentence"])
            # it is tried again
            taken.close()
            words = until(lambda: asked(taken_port, 1162, 2, unit=7, function=4))
            assert is_read(*unpack(">f", words[2:] + words[:2]))
            assert output("shelly_modbus")["ok"]
        until(lambda: venus.now["iskra-server/victron/grid/availability"] == b"offline")
    broker.kill()
