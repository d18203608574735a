"""Emulated devices that are asked by Modbus TCP, as a user configures them, in the real server."""

import asyncio
import socket
from pathlib import Path
from struct import unpack
from typing import Any

from iskra_server.config import load
from iskra_server.runtime.emulation_outputs import emulation_outputs
from outputs.emulation.modbus_client import LOOPBACK, connected, reading
from running import Server, free_port, serving, until

SIMULATED = ("serve", "simulator:MT175?rate=10")


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


def output(server: Server, name: str) -> dict[str, Any]:
    outputs = server.get("/api/v1/status").json()["outputs"]
    return next((state for state in outputs if state["name"] == name), {"sentence": ""})


def test_a_change_of_the_unit_restarts_the_device(tmp_path: Path) -> None:
    def settings(text: str) -> object:
        path = tmp_path / "iskra-server.toml"
        path.write_text(f'[history]\ndata_dir = "{tmp_path}"\n[outputs.sunspec]\nenabled = true\n{text}')
        (planned,) = emulation_outputs(load({}, path))
        return planned.settings

    assert settings("") == settings("unit = 1\n") != settings("unit = 2\n")


def test_an_inverter_reads_what_the_meter_says_and_the_status_tells_who_asks() -> None:
    port = free_port()
    environ = {"IES_EMULATION_HOST": LOOPBACK, "IES_SUNSPEC_ENABLED": "true", "IES_SUNSPEC_PORT": str(port)}
    with serving(*SIMULATED, environ=environ) as server:
        (import_wh,) = unpack(">f", until(lambda: asked(port, 40_137, 2)))
        assert abs(server.cumulated().json()["value"] * 1000 - import_wh) < 10
        state = output(server, "sunspec")
        (client,) = state["clients"]
        assert state["ok"] and client["address"] == LOOPBACK and client["answers"] >= 1


def test_a_taken_port_disturbs_nothing_else_and_is_told() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        environ = {"IES_EMULATION_HOST": LOOPBACK, "IES_SUNSPEC_ENABLED": "true", "IES_SUNSPEC_PORT": str(port)}
        with serving(*SIMULATED, environ=environ) as server:
            assert str(port) in until(lambda: output(server, "sunspec")["sentence"])
            until(lambda: server.cumulated().status_code == 200)
