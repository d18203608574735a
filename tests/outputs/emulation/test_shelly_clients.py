"""Programs that ask a Shelly: evcc's exchange as recorded, and aioshelly itself."""

import asyncio
import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import httpx
import pytest

from browsing import browsing, text_of
from browsing import until as heard
from clients import ask
from running import Server, fetch, free_port, serving, until


class Asked(NamedTuple):
    server: Server
    pro: int
    gen3: int


@pytest.fixture(scope="module")
def asked() -> Iterator[Asked]:
    """A server with both devices, a telegram every 100 ms."""
    pro, gen3 = free_port(), free_port()
    environ = {
        "IES_SHELLY_PRO_3EM_ENABLED": "true",
        "IES_SHELLY_PRO_3EM_PORT": str(pro),
        "IES_SHELLY_PRO_3EM_UDP_PORTS": "0",
        "IES_SHELLY_EM1_ENABLED": "true",
        "IES_SHELLY_EM1_MODEL": "em-gen3",
        "IES_SHELLY_EM1_PORT": str(gen3),
        "IES_SHELLY_EM1_UDP_PORT": "0",
        "IES_EMULATION_HOST": "127.0.0.1",
    }
    with serving("serve", "simulator:MT175?rate=10", environ=environ) as server:
        until(lambda: is_ready(pro, "EM") and is_ready(gen3, "EM1"))
        yield Asked(server, pro, gen3)


def is_ready(port: int, component: str) -> bool:
    try:
        return fetch(f"http://127.0.0.1:{port}/rpc/{component}.GetStatus").is_success
    except httpx.TransportError:
        return False


def evcc(port: int, method: str) -> Any:
    """As evcc's templates shelly-pro-3em and shelly-em ask: a frame as the body of a POST to the method."""
    body = json.dumps({"id": 0, "src": "evcc", "method": method}, separators=(",", ":"))
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    answer = httpx.post(
        f"http://127.0.0.1:{port}/rpc/{method}", content=body, headers=headers, timeout=60, verify=False
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def test_evcc_finds_three_phases(asked: Asked) -> None:
    info = fetch(f"http://127.0.0.1:{asked.pro}/shelly").json()
    assert info["gen"] >= 2 and not info["auth_en"] and info["model"].split("-")[0] == "SPEM"
    methods = evcc(asked.pro, "Shelly.ListMethods")["methods"]
    # the order in which evcc decides
    assert "ProOutputAddon.GetPeripherals" not in methods and "PM1.GetStatus" not in methods
    assert "EM1.GetStatus" not in methods and "Switch.GetStatus" not in methods and "EM.GetStatus" in methods
    status, data = evcc(asked.pro, "EM.GetStatus"), evcc(asked.pro, "EMData.GetStatus")
    assert all(isinstance(status[f"{phase}_{name}"], float) for phase in "abc" for name in ("current", "voltage"))
    assert abs(status["total_act_power"] - sum(status[f"{phase}_act_power"] for phase in "abc")) <= 2
    assert data["total_act"] > 1000 and isinstance(data["total_act_ret"], float)


def test_evcc_finds_one_channel(asked: Asked) -> None:
    methods = evcc(asked.gen3, "Shelly.ListMethods")["methods"]
    assert "EM1.GetStatus" in methods and "EM1.GetConfig" in methods
    assert evcc(asked.gen3, "EM1.GetConfig")["reverse"] is False
    assert isinstance(evcc(asked.gen3, "EM1.GetStatus")["act_power"], float)
    assert evcc(asked.gen3, "EM1Data.GetStatus")["total_act_energy"] > 1000


async def announced(port: int) -> dict[str, dict[str, str | None]]:
    """The text of both services, as another program hears it; they have the name and the address of the device."""
    texts = {}
    for service in ("_shelly._tcp", "_http._tcp"):
        async with browsing(service) as browser:
            await heard(partial(browser.at, port))
            info = await browser.at(port)
            assert info and info.parsed_addresses() == ["127.0.0.1"]
            assert re.fullmatch(rf"shellypro3em-02[0-9a-f]{{10}}\.{re.escape(service)}\.local\.", info.name)
            texts[service] = text_of(info)
    return texts


@pytest.mark.slow
def test_another_program_hears_both_services(asked: Asked) -> None:
    assert asyncio.run(announced(asked.pro)) == {
        "_shelly._tcp": {"gen": "2", "app": "Pro3EM", "ver": "1.7.1"},
        "_http._tcp": {"gen": "2"},
    }


@pytest.mark.slow
@pytest.mark.parametrize("component", ["em", "em1"])
def test_aioshelly_reads_it_without_an_error(asked: Asked, component: str) -> None:
    port = asked.pro if component == "em" else asked.gen3
    mac = fetch(f"http://127.0.0.1:{port}/shelly").json()["mac"]
    seen = ask("ask_shelly", "127.0.0.1", str(port), mac, "5")
    model = {"em": "SPEM-003CEBEU", "em1": "S3EM-002CXCEU"}[component]
    assert (seen["model"], seen["is_firmware_supported"], seen["scripts"]) == (model, True, [])
    assert seen["status"].keys() == seen["config"].keys() >= {f"{component}:0", f"{component}data:0", "sys"}
    power = "total_act_power" if component == "em" else "act_power"
    assert all(status[f"{component}:0"][power] for status in (seen["status"], *seen["notified"], seen["polled"]))
    assert len({status["ts"] for status in seen["notified"]}) == 5
    counter = "total_act" if component == "em" else "total_act_energy"
    key = f"{component}data:0"
    assert seen["polled"][key][counter] >= seen["status"][key][counter] > 1000
    # the other way round it does not connect
    assert seen["has_restarted"] is False and seen["websocket"]["enable"] is False
