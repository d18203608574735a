"""SunSpec meter: its registers byte by byte, and over a real connection with and without a current reading."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from math import isnan, nan
from struct import unpack

from hypothesis import given
from hypothesis import strategies as st

from emulating import MAC, STALE_AFTER_S, GridMeter, grid_reading, in_event_loop, running
from iskra_server import __version__
from iskra_server.outputs.emulation.clients import Rules
from iskra_server.outputs.emulation.modbus_listener import ModbusListener
from iskra_server.outputs.emulation.sunspec import SunSpec, identity, measurements
from outputs.emulation.modbus_client import LOOPBACK, ModbusClient, connected, reading
from running import free_port
from samples import power

COUNTERS_WH = Decimal("12345678.9"), Decimal("1234.5")


def text(value: str, registers: int) -> bytes:
    return value.encode() + bytes(2 * registers - len(value))


def test_who_it_is_byte_by_byte() -> None:
    made = identity(MAC, 2)
    assert len(made) == 2 * 71
    assert made == b"".join(
        (
            bytes.fromhex("53756e53 0001 0041"),
            text("Fronius", 16),
            text("Smart Meter 63A", 16),
            text("", 8),
            text(__version__, 8),
            text("02ab34cd56ef", 16),
            bytes.fromhex("0002 00d5 007c"),
        )
    )


NAN, ZERO = "7fc00000", "00000000"


def test_everything_that_a_meter_can_send_byte_by_byte() -> None:
    measured = grid_reading(
        power_w=Decimal("-412.5"),
        phases_w=(Decimal(-500), Decimal("87.5"), Decimal(0)),
        voltages_v=(Decimal(230), Decimal(231), None),
        currents_a=(Decimal("2.25"), Decimal("0.5"), Decimal(0)),
        frequency_hz=Decimal(50),
    )
    made = measurements(measured, (Decimal(12345678), Decimal("1234.5")), nan)
    assert len(made) == 2 * 124
    assert made == bytes.fromhex(
        # +0 A: total, L1, L2, L3
        f"40300000 40100000 3f000000 {ZERO}"
        # +8 V: mean, L1, L2, L3
        f"43668000 43660000 43670000 {NAN}"
        # +16 V between phases
        + NAN * 4
        # +24 Hz
        + "42480000"
        # +26 W
        + f"c3ce4000 c3fa0000 42af0000 {ZERO}"
        # +34 VA, +42 VAR, +50 PF
        + NAN * 12
        # +58 Wh exported, of phases; +66 Wh imported, of phases
        + f"449a5000 {NAN * 3} 4b3c614e {NAN * 3}"
        # +74 VAh, +90 VArh
        + NAN * 24
        # +122 events
        + ZERO
    )


def test_a_meter_that_sends_one_power_is_shown_on_l1() -> None:
    values = unpack(">62f", measurements(grid_reading(power_w=Decimal(412)), COUNTERS_WH, nan))
    assert values[13:17] == (412, 412, 0, 0)
    # currents, voltages, frequency
    assert all(isnan(value) for value in values[:13])
    assert values[29] == 1234.5


@given(st.decimals(-99_999, 99_999, places=3), st.decimals(0, 10**9, places=4))
def test_what_is_decoded_is_what_was_measured(power_w: Decimal, import_wh: Decimal) -> None:
    values = unpack(">62f", measurements(grid_reading(power_w=power_w), (import_wh, None), 0.0))
    # 24 bits
    assert abs(Decimal(values[13]) - power_w) <= abs(power_w) / 2**24 + Decimal("1e-9")
    assert abs(Decimal(values[33]) - import_wh) <= import_wh / 2**24 + Decimal("1e-9")
    assert not any(isnan(value) for value in values)


@asynccontextmanager
async def asking(
    meter: GridMeter, *, zero_if_missing: bool = False, rules: Rules | None = None
) -> AsyncIterator[tuple[ModbusClient, SunSpec]]:
    port = free_port()
    device = SunSpec(
        meter.clients(rules),
        lambda: MAC if meter.grid.meter_id else None,
        unit=2,
        zero_if_missing=zero_if_missing,
    )
    async with (
        running(ModbusListener(LOOPBACK, port, [device]).run(), meter.grid.run("test")),
        asyncio.timeout(60),
    ):
        await device.opened.wait()
        async with connected(port) as client:
            yield client, device


async def float_at(client: ModbusClient, address: int) -> float:
    (value,) = unpack(">f", await client.registers(address, 2, unit=2))
    return float(value)


@in_event_loop
async def test_all_registers_over_a_connection() -> None:
    meter = GridMeter()
    async with asking(meter) as (client, device):
        meter.send_power(-250)
        whole = await client.registers(40_000, 125, unit=2) + await client.registers(40_125, 72, unit=2)
        assert whole[: 2 * 71] == identity(MAC, 2)
        assert whole[-4:] == bytes.fromhex("ffff 0000")
        assert await float_at(client, 40_097) == -250
        # exported, imported, in Wh
        assert await float_at(client, 40_129) == 1234.5
        assert await float_at(client, 40_137) == 12_345_679
        assert await client.ask(reading(40_196, 2), unit=2) == b"\x83\x02"
        assert await client.ask(reading(39_999, 2), unit=2) == b"\x83\x02"
        assert await client.ask(reading(40_097, 2, function=4), unit=2) == b"\x84\x01"
        assert await client.ask(reading(40_097, 2), unit=1) == b"\x83\x0b"
        (asked,) = device.clients.list()
        assert asked.address == LOOPBACK and asked.requests == 9


@in_event_loop
async def test_without_a_current_reading_the_target_does_not_answer() -> None:
    meter = GridMeter()
    async with asking(meter) as (client, _):
        assert await client.ask(reading(40_000, 2), unit=2) == b"\x83\x0b"
        meter.send_power(600)
        assert await float_at(client, 40_097) == 600
        meter.grid.stale_after_s = 0
        assert await client.ask(reading(40_097, 2), unit=2) == b"\x83\x0b"
        assert await client.ask(reading(40_000, 72), unit=2) == b"\x83\x0b"
        # who it is does not age
        assert await client.registers(40_000, 71, unit=2) == identity(MAC, 2)
        meter.grid.stale_after_s = STALE_AFTER_S
        meter.send_power(700)
        assert await float_at(client, 40_097) == 700


@in_event_loop
async def test_a_counter_that_a_telegram_lacks_is_no_number_or_stays_as_it_was() -> None:
    meter = GridMeter()
    async with asking(meter) as (client, _):
        meter.send_power(600)
        meter.send(power(600))
        assert isnan(await float_at(client, 40_137))
    async with asking(meter, zero_if_missing=True) as (client, _):
        # a meter that sends no counters
        assert await float_at(client, 40_137) == 0
        meter.send_power(600)
        assert await float_at(client, 40_137) == 12_345_679
        meter.send(power(600))
        assert await float_at(client, 40_137) == 12_345_679
        assert await float_at(client, 40_079) == 0


@in_event_loop
async def test_the_power_waits_for_the_next_telegram_where_configured_and_nothing_else_does() -> None:
    meter = GridMeter()
    async with asking(meter, rules=Rules(wait_fresh_s=20.0)) as (client, _):
        meter.send_power(600)
        assert await float_at(client, 40_097) == 600
        assert await float_at(client, 40_129) == 1234.5
        again = asyncio.ensure_future(float_at(client, 40_097))
        await asyncio.sleep(0.05)
        assert not again.done()
        meter.send_power(700)
        assert await again == 700
