"""EcoTracker: the answer byte by byte, and nothing while there is no current reading."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import partial

import httpx
import pytest

from browsing import browsing, text_of
from browsing import until as heard
from clients import ask, client_python
from emulating import MAC, GridMeter, grid_reading, in_event_loop, running
from iskra_server.base.announcement import Announcement
from iskra_server.outputs.emulation.ecotracker import EcoTracker, content
from iskra_server.outputs.emulation.http_listener import HttpListener
from running import free_port
from samples import EXPORT, energy, power

REQUEST = b"GET /v1/json HTTP/1.1\r\nHost: 192.168.1.20\r\nConnection: keep-alive\r\nAccept: */*\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
STALE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n"


@asynccontextmanager
async def asking(meter: GridMeter) -> AsyncIterator[httpx.AsyncClient]:
    port = free_port()
    device = EcoTracker(meter.clients(), lambda: MAC)
    async with (
        running(HttpListener("127.0.0.1", port, [device]).run(), meter.grid.run("test")),
        asyncio.timeout(60),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60, verify=False) as client,
    ):
        await device.opened.wait()
        yield client


def test_the_body_byte_by_byte() -> None:
    assert content(grid_reading(), 0.2124) == (
        b'{"power":412,"powerAvg":398,"agePower":212,"energyCounterIn":12345678.9,"energyCounterOut":1234.5}'
    )


def test_phases_and_tariffs_are_there_where_the_meter_sends_them() -> None:
    body = content(
        grid_reading(phases_w=(Decimal(400), Decimal(0), Decimal(12)), tariffs_wh=(Decimal(7), Decimal("8.5"))), 0.0
    )
    assert body == (
        b'{"power":412,"powerAvg":398,"agePower":0,"powerPhase1":400,"powerPhase2":0,"powerPhase3":12,'
        b'"energyCounterIn":12345678.9,"energyCounterInT1":7,"energyCounterInT2":8.5,"energyCounterOut":1234.5}'
    )


def test_what_the_meter_does_not_send_is_missing() -> None:
    assert json.loads(content(grid_reading(export_wh=None, import_wh=None), 0.0)).keys() == {
        "power",
        "powerAvg",
        "agePower",
    }


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
async def test_the_exchange_byte_by_byte_at_one_connection() -> None:
    """Jackery's Homepower keeps its connection open."""
    meter = GridMeter()
    async with asking(meter) as client:
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        for watts in (None, 412, -3):
            if watts is not None:
                meter.send_power(watts)
            writer.write(REQUEST)
            head = await reader.readuntil(b"\r\n\r\n")
            if watts is None:
                assert head == STALE
                continue
            body = await reader.readuntil(b"}")
            assert head == OK % len(body)
            mean = (412 + watts) // 2
            assert re.sub(rb'(?<="agePower":)\d{1,4}\b', b"AGE", body) == (
                b'{"power":%d,"powerAvg":%d,"agePower":AGE,"energyCounterIn":12345678.9,"energyCounterOut":1234.5}'
            ) % (watts, mean)
        writer.write(REQUEST.replace(b"GET", b"HEAD") + REQUEST.replace(b"keep-alive", b"close"))
        head, _, rest = (await reader.read()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ")
        assert rest.startswith(b"HTTP/1.1 200 OK\r\n") and b"\r\nConnection: close\r\n\r\n{" in rest
        writer.close()


@in_event_loop
async def test_counters_that_come_rarely_are_missing_before_the_first_and_stay_then() -> None:
    meter = GridMeter()
    async with asking(meter) as client:

        async def counters() -> dict[str, float]:
            body = (await client.get("/v1/json")).json()
            return {name: value for name, value in body.items() if name.startswith("energyCounter")}

        meter.send(power(412), protocol="dlms")
        assert await counters() == {}
        meter.send(energy(123_456_789), energy(12_345, obis=EXPORT), protocol="dlms")
        for watts in (413, 414):
            meter.send(power(watts), protocol="dlms")
            assert await counters() == {"energyCounterIn": 12345678.9, "energyCounterOut": 1234.5}


@in_event_loop
async def test_nothing_but_reading_is_possible() -> None:
    async with asking(GridMeter()) as client:
        assert (await client.post("/v1/json", json={"power": 0})).status_code == 405
        assert (await client.get("/v1/json/x")).status_code == 404


@pytest.mark.slow
@in_event_loop
async def test_the_library_of_its_maker_reads_it() -> None:
    meter = GridMeter()
    # the first time it is installed
    await asyncio.to_thread(client_python)
    async with asking(meter) as client:

        async def read() -> list[dict[str, float] | None]:
            port = str(client.base_url.port)
            answers: list[dict[str, float] | None] = await asyncio.to_thread(ask, "ask_ecotracker", "127.0.0.1", port)
            return answers

        assert await read() == [None] * 4
        async with running(meter.keep_sending(-300)):
            for answer in await read():
                assert answer and answer.pop("agePower") < 10_000
                assert answer == {
                    **{"power": -300, "powerAvg": -300},
                    **{"energyCounterIn": 12345678.9, "energyCounterOut": 1234.5},
                }


def test_it_announces_its_serial_number_and_the_address_of_the_interface() -> None:
    device = EcoTracker(GridMeter().clients(), lambda: MAC)
    (service,) = device.services(("192.168.1.20",), 80)
    assert (service.type, service.port) == ("_everhome._tcp", 80)
    assert service.name == service.server == "ecotracker-02AB34CD56EF"
    # in this order
    assert list(service.properties.items()) == [("ip", "192.168.1.20"), ("serial", MAC), ("productid", "1137")]


@pytest.mark.slow
@in_event_loop
async def test_another_program_hears_it() -> None:
    device, port = EcoTracker(GridMeter().clients(), lambda: MAC), free_port()
    announcement = Announcement(host="127.0.0.1", services=lambda addresses: device.services(addresses, port))
    async with browsing("_everhome._tcp") as browser, running(announcement.run()):
        await heard(partial(browser.at, port))
        info = await browser.at(port)
    assert info and info.name == "ecotracker-02AB34CD56EF._everhome._tcp.local."
    assert (info.server, info.parsed_addresses()) == ("ecotracker-02AB34CD56EF.local.", ["127.0.0.1"])
    assert list(text_of(info).items()) == [("ip", "127.0.0.1"), ("serial", MAC), ("productid", "1137")]


def test_before_the_meter_is_known_nothing_is_announced() -> None:
    assert list(EcoTracker(GridMeter().clients(), lambda: None).services(("192.168.1.20",), 80)) == []
