"""SMA Energy Meter: its datagrams byte by byte, decoded again, and received from the multicast group."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulating import MAC, STALE_AFTER_S, GridMeter, grid_reading, in_event_loop, running, until
from iskra_server.outputs.emulation import device_notices, sma_energy_meter
from iskra_server.outputs.emulation.sma_energy_meter import Model, SmaEnergyMeter, datagram, serial
from outputs.emulation.sma_group import decoded, listening, serial_of
from samples import energy, power

POWER_W = Decimal("412.3")
COUNTERS_WH = Decimal("12345678.9"), Decimal("1234.5")
# 12,345,678.9 Wh and 1,234.5 Wh in Ws
IMPORT_WS, EXPORT_WS = "0000000a59186588", "000000000043d028"
# what no meter sends: reactive and apparent power of a channel, import and export
NOTHING_NOW, NOTHING_COUNTED = "00000000", "0000000000000000"


def not_measured(*channels: int) -> str:
    return "".join(f"00{channel:02x}0400 {NOTHING_NOW} 00{channel:02x}0800 {NOTHING_COUNTED}" for channel in channels)


def head(length: str, susy_id: str) -> str:
    # serial number: 100,000,000 + 0x02ab34cd56ef % 900,000,000; 1,234,567 ms
    return f"534d4100 000402a0 00000001 {length} 0010 6069 {susy_id} 1abc1bef 0012d687"


END = "90000000 01020452 00000000"

ONE_VALUE = bytes.fromhex(
    head("0244", "010e")
    # 412.3 W import
    + f"00010400 0000101b 00010800 {IMPORT_WS} 00020400 00000000 00020800 {EXPORT_WS}"
    + not_measured(3, 4, 9, 10)
    + "000d0400 00000000"
    + f"00150400 0000101b 00150800 {IMPORT_WS} 00160400 00000000 00160800 {EXPORT_WS}"
    + not_measured(23, 24, 29, 30)
    + "001f0400 00000000 00200400 00000000 00210400 00000000"
    + not_measured(41, 42, 43, 44, 49, 50)
    + "00330400 00000000 00340400 00000000 00350400 00000000"
    + not_measured(61, 62, 63, 64, 69, 70)
    + "00470400 00000000 00480400 00000000 00490400 00000000"
    + END
)

ALL_VALUES = bytes.fromhex(
    head("024c", "015d")
    # 412.3 W export: L1 500.0 W export, L2 87.7 W import, L3 0
    + f"00010400 00000000 00010800 {IMPORT_WS} 00020400 0000101b 00020800 {EXPORT_WS}"
    + not_measured(3, 4, 9, 10)
    + "000d0400 00000000"
    # 49.98 Hz
    + "000e0400 0000c33c"
    + f"00150400 00000000 00150800 {IMPORT_WS} 00160400 00001388 00160800 {EXPORT_WS}"
    + not_measured(23, 24, 29, 30)
    # 1.812 A, 229.3 V
    + "001f0400 00000714 00200400 00037fb4 00210400 00000000"
    + f"00290400 0000036d 00290800 {NOTHING_COUNTED} 002a0400 00000000 002a0800 {NOTHING_COUNTED}"
    + not_measured(43, 44, 49, 50)
    + "00330400 00000000 00340400 00037fb4 00350400 00000000"
    + not_measured(61, 62, 63, 64, 69, 70)
    + "00470400 00000000 00480400 00000000 00490400 00000000"
    + END
)


def test_a_meter_that_sends_one_power_is_shown_on_l1_in_600_bytes() -> None:
    made = datagram(grid_reading(power_w=POWER_W), COUNTERS_WH, "em1", serial(MAC), 1234.567)
    assert len(made) == 600
    assert made == ONE_VALUE


def test_phases_voltages_currents_and_frequency_in_608_bytes() -> None:
    reading = grid_reading(
        power_w=Decimal("-412.3"),
        phases_w=(Decimal(-500), Decimal("87.7"), Decimal(0)),
        voltages_v=(Decimal("229.3"), Decimal("229.3"), None),
        currents_a=(Decimal("1.812"), None, None),
        frequency_hz=Decimal("49.98"),
    )
    made = datagram(reading, COUNTERS_WH, "em2", serial(MAC), 1234.567)
    assert len(made) == 608
    assert made == ALL_VALUES


watts = st.decimals(-99_999, 99_999, places=3)
energies = st.decimals(0, 10**9, places=4)


@given(watts, st.tuples(watts, watts, watts), st.tuples(energies, energies), st.sampled_from(("em1", "em2")))
def test_what_is_decoded_is_what_was_measured(
    power_w: Decimal, phases_w: tuple[Decimal, Decimal, Decimal], counters_wh: tuple[Decimal, Decimal], model: Model
) -> None:
    reading = grid_reading(power_w=power_w, phases_w=phases_w)
    values = decoded(datagram(reading, counters_wh, model, serial(MAC), 2.0**40))
    for first, shown_w in zip((0, 20, 40, 60), (power_w, *phases_w), strict=True):
        imported, exported = values[first + 1, 4], values[first + 2, 4]
        assert not (imported and exported)
        assert abs(Decimal(imported - exported) / 10 - shown_w) <= Decimal("0.05")
    for channel, energy_wh in zip((1, 2), counters_wh, strict=True):
        assert abs(Decimal(values[channel, 8]) / 3600 - energy_wh) <= Decimal("0.0002")
        assert sum(values[channel + phase, 8] for phase in (20, 40, 60)) == values[channel, 8]
    assert ((14, 4) in values) == (model == "em2")


def test_its_serial_number_has_nine_digits_where_those_of_sma_have_ten() -> None:
    assert serial(MAC) == 448_535_535
    assert all(len(str(serial(f"02{number:010x}"))) == 9 for number in range(0, 1 << 40, 1 << 34))


async def next_datagram(group: socket.socket) -> dict[tuple[int, int], int]:
    while True:
        data = await asyncio.get_running_loop().sock_recv(group, 4096)
        if serial_of(data) == serial(MAC):
            return decoded(data)


@asynccontextmanager
async def sending(meter: GridMeter) -> AsyncIterator[SmaEnergyMeter]:
    device = SmaEnergyMeter(meter.clients(), lambda: MAC, model="em1", host="127.0.0.1")
    async with running(device.run(), meter.grid.run("test")):
        yield device


@in_event_loop
async def test_the_group_gets_each_new_reading_and_hears_nothing_of_an_old_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sma_energy_meter, "MIN_INTERVAL_S", 0.01)
    monkeypatch.setattr(sma_energy_meter, "MAX_INTERVAL_S", 0.05)
    meter = GridMeter()
    with listening() as group:
        group.setblocking(False)
        async with asyncio.timeout(60), sending(meter) as device:
            meter.send_power(600)
            assert (await next_datagram(group))[1, 4] == 6000
            meter.send_power(-250)
            while (data := await next_datagram(group))[1, 4]:
                pass
            assert data[2, 4] == 2500
            # repeated while it is current
            assert (await next_datagram(group))[2, 4] == 2500
            meter.send(power(70), age_s=STALE_AFTER_S + 1)
            sent = device.state().delivered
            # the device has looked at the old reading
            await asyncio.sleep(0.1)
            assert device.state().delivered == sent
            # a telegram that lacks the counters does not set them back
            meter.send(power(80))
            while (data := await next_datagram(group))[1, 4] != 800:
                pass
            assert data[1, 8] == 44_444_444_040
            assert device.state().ok


@in_event_loop
async def test_after_a_start_counters_that_come_in_a_telegram_of_their_own_are_not_zero() -> None:
    meter = GridMeter()
    with listening() as group:
        group.setblocking(False)
        async with asyncio.timeout(60), sending(meter) as device:
            meter.send(power(600), protocol="dlms")
            # it has looked at this power
            await until(device.opened.is_set)
            await asyncio.sleep(0.1)
            assert device.state().delivered == 0
            meter.send(energy(123_456_789), protocol="dlms")
            data = await next_datagram(group)
            assert (data[1, 4], data[1, 8]) == (6000, 44_444_444_040)


@in_event_loop
async def test_that_nobody_asks_it_is_no_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_notices, "UNASKED_S", 0.0)
    meter = GridMeter()
    async with asyncio.timeout(60), sending(meter) as device:
        await device.opened.wait()
        meter.send_power(600)
        assert device.state().notices == ()


@in_event_loop
async def test_without_a_network_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sma_energy_meter, "MAX_INTERVAL_S", sma_energy_meter.MIN_INTERVAL_S)
    meter = GridMeter()
    # for documentation (RFC 5737): no machine has it
    device = SmaEnergyMeter(meter.clients(), lambda: MAC, model="em1", host="192.0.2.7")
    async with running(device.run()):
        await until(lambda: device.sentence)
    assert device.sentence.startswith("No network of this machine can be sent to (192.0.2.7)")
