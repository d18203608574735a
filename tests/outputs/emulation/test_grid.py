"""The record that every device shows: the newest telegram, or nothing."""

import asyncio
import time
from decimal import Decimal

import pytest
from msgspec.structs import replace

from diagnosis.well import facts
from emulating import GridMeter, in_event_loop, running
from iskra_server.base.clock import boottime_s
from iskra_server.diagnosis.status import run_checks
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register
from iskra_server.meter.units import WATT, Unit
from iskra_server.outputs.emulation.grid import Grid, configured_meter
from iskra_server.reading.hub import Hub
from samples import EXPORT, METER_ID, SERVER_ID, energy, power, sample


def phase(number: int, watts: int) -> Register:
    return Register(Obis.parse(f"{16 + 20 * number}.7.0"), watts, 0, WATT)


def test_before_the_first_telegram_there_is_no_record() -> None:
    assert GridMeter().grid.newest() is None


def test_the_record_has_the_numbers_of_the_newest_telegram_exactly() -> None:
    meter = GridMeter()
    meter.send(energy(123_456_789), energy(12_345, obis=EXPORT), power(-412))
    reading = meter.grid.newest()
    assert reading is not None
    assert (reading.meter_id, reading.power_w) == (METER_ID, Decimal(-412))
    assert (reading.import_wh, reading.export_wh) == (Decimal("12345678.9"), Decimal("1234.5"))
    assert reading.phases_w is None and reading.voltages_v == (None, None, None)
    assert meter.grid.age_s(reading) < 1


def test_phases_are_shown_only_where_all_three_are_sent() -> None:
    meter = GridMeter()
    meter.send(power(600), phase(1, 100), phase(2, 200))
    assert (one := meter.grid.newest()) and one.phases_w is None
    meter.send(power(600), phase(1, 100), phase(2, 200), phase(3, 301))
    # the total is the meter's own, not our sum
    assert (all_three := meter.grid.newest()) and list(all_three.phases_w or ()) == [100, 200, 301]
    assert all_three.power_w == 600


def test_currents_have_no_sign() -> None:
    meter = GridMeter()
    currents = [Register(Obis.parse(f"{code}.7.0"), raw, -1, Unit(33)) for code, raw in ((31, -54), (51, 0), (71, 53))]
    meter.send(power(-12), *currents)
    assert (reading := meter.grid.newest()) and list(reading.currents_a) == [Decimal("5.4"), 0, Decimal("5.3")]


def test_a_telegram_without_power_is_no_record() -> None:
    meter = GridMeter()
    meter.send(energy(123_456_789))
    assert meter.grid.newest() is None


def test_a_stale_telegram_is_no_record() -> None:
    meter = GridMeter(stale_after_s=10)
    meter.send(power(400), age_s=5)
    assert meter.grid.newest() is not None
    meter = GridMeter(stale_after_s=10)
    meter.send(power(400), age_s=10.5)
    assert meter.grid.newest() is None


def test_the_age_of_the_power_has_the_wait_of_its_own_telegram() -> None:
    """Of a meter that sends its counters in another list."""
    meter = GridMeter(stale_after_s=10)
    meter.send(power(400), age_s=2, waited_s=3, protocol="dlms")
    assert (first := meter.grid.newest()) and 5 <= meter.grid.age_s(first) < 6
    meter.send(energy(123_456_789), waited_s=1, protocol="dlms")
    second = meter.grid.newest()
    assert second and 5 <= meter.grid.age_s(second) < 6
    # its power is not newer
    assert second.arrived_s == pytest.approx(first.arrived_s)


def test_a_telegram_read_late_from_a_buffer_is_no_record() -> None:
    meter = GridMeter()
    meter.send(power(400), is_dated=False)
    assert meter.grid.newest() is None


def test_after_a_suspend_that_boot_time_missed_there_is_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    meter, wall_s = GridMeter(), time.time
    meter.send(power(400))
    assert meter.grid.newest() is not None
    monkeypatch.setattr(time, "time", lambda: wall_s() + 3600)
    assert meter.grid.newest() is None


@in_event_loop
async def test_the_mean_is_that_of_the_last_minute() -> None:
    meter = GridMeter()
    async with running(meter.grid.run("test")):
        for age_s, watts in ((70, 9000), (50, 100), (20, 300), (0, 500)):
            meter.send(power(watts), age_s=age_s)
            await asyncio.sleep(0)
        assert (reading := meter.grid.newest()) and reading.mean_w == 300


@in_event_loop
async def test_the_mean_is_of_one_meter_alone() -> None:
    hub, shown = Hub(), ["1 ISK 00 10000001"]
    grid = Grid(hub, lambda: shown[0], 10)
    async with running(grid.run("test")):
        await send(hub, shown[0], 9000, age_s=20)
        shown[0] = "1 ISK 00 10000002"
        await send(hub, shown[0], 100)
        assert (reading := grid.newest()) and reading.mean_w == 100


async def send(hub: Hub, meter_id: str, watts: int, age_s: float = 0.0) -> None:
    hub.publish(replace(sample(power(watts), meter_id=meter_id), monotonic_s=boottime_s() - age_s))
    await asyncio.sleep(0)


@in_event_loop
async def test_a_request_can_wait_for_the_next_telegram() -> None:
    meter = GridMeter()
    async with running(meter.grid.run("test")):
        meter.send(power(100))
        first = meter.grid.newest()
        assert first
        waiting = asyncio.ensure_future(meter.grid.newer(first.arrived_s, 20))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        meter.send(power(200))
        await asyncio.wait_for(waiting, 60)
        assert (second := meter.grid.newest()) and second.power_w == 200


@in_event_loop
async def test_without_another_telegram_the_wait_ends() -> None:
    meter = GridMeter()
    meter.send(power(100))
    await asyncio.wait_for(meter.grid.newer(boottime_s(), 0.01), 60)


def test_a_replaced_meter_is_followed_once_the_old_one_is_not_read() -> None:
    hub, found = Hub(), ["first"]
    grid = Grid(hub, lambda: found[0], 10)
    assert grid.meter_id == "first"
    found[0] = "second"
    # the first one has sent nothing
    assert grid.meter_id == "second"


def test_the_meter_is_found_by_its_number_or_server_id() -> None:
    meter = GridMeter()
    meter.send(power(400))
    for name in (METER_ID, "1isk0012345678", SERVER_ID.hex(), SERVER_ID.hex().upper()):
        assert configured_meter(name, meter.hub, list)() == METER_ID
    assert configured_meter("1 ISK 00 99999999", meter.hub, list)() is None
    assert configured_meter("", meter.hub, list)() == METER_ID


def test_without_a_name_the_meter_of_a_solar_plant_is_never_shown() -> None:
    hub = Hub()
    hub.publish(sample(power(400)), is_production=True)
    plant = run_checks(facts(meter_id=METER_ID, role="production"))
    assert configured_meter("", hub, lambda: [plant])() is None
    assert configured_meter("", hub, list)() is None
    assert configured_meter(METER_ID, hub, lambda: [plant])() == METER_ID
    house = run_checks(facts(meter_id="1 ISK 00 99999999", role="grid"))
    assert configured_meter("", hub, lambda: [plant, house])() == "1 ISK 00 99999999"
