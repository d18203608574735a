"""Grid meter of Venus OS: its message byte by byte, and what a real broker passes on."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import MQTTMessage

from emulating import MAC, STALE_AFTER_S, GridMeter, grid_reading, in_event_loop, running, until
from iskra_server.base.address import Address
from iskra_server.base.secret import Secret
from iskra_server.mqtt.access import broker_access
from iskra_server.outputs.emulation import victron
from iskra_server.outputs.emulation.victron import Victron, payload
from outputs.mqtt.broker import Mosquitto, Subscriber, retained
from samples import power

POWER_W = Decimal("412.3")
TOPIC, AVAILABILITY = "house/grid", "house/grid/availability"


def test_a_meter_that_sends_one_power_is_shown_on_l1_alone() -> None:
    assert payload(grid_reading(power_w=POWER_W)) == (
        b'{"grid":{"power":412.3,"energy_forward":12345.6789,"energy_reverse":1.2345,"L1":{"power":412.3}}}'
    )


def test_everything_that_a_meter_can_send() -> None:
    reading = grid_reading(
        power_w=Decimal("-412.3"),
        phases_w=(Decimal(-500), Decimal("87.7"), Decimal(0)),
        voltages_v=(Decimal("229.3"), Decimal("230.1"), None),
        currents_a=(Decimal("2.18"), Decimal("0.38"), Decimal("0.00")),
        frequency_hz=Decimal("49.98"),
    )
    assert payload(reading) == (
        b'{"grid":{"power":-412.3,"voltage":229.70,"current":2.56,"energy_forward":12345.6789,"energy_reverse":1.2345,'
        b'"L1":{"power":-500,"voltage":229.3,"current":2.18,"frequency":49.98},'
        b'"L2":{"power":87.7,"voltage":230.1,"current":0.38,"frequency":49.98},'
        b'"L3":{"power":0,"current":0.00,"frequency":49.98}}}'
    )


def test_a_meter_without_counters_has_no_energy() -> None:
    reading = grid_reading(power_w=POWER_W, import_wh=None, export_wh=Decimal(0))
    assert payload(reading) == b'{"grid":{"power":412.3,"energy_reverse":0.000,"L1":{"power":412.3}}}'


@given(st.decimals(-99_999, 99_999, places=3), st.decimals(0, 10**9, places=4))
def test_what_is_decoded_is_what_was_measured(power_w: Decimal, import_wh: Decimal) -> None:
    grid = json.loads(payload(grid_reading(power_w=power_w, import_wh=import_wh)), parse_float=Decimal)["grid"]
    assert grid["power"] == grid["L1"]["power"] == power_w
    assert grid["energy_forward"] * 1000 == import_wh


@asynccontextmanager
async def publishing(meter: GridMeter, url: str, password: str = "") -> AsyncIterator[Victron]:
    access = broker_access(Address(url), password=Secret(password))
    device = Victron(meter.clients(), lambda: MAC, access=access, topic=TOPIC)
    async with asyncio.timeout(60), running(device.run(), meter.grid.run("test")):
        yield device


@in_event_loop
async def test_each_telegram_is_published_once_and_an_old_reading_never(
    broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(victron, "_CHECK_S", 0.02)
    meter = GridMeter()
    with Subscriber(broker.port) as venus:
        async with publishing(meter, broker.url) as device:
            await until(lambda: venus.now.get(AVAILABILITY) == b"offline")
            for watts in (100, 200, 300):
                meter.send_power(watts)
                await asyncio.to_thread(venus.wait_for, TOPIC, watts // 100)
            assert [json.loads(message)["grid"]["power"] for message in venus.all_of(TOPIC)] == [100, 200, 300]
            await until(lambda: venus.now[AVAILABILITY] == b"online")
            meter.grid.stale_after_s = 0
            await until(lambda: venus.now[AVAILABILITY] == b"offline")
            meter.grid.stale_after_s = STALE_AFTER_S
            meter.send(power(70), age_s=STALE_AFTER_S + 1)
            # the device has looked at the old reading
            await asyncio.sleep(0.1)
            meter.send_power(600)
            await until(lambda: venus.now[AVAILABILITY] == b"online")
            assert len(venus.all_of(TOPIC)) == 4 == device.state().delivered
        # the server stops
        assert venus.wait_for(AVAILABILITY, 5)[-1] == b"offline"
    assert retained(broker.port, TOPIC) == {AVAILABILITY: b"offline"}


@in_event_loop
async def test_the_broker_holds_no_message_longer_than_its_reading_is_current(broker: Mosquitto) -> None:
    expiries_s: list[int] = []

    class Venus(Subscriber):
        def _take(self, client: object, userdata: object, message: MQTTMessage) -> None:
            if message.topic == TOPIC and message.properties:
                expiries_s.append(vars(message.properties)["MessageExpiryInterval"])
            super()._take(client, userdata, message)

    meter = GridMeter()
    with Venus(broker.port):
        async with publishing(meter, broker.url):
            meter.send(power(400), age_s=STALE_AFTER_S - 3.5)
            await until(lambda: expiries_s)
    assert 1 <= expiries_s[0] <= 3


@in_event_loop
async def test_a_broker_that_is_away_is_told_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(victron, "_RETRY_S", 0.05)
    meter, broker = GridMeter(), Mosquitto(tmp_path)
    async with publishing(meter, f"mqtt://venus:s3cret@127.0.0.1:{broker.port}") as device:
        await until(lambda: device.sentence)
        assert device.sentence.startswith(f"Nothing is published to mqtt://127.0.0.1:{broker.port}: ")
        assert "s3cret" not in device.sentence
        await asyncio.to_thread(broker.start)
        await device.opened.wait()
        broker.kill()
        # without a telegram, too
        await until(lambda: device.sentence)
        await asyncio.to_thread(broker.start)
        await device.opened.wait()
        with Subscriber(broker.port) as venus:
            meter.send_power(100)
            await until(lambda: venus.all_of(TOPIC))
    broker.kill()
