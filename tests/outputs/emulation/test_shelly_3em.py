"""Shelly 3EM, first generation: the answers byte by byte, and none without a current reading."""

import asyncio
import json
import time
from decimal import Decimal

import msgspec
import pytest

from clients import ask as ask_program
from emulating import CLIENT, MAC, GridMeter, grid_reading, in_event_loop, running
from iskra_server.outputs.emulation.http_listener import DeviceAnswer, DeviceRequest, HttpListener
from iskra_server.outputs.emulation.shelly_3em import Shelly3Em, status
from running import free_port
from samples import power

AT_S = 1_795_341_600.7
PATHS = ("/status", "/emeter/0", "/emeter/1", "/emeter/2")
ONE_SUM = (
    '{"power":412.00,"pf":1.00,"current":1.791,"voltage":230.0,"is_valid":true,"total":12345678.9,'
    '"total_returned":1234.5}'
)
NOTHING = '{"power":0.001,"pf":1.00,"current":0.000,"voltage":230.0,"is_valid":true,"total":0.0,"total_returned":0.0}'


async def ask(device: Shelly3Em, path: str, method: str = "GET") -> DeviceAnswer:
    return await device.answer(DeviceRequest(method, path, {}, {}, b"", CLIENT))


@in_event_loop
async def test_it_says_which_device_it_is_also_without_a_reading() -> None:
    answer = await ask(Shelly3Em(GridMeter().clients(), lambda: MAC), "/shelly")
    assert answer.status == 200
    # a `gen` would make it one of a later generation
    assert answer.body == (
        b'{"type":"SHEM-3","mac":"02AB34CD56EF","auth":false,"fw":"20230913-114244/v1.14.0-gcb84623","longid":1,'
        b'"num_outputs":1,"num_meters":0,"num_emeters":3}'
    )


def test_the_status_byte_by_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        body = msgspec.json.encode(status(grid_reading(), MAC, AT_S)).decode()
    finally:
        monkeypatch.undo()
        time.tzset()
    assert body == (
        '{"wifi_sta":{"connected":true},"cloud":{"enabled":false,"connected":false},"mqtt":{"connected":false},'
        '"time":"11:00","unixtime":1795341600,"has_update":false,"mac":"02AB34CD56EF","relays":[],'
        f'"emeters":[{ONE_SUM},{NOTHING},{NOTHING}],"total_power":412.00,"fs_mounted":true}}'
    )


def test_phases_are_those_of_the_meter() -> None:
    reading = grid_reading(
        power_w=Decimal(-388),
        phases_w=(Decimal(400), Decimal(-800), Decimal(12)),
        voltages_v=(Decimal("231.4"), Decimal("229.9"), None),
        currents_a=(Decimal("1.8"), None, None),
    )
    shown = json.loads(msgspec.json.encode(status(reading, MAC, AT_S)))
    assert [phase["power"] for phase in shown["emeters"]] == [400, -800, 12]
    assert [phase["voltage"] for phase in shown["emeters"]] == [231.4, 229.9, 230]
    assert [phase["current"] for phase in shown["emeters"]] == [1.8, 3.48, 0.052]
    # the meter's own sum
    assert shown["total_power"] == -388


def test_a_counter_that_the_meter_does_not_send_is_no_number() -> None:
    shown = json.loads(msgspec.json.encode(status(grid_reading(export_wh=None), MAC, AT_S)))
    assert (shown["emeters"][0]["total"], shown["emeters"][0]["total_returned"]) == (12_345_678.9, None)


@in_event_loop
async def test_each_phase_can_be_asked_alone() -> None:
    meter = GridMeter()
    meter.send_power(412)
    device = Shelly3Em(meter.clients(), lambda: MAC)
    bodies = [(await ask(device, f"/emeter/{number}")).body.decode() for number in range(3)]
    assert bodies == [ONE_SUM, NOTHING, NOTHING]
    assert not device.knows("/emeter/3") and not device.knows("/") and not device.knows("/rpc/EM.GetStatus")


@in_event_loop
async def test_without_a_current_reading_it_has_no_number() -> None:
    meter = GridMeter()
    device = Shelly3Em(meter.clients(), lambda: MAC)
    for age_s in (None, 11):
        if age_s:
            meter.send(power(600), age_s=age_s)
        for path in PATHS:
            answer = await ask(device, path)
            assert (answer.status, answer.body) == (503, b"")


@in_event_loop
async def test_before_the_meter_is_known_it_is_no_device() -> None:
    device = Shelly3Em(GridMeter().clients(), lambda: None)
    assert [(await ask(device, path)).status for path in ("/shelly", *PATHS)] == [503] * 5


@in_event_loop
async def test_nothing_but_reading_is_possible() -> None:
    meter = GridMeter()
    meter.send_power(412)
    device = Shelly3Em(meter.clients(), lambda: MAC)
    answer = await ask(device, "/status", "PUT")
    assert (answer.status, answer.headers[1]) == (405, ("Allow", "GET, HEAD, POST"))
    assert (await ask(device, "/emeter/0", "POST")).body.decode() == ONE_SUM


@pytest.mark.slow
@in_event_loop
async def test_shellypy_reads_it() -> None:
    meter, port = GridMeter(), free_port()
    device = Shelly3Em(meter.clients(), lambda: MAC)
    async with running(HttpListener("127.0.0.1", port, [device]).run(), meter.keep_sending(412)):
        generation, shown, *phases = await asyncio.to_thread(ask_program, "ask_shelly_3em", "127.0.0.1", str(port))
    assert (generation, shown["mac"], shown["total_power"]) == (1, MAC.upper(), 412)
    assert phases == shown["emeters"] == [json.loads(text) for text in (ONE_SUM, NOTHING, NOTHING)]
