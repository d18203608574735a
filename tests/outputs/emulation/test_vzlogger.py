"""vzlogger's local interface: the answers byte by byte, and read as evcc and openWB read them."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest
from msgspec.structs import replace

from emulating import CLIENT, MAC, GridMeter, in_event_loop, running
from iskra_server.meter.lists import shown
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register, Sample
from iskra_server.meter.signed_power import PHASES
from iskra_server.meter.units import WATT, Unit
from iskra_server.outputs.emulation.clients import Rules
from iskra_server.outputs.emulation.http_listener import DeviceAnswer, DeviceRequest, HttpListener
from iskra_server.outputs.emulation.vzlogger import Vzlogger, channel_uuid, content
from running import free_port
from samples import EXPORT, IMPORT, METER_ID, POWER, energy, power, sample

AT = datetime(2026, 11, 22, 10, 0, 0, 123_400, tzinfo=UTC)
AT_MS = 1_795_341_600_123
# they are entered in other programs: a later version must not make other ones
UUIDS = {
    POWER: "38e8eb80-08d7-501f-a5c6-873322d68469",
    IMPORT: "79957814-ce64-515f-8636-1351c8000424",
    EXPORT: "f6469f1c-cb7f-5670-b514-3c3ca993e636",
}
ENERGIES = energy(123_456_789), energy(12_345, obis=EXPORT)


def measured(code: str, raw: int) -> Register:
    """A voltage in V or a current in A."""
    return Register(Obis.parse(code), raw, -1, Unit(35 if code.endswith("2.7.0") else 33))


def phases(*watts: int) -> list[Register]:
    return [Register(obis, raw, 0, WATT) for obis, raw in zip(PHASES, watts, strict=True)]


def received(*registers: Register) -> Sample:
    return replace(sample(*registers), received_at=AT)


async def ask(device: Vzlogger, path: str = "/", method: str = "GET") -> DeviceAnswer:
    return await device.answer(DeviceRequest(method, path, {}, {}, b"", CLIENT))


async def codes(device: Vzlogger) -> list[str] | int:
    """Of the channels in their order, or the status."""
    answer = await ask(device)
    if answer.status != 200:
        return answer.status
    return [Obis.parse(channel["obis"]).short for channel in json.loads(answer.body)["data"]]


def test_the_body_byte_by_byte() -> None:
    registers = shown(received(power(-412), *ENERGIES), 0.0)
    body = content({channel_uuid(METER_ID, item.register.obis): item for item in registers}, "sml")
    assert body.decode() == (
        '{"version":"0.8.10","generator":"vzlogger","data":['
        f'{{"uuid":"{UUIDS[POWER]}","last":{AT_MS},"interval":-1,"protocol":"sml","tuples":[[{AT_MS},-412]]}},'
        f'{{"uuid":"{UUIDS[IMPORT]}","last":{AT_MS},"interval":-1,"protocol":"sml","tuples":[[{AT_MS},12345678.9]]}},'
        f'{{"uuid":"{UUIDS[EXPORT]}","last":{AT_MS},"interval":-1,"protocol":"sml","tuples":[[{AT_MS},1234.5]]}}]}}'
    )


def test_the_obis_code_is_the_last_key_where_it_is_wanted() -> None:
    (item,) = shown(received(power(7)), 0.0)
    body = content({channel_uuid(METER_ID, POWER): item}, "sml", with_obis=True)
    assert body.endswith(b',"tuples":[[%d,7]],"obis":"1-0:16.7.0*255"}]}' % AT_MS)


@in_event_loop
async def test_openwb_finds_each_number_on_its_line() -> None:
    meter = GridMeter()
    device = Vzlogger(meter.clients(), lambda: MAC)
    # the order of the telegram does not matter
    meter.send(*phases(400, 0, 12), *ENERGIES, power(412))
    answer = await ask(device)
    lines = json.dumps(json.loads(answer.body), indent=4).split("\n")
    numbers = {line: float(lines[line - 1]) for line in (13, 25, 37, 49, 61, 73)}
    assert numbers == {13: 412, 25: 12_345_678.9, 37: 1234.5, 49: 400, 61: 0, 73: 12}


@in_event_loop
async def test_channels_keep_their_order_and_those_that_the_meter_does_not_send_are_missing() -> None:
    meter = GridMeter()
    device = Vzlogger(meter.clients(), lambda: MAC, with_obis=True)
    meter.send(power(412), energy(123_456_789))
    assert await codes(device) == ["1-0:16.7.0", "1-0:1.8.0"]
    meter.send(
        *(measured(f"{code}.7.0", 2301) for code in (72, 52, 32)),
        *(measured(f"{code}.7.0", 12) for code in (71, 51, 31)),
        *reversed(phases(1, 2, 3)),
        *reversed(ENERGIES),
        power(6),
    )
    everything = (16, *(36, 56, 76), *(31, 51, 71), *(32, 52, 72))
    expected = [f"1-0:{code}.7.0" for code in everything]
    assert await codes(device) == [expected[0], "1-0:1.8.0", "1-0:2.8.0", *expected[1:]]


@in_event_loop
async def test_no_channel_is_left_out_because_it_has_no_value(caplog: pytest.LogCaptureFixture) -> None:
    meter = GridMeter()
    device = Vzlogger(meter.clients(), lambda: MAC, with_obis=True)
    meter.send(power(412), *ENERGIES)
    assert await codes(device) == ["1-0:16.7.0", "1-0:1.8.0", "1-0:2.8.0"]
    for _ in range(3):
        meter.send(power(412), energy(123_456_789))
        assert await codes(device) == 503
    meter.send(power(413), *ENERGIES)
    assert await codes(device) == ["1-0:16.7.0", "1-0:1.8.0", "1-0:2.8.0"]
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == ["vzlogger: no answer until the meter sends 1-0:2.8.0."]


@in_event_loop
async def test_a_meter_that_sends_its_counters_rarely_has_no_answer_before_them() -> None:
    meter = GridMeter()
    device = Vzlogger(meter.clients(), lambda: MAC, with_obis=True)
    meter.send(power(412), *phases(400, 0, 12), protocol="dlms")
    # the phases would be where the counters belong
    assert await codes(device) == 503
    assert device.clients.answers == 0
    meter.send(*ENERGIES, protocol="dlms")
    before = await ask(device)
    meter.send(power(500), *phases(488, 0, 12), protocol="dlms")
    after = await ask(device)
    tuples = [[channel["tuples"][0] for channel in json.loads(answer.body)["data"]] for answer in (before, after)]
    assert [[value for _, value in answer] for answer in tuples] == [
        [412, 12_345_678.9, 1234.5, 400, 0, 12],
        [500, 12_345_678.9, 1234.5, 488, 0, 12],
    ]
    # each counter has the time of its own telegram
    assert tuples[0][1] == tuples[1][1]


@in_event_loop
async def test_what_comes_in_rare_lists_does_not_keep_the_power_back() -> None:
    meter = GridMeter()
    device = Vzlogger(meter.clients(), lambda: MAC, with_obis=True)
    meter.send(power(414), *ENERGIES, measured("32.7.0", 2302), protocol="dlms")
    first = ["1-0:16.7.0", "1-0:1.8.0", "1-0:2.8.0"]
    assert await codes(device) == [*first, "1-0:32.7.0"]
    meter.send(power(415), protocol="dlms")
    assert await codes(device) == [*first, "1-0:32.7.0"]
    # without the earlier lists, as after their time
    meter.hub.forget(METER_ID)
    meter.send(power(416), *ENERGIES, protocol="dlms")
    assert await codes(device) == first


@in_event_loop
async def test_it_shows_the_whole_power_whatever_batteries_are_shown() -> None:
    """The factory gives it rules without a target and a share: see tests/runtime/test_emulation_outputs.py."""
    meter = GridMeter()
    meter.send_power(600)
    answer = await ask(Vzlogger(meter.clients(Rules(batteries=2)), lambda: MAC))
    assert json.loads(answer.body)["data"][0]["tuples"][0][1] == 600


@in_event_loop
async def test_the_channels_are_logged_with_their_lines(caplog: pytest.LogCaptureFixture) -> None:
    meter = GridMeter()
    device = Vzlogger(meter.clients(), lambda: MAC)
    with caplog.at_level(logging.INFO):
        for watts in (100, 200):
            meter.send_power(watts)
            await ask(device)
    assert [record.message for record in caplog.records] == [
        f"vzlogger: channel {UUIDS[POWER]} is 1-0:16.7.0 (line 13 for openWB).",
        f"vzlogger: channel {UUIDS[IMPORT]} is 1-0:1.8.0 (line 25 for openWB).",
        f"vzlogger: channel {UUIDS[EXPORT]} is 1-0:2.8.0 (line 37 for openWB).",
    ]


def test_another_meter_has_other_channels() -> None:
    assert channel_uuid("1 ISK 00 12345679", POWER) != channel_uuid(METER_ID, POWER)


@asynccontextmanager
async def listening(meter: GridMeter) -> AsyncIterator[httpx.AsyncClient]:
    device, port = Vzlogger(meter.clients(), lambda: MAC), free_port()
    async with (
        running(HttpListener("127.0.0.1", port, [device]).run()),
        asyncio.timeout(60),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60, verify=False) as client,
    ):
        await device.opened.wait()
        yield client


@in_event_loop
async def test_one_channel_can_be_asked_alone() -> None:
    meter = GridMeter()
    meter.send_power(412)
    async with listening(meter) as client:
        (channel,) = (await client.get(f"/{UUIDS[EXPORT].upper()}")).json()["data"]
        assert (channel["uuid"], channel["tuples"][0][1]) == (UUIDS[EXPORT], 1234.5)
        for path in (f"/{uuid4()}", f"/{channel_uuid(METER_ID, PHASES[0])}", "/x", "/api/v1/status"):
            assert (await client.get(path)).status_code == 404


@in_event_loop
async def test_nothing_but_get_is_possible() -> None:
    async with listening(GridMeter()) as client:
        for method in ("POST", "PUT", "DELETE", "HEAD", "OPTIONS"):
            refused = await client.request(method, "/")
            assert (refused.status_code, refused.headers["allow"]) == (405, "GET")


@in_event_loop
async def test_without_a_current_reading_there_is_no_channel_at_all() -> None:
    meter = GridMeter()
    async with listening(meter) as client:
        assert (await client.get("/")).status_code == 503
        meter.send(power(600), *ENERGIES, age_s=11)
        for path in ("/", f"/{UUIDS[POWER]}"):
            stale = await client.get(path)
            assert (stale.status_code, stale.content) == (503, b"")
