"""D0 meters on a real pseudo-terminal and a socket, asked by the product in real time."""

import asyncio
import time
from datetime import UTC, datetime

import pytest

import d0meter
import texts
from iskra_server.codecs.d0.session import D0Session
from iskra_server.codecs.text.parity import with_parity
from iskra_server.meter.reading import Reading
from iskra_server.simulator.d0_port import serve_d0_tcp, wire_of
from iskra_server.simulator.d0_wire import D0Wire
from iskra_server.simulator.simulated_source import SimulatedSource
from iskra_server.sources.serial import open_serial

DEADLINE_S = 60


def test_the_product_reads_a_meter_on_a_pseudo_terminal_at_300_and_9600_baud() -> None:
    wire = D0Wire([d0meter.meter()], is_echoed=True)

    async def scenario() -> Reading:
        async with asyncio.timeout(DEADLINE_S), d0meter.d0_pty(wire) as path:
            return await d0meter.first_reading(path)

    reading = asyncio.run(scenario())
    assert texts.value(reading, "1.8.0") == texts.wh(8048375)
    assert (300, b"/?!\r\n") in [(written.baud, written.data) for written in wire.written]
    assert (300, b"\x06050\r\n") in [(written.baud, written.data) for written in wire.written]


def test_a_request_at_a_wrong_speed_is_not_heard_and_an_answer_is_noise() -> None:
    wire = D0Wire([d0meter.meter("ABCx", ["1.8.0(1*kWh)"])], rate=10)

    async def scenario() -> tuple[bytes, bytes]:
        async with asyncio.timeout(DEADLINE_S), d0meter.d0_pty(wire) as path:
            line = await open_serial(path, 9600)
            line.write(with_parity(b"/?!\r\n"))
            unheard = await line.read_until(time.monotonic() + 0.5)
            await line.set_speed(300)
            line.write(with_parity(b"/?!\r\n"))
            while not wire.meters[0].received:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            await line.set_speed(9600)
            heard = b""
            while len(heard) < 8:
                heard += await line.read()
            await line.close()
            return unheard, heard

    unheard, heard = asyncio.run(scenario())
    assert unheard == b""
    # a bit of 300 baud is longer than a character of 9600
    assert set(heard) == {0}


def test_a_bridge_stays_at_its_speed() -> None:
    wire = D0Wire([d0meter.meter("ABC5x", ["1.8.0(1*kWh)"], unacknowledged_s=0.1)], rate=20)

    async def scenario() -> bytes:
        ports: asyncio.Queue[int] = asyncio.Queue()
        task = asyncio.create_task(serve_d0_tcp(wire, "127.0.0.1", 0, ports.put_nowait))
        try:
            async with asyncio.timeout(DEADLINE_S):
                reader, writer = await asyncio.open_connection("127.0.0.1", await ports.get())
                writer.write(with_parity(b"/?!\r\n"))
                heard = await reader.readuntil(b"\x03")
                writer.close()
                return heard
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    heard = asyncio.run(scenario())
    assert heard.startswith(with_parity(b"/ABC5x\r\n\x021.8.0("))
    assert [(written.baud, written.data) for written in wire.written] == [(300, b"/?!\r\n")]


@pytest.mark.parametrize(("name", "asks_for_registers"), [("ME162", True), ("MT174", True), ("MT171", False)])
def test_a_simulated_meter_answers_as_its_model_does(name: str, asks_for_registers: bool) -> None:
    async def scenario() -> d0meter.World:
        wire = await wire_of(SimulatedSource(name, start=datetime(2026, 1, 10, 12, tzinfo=UTC), rate=1))
        here = d0meter.World(D0Session(0.0), list(wire.meters))
        # a minute passes between two polls of a long list
        here.run(100)
        return here

    here = asyncio.run(scenario())
    readings = here.readings()
    assert {reading.meter_id for reading in readings} == {"1 ISK 00 10000001"}
    assert len(readings) >= (10 if asks_for_registers else 5)
    assert any(message.startswith(b"\x01R1\x02") for message in here.sent) == asks_for_registers


def test_faults_damage_what_a_polled_meter_sends() -> None:
    async def scenario() -> d0meter.World:
        wire = await wire_of(SimulatedSource("ME162", start=datetime(2026, 1, 10, tzinfo=UTC), faults="lost=1"))
        here = d0meter.World(D0Session(0.0), list(wire.meters))
        here.run(60)
        return here

    here = asyncio.run(scenario())
    assert here.readings() == [] and here.sent.count(b"/?!\r\n") > 2
