"""EcoTracker: the answer byte by byte, and nothing while there is no current reading."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import httpx

from emulating import MAC, GridMeter, in_event_loop, running
from iskra_server.outputs.emulation.ecotracker import EcoTracker, content
from iskra_server.outputs.emulation.grid import GridReading
from iskra_server.outputs.emulation.http_listener import HttpListener
from running import free_port
from samples import power

NONE = (None, None, None)


def reading(**changes: object) -> GridReading:
    fields: dict[str, object] = {
        "meter_id": "1 ISK 00 12345678",
        "simulated": False,
        "arrived_s": 0.0,
        "power_w": Decimal(412),
        "phases_w": None,
        "mean_w": Decimal("398.4"),
        "import_wh": Decimal("12345678.9"),
        "export_wh": Decimal("1234.5"),
        "tariffs_wh": (None, None),
        "voltages_v": NONE,
        "currents_a": NONE,
        "frequency_hz": None,
    }
    return GridReading(**(fields | changes))  # type: ignore[arg-type]


@asynccontextmanager
async def asking(meter: GridMeter) -> AsyncIterator[httpx.AsyncClient]:
    port = free_port()
    device = EcoTracker(meter.clients(), lambda: MAC)
    async with (
        running(HttpListener("127.0.0.1", port, [device]).run(), meter.grid.run("test")),
        asyncio.timeout(30),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        await device.opened.wait()
        yield client


def test_the_body_byte_by_byte() -> None:
    assert content(reading(), 0.2124) == (
        b'{"power":412,"powerAvg":398,"agePower":212,"energyCounterIn":12345678.9,"energyCounterOut":1234.5}'
    )


def test_phases_and_tariffs_are_there_where_the_meter_sends_them() -> None:
    body = content(
        reading(phases_w=(Decimal(400), Decimal(0), Decimal(12)), tariffs_wh=(Decimal(7), Decimal("8.5"))), 0.0
    )
    assert body == (
        b'{"power":412,"powerAvg":398,"agePower":0,"powerPhase1":400,"powerPhase2":0,"powerPhase3":12,'
        b'"energyCounterIn":12345678.9,"energyCounterInT1":7,"energyCounterInT2":8.5,"energyCounterOut":1234.5}'
    )


def test_what_the_meter_does_not_send_is_missing() -> None:
    assert json.loads(content(reading(export_wh=None, import_wh=None), 0.0)).keys() == {"power", "powerAvg", "agePower"}


@in_event_loop
async def test_a_battery_reads_the_newest_telegram() -> None:
    meter = GridMeter()
    async with asking(meter) as client:
        meter.send_power(-300)
        answer = await client.get("/v1/json")
        assert answer.json() | {"agePower": 0} == {
            "power": -300,
            "powerAvg": -300,
            "agePower": 0,
            "energyCounterIn": 12345678.9,
            "energyCounterOut": 1234.5,
        }
        assert dict(answer.headers) == {"content-type": "application/json", "content-length": str(len(answer.content))}


@in_event_loop
async def test_without_a_current_reading_it_has_no_number() -> None:
    meter = GridMeter()
    async with asking(meter) as client:
        assert (await client.get("/v1/json")).status_code == 503
        meter.send(power(600), age_s=11)
        refused = await client.get("/v1/json")
        assert (refused.status_code, refused.content) == (503, b"")
        meter.send(power(600))
        assert (await client.get("/v1/json")).json()["power"] == 600


@in_event_loop
async def test_nothing_but_reading_is_possible() -> None:
    async with asking(GridMeter()) as client:
        assert (await client.post("/v1/json", json={"power": 0})).status_code == 405
        assert (await client.get("/v1/json/x")).status_code == 404


def test_it_announces_its_serial_number_and_the_address_of_the_interface() -> None:
    device = EcoTracker(GridMeter().clients(), lambda: MAC)
    (service,) = device.services(("192.168.1.20",), 80)
    assert (service.type, service.name, service.port) == ("_everhome._tcp", f"ecotracker-{MAC}", 80)
    assert service.properties == {"ip": "192.168.1.20", "serial": MAC, "productid": "1137"}


def test_before_the_meter_is_known_nothing_is_announced() -> None:
    assert list(EcoTracker(GridMeter().clients(), lambda: None).services(("192.168.1.20",), 80)) == []
