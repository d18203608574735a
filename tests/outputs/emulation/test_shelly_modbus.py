"""Shelly by Modbus: its registers byte by byte, and over a real connection with and without a current reading."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from struct import unpack

from hypothesis import given
from hypothesis import strategies as st

from emulating import MAC, STALE_AFTER_S, GridMeter, grid_reading, in_event_loop, running
from iskra_server.outputs.emulation.modbus_listener import ModbusListener
from iskra_server.outputs.emulation.shelly_modbus import DATA, STATUS, ShellyModbus, energies, identity, status
from outputs.emulation.modbus_client import LOOPBACK, ModbusClient, connected, reading
from running import free_port
from samples import energy, power

# 1,764,150,000 s = 0x6926CAF0
AT_S = 1_764_150_000
GAP = "0000"


def low_first(high_first: str) -> str:
    return high_first[4:] + high_first[:4]


def test_who_it_is_byte_by_byte() -> None:
    assert identity(MAC) == b"02AB34CD56EF" + b"SPEM-003CEBEU\0\0\0"


def test_everything_that_a_meter_can_send_byte_by_byte() -> None:
    measured = grid_reading(
        power_w=Decimal("-412.5"),
        phases_w=(Decimal(-500), Decimal("87.5"), Decimal(-460)),
        voltages_v=(Decimal(250), Decimal(250), Decimal(230)),
        currents_a=(Decimal(2), Decimal("0.5"), Decimal(2)),
        frequency_hz=Decimal(50),
    )
    made = status(measured, AT_S, typical=True)
    assert made == bytes.fromhex(
        # 1000 time, 1002-1006
        "caf0 6926" + GAP * 5
        # 1007 neutral, 1009-1010
        + "0000 0000" + GAP * 2
        # 1011 A: 4.5, 1013 W: -412.5, 1015 VA: 1085, 1017-1019
        + low_first("40900000") + low_first("c3ce4000") + low_first("4487a000") + GAP * 3
        # 1020 L1: 250 V, 2 A, -500 W, 500 VA, 1.0; 1030-1032; 50 Hz; 1035-1039
        + low_first("437a0000") + low_first("40000000") + low_first("c3fa0000") + low_first("43fa0000")
        + low_first("3f800000") + GAP * 3 + low_first("42480000") + GAP * 5
        # 1040 L2: 250 V, 0.5 A, 87.5 W, 125 VA, 0.7
        + low_first("437a0000") + low_first("3f000000") + low_first("42af0000") + low_first("42fa0000")
        + low_first("3f333333") + GAP * 3 + low_first("42480000") + GAP * 5
        # 1060 L3: 230 V, 2 A, -460 W, 460 VA, 1.0
        + low_first("43660000") + low_first("40000000") + low_first("c3e60000") + low_first("43e60000")
        + low_first("3f800000") + GAP * 3 + low_first("42480000") + GAP * 5
    )  # fmt: skip


def test_energies_byte_by_byte() -> None:
    made = energies(grid_reading(import_wh=Decimal(12345678), export_wh=Decimal("1234.5")), AT_S)
    counters = low_first("4b3c614e") + low_first("449a5000")
    assert made == bytes.fromhex(
        # 1160 time, 1162, 1164; 1182, 1184: L1
        "caf0 6926" + counters + GAP * 16 + counters + GAP * 54
    )


def float_of(registers: bytes, address: int, first: int) -> float:
    at = 2 * (address - first)
    (value,) = unpack(">f", registers[at + 2 : at + 4] + registers[at : at + 2])
    return float(value)


@given(st.decimals(-99_999, 99_999, places=3), st.booleans())
def test_what_is_decoded_is_what_was_measured(power_w: Decimal, typical: bool) -> None:
    made = status(grid_reading(power_w=power_w), AT_S, typical=typical)
    for key in ("total_act_power", "a_act_power"):
        assert abs(Decimal(float_of(made, STATUS[key], 1000)) - power_w) <= Decimal("0.006") + abs(power_w) / 2**24
    assert (float_of(made, STATUS["a_voltage"], 1000) == 230) == typical


def test_no_two_values_have_one_register() -> None:
    places = [place for address in (*STATUS.values(), *DATA.values()) for place in (address, address + 1)]
    assert len(set(places)) == len(places)


@asynccontextmanager
async def asking(meter: GridMeter) -> AsyncIterator[ModbusClient]:
    port = free_port()
    device = ShellyModbus(meter.clients(), lambda: MAC if meter.grid.meter_id else None, typical=True)
    async with (
        running(ModbusListener(LOOPBACK, port, [device]).run(), meter.grid.run("test")),
        asyncio.timeout(60),
    ):
        await device.opened.wait()
        async with connected(port) as client:
            yield client


@in_event_loop
async def test_any_unit_and_both_functions_are_answered_and_the_last_number_is_not_repeated() -> None:
    meter = GridMeter()
    async with asking(meter) as client:
        assert await client.ask(reading(0, 6), unit=7) == b"\x83\x0b"
        meter.send_power(-250)
        for unit, function in ((7, 3), (1, 4), (255, 4)):
            total = await client.registers(1013, 2, unit=unit, function=function)
            assert float_of(total, 1013, 1013) == -250
        whole = await client.registers(1160, 80, function=4)
        assert (float_of(whole, 1162, 1160), float_of(whole, 1164, 1160)) == (12_345_679, 1234.5)
        (low, high) = unpack(">HH", whole[:4])
        assert abs(time.time() - (high << 16 | low)) < 60
        # a telegram without counters does not set them back
        meter.send(power(-250))
        assert float_of(await client.registers(1162, 2), 1162, 1162) == 12_345_679
        meter.grid.stale_after_s = 0
        assert await client.ask(reading(1013, 2)) == b"\x83\x0b"
        assert await client.ask(reading(1162, 2)) == b"\x83\x0b"
        assert await client.registers(0, 14) == identity(MAC)
        meter.grid.stale_after_s = STALE_AFTER_S
        meter.send_power(100)
        assert float_of(await client.registers(1013, 2), 1013, 1013) == 100


@in_event_loop
async def test_registers_that_a_shelly_does_not_have_are_illegal() -> None:
    meter = GridMeter()
    meter.send_power(600)
    async with asking(meter) as client:
        for address, count in ((14, 1), (13, 2), (999, 2), (1079, 2), (1240, 1), (40_000, 2)):
            assert await client.ask(reading(address, count)) == b"\x83\x02"
        assert await client.ask(bytes.fromhex("06 03f5 0000")) == b"\x86\x01"


@in_event_loop
async def test_after_a_start_counters_that_come_in_a_telegram_of_their_own_are_not_zero() -> None:
    meter = GridMeter()
    async with asking(meter) as client:
        meter.send(power(100), protocol="dlms")
        assert float_of(await client.registers(1013, 2), 1013, 1013) == 100
        assert await client.ask(reading(1162, 2)) == b"\x83\x0b"
        meter.send(energy(123_456_789), protocol="dlms")
        assert float_of(await client.registers(1162, 2), 1162, 1162) == 12_345_679
