"""Modbus TCP: answers, the errors of the protocol, and what a client cannot do to others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from emulating import GridMeter, in_event_loop, running
from iskra_server.outputs.emulation import modbus_listener
from iskra_server.outputs.emulation.clients import Clients, Rules, networks
from iskra_server.outputs.emulation.modbus_listener import (
    NO_ANSWER_OF_TARGET,
    ModbusDevice,
    ModbusError,
    ModbusListener,
)
from outputs.emulation.modbus_client import LOOPBACK, ModbusClient, connected, frame, reading
from running import free_port


class Registers(ModbusDevice):
    """A register's content is its address. 13 is not there now."""

    power = 1

    def __init__(self, clients: Clients, block: range, unit: int | None = None) -> None:
        super().__init__("registers", clients)
        self.blocks = (block, range(5000, 5002))
        self.unit = unit
        self.input_registers = unit is None

    async def read(self, addresses: range, client: str) -> bytes:
        assert client.startswith("127.0.")
        if 13 in addresses:
            raise ModbusError(NO_ANSWER_OF_TARGET)
        return b"".join(address.to_bytes(2) for address in addresses)


@asynccontextmanager
async def listening(*, rules: Rules | None = None) -> AsyncIterator[int]:
    """Two devices at one port: one of any unit, and one at unit 2."""
    port, meter = free_port(), GridMeter()
    devices = [Registers(meter.clients(rules), range(300)), Registers(meter.clients(rules), range(1000, 1200), unit=2)]
    async with running(ModbusListener(LOOPBACK, port, devices).run()), asyncio.timeout(60):
        await devices[-1].opened.wait()
        yield port


@in_event_loop
async def test_an_answer_byte_by_byte() -> None:
    async with listening() as port, connected(port) as client:
        client.writer.write(bytes.fromhex("1234 0000 0006 05 03 0101 0003"))
        assert await client.reader.readexactly(15) == bytes.fromhex("1234 0000 0009 05 03 06 0101 0102 0103")
        client.writer.write(bytes.fromhex("1235 0000 0006 05 04 0007 0001"))
        assert await client.reader.readexactly(11) == bytes.fromhex("1235 0000 0005 05 04 02 0007")


@pytest.mark.parametrize(
    ("unit", "request_", "answer"),
    [
        (1, "06 0001 0000", "86 01"),
        (1, "10 0001 0001 02 0000", "90 01"),
        (1, "2b 0e 01 00", "ab 01"),
        (1, "03", "83 03"),
        (1, "03 0001", "83 03"),
        (1, "03 0001 0001 00", "83 03"),
        (1, "03 0001 0000", "83 03"),
        (1, "03 0001 007e", "83 03"),
        (1, "03 012c 0001", "83 02"),
        (1, "03 012b 0002", "83 02"),
        (1, "03 ffff 007d", "83 02"),
        (1, "03 000a 0008", "83 0b"),
        # the other device has no function 4, and answers its own unit alone
        (2, "04 03e8 0001", "84 01"),
        (1, "03 03e8 0001", "83 02"),
    ],
)
def test_a_wrong_request_gets_the_error_of_the_protocol(unit: int, request_: str, answer: str) -> None:
    @in_event_loop
    async def check() -> None:
        async with listening() as port, connected(port) as client:
            assert await client.ask(bytes.fromhex(request_), unit=unit) == bytes.fromhex(answer)
            # and the connection goes on
            assert await client.registers(1, 1) == b"\0\1"

    check()


@in_event_loop
async def test_unit_and_address_decide_which_device_answers() -> None:
    async with listening() as port, connected(port) as client:
        assert await client.registers(1000, 1, unit=2) == b"\x03\xe8"
        assert await client.registers(1, 1, unit=2) == b"\0\1"


@in_event_loop
async def test_a_unit_that_no_device_has_is_a_target_that_does_not_answer() -> None:
    port = free_port()
    device = Registers(GridMeter().clients(), range(10), unit=3)
    async with running(ModbusListener(LOOPBACK, port, [device]).run()), asyncio.timeout(60):
        await device.opened.wait()
        async with connected(port) as client:
            assert await client.ask(reading(0, 1), unit=4) == b"\x83\x0b"


@in_event_loop
async def test_requests_that_arrive_together_or_in_pieces_are_answered_in_order() -> None:
    async with listening() as port, connected(port) as client:
        for number in range(3):
            client.writer.write(frame(reading(number, 1), transaction=number))
        for byte in frame(reading(3, 1), transaction=3):
            client.writer.write(bytes((byte,)))
            await client.writer.drain()
        for number in range(4):
            assert await client.answer(number) == bytes((1, 3, 2, 0, number))


@pytest.mark.parametrize(
    "data", [frame(reading(1, 1), protocol=1), b"GET / HTTP/1.1\r\n\r\n", b"\0\1\0\0\0\1\1", b"\0\1\0\0\0\xff\1"]
)
def test_what_is_no_modbus_tcp_ends_the_connection(data: bytes) -> None:
    @in_event_loop
    async def check() -> None:
        async with listening() as port, connected(port) as client:
            client.writer.write(data)
            assert await ended(client)

    check()


async def ended(client: ModbusClient) -> bool:
    try:
        return await client.reader.read() == b""
    except ConnectionResetError:
        return True


@in_event_loop
async def test_a_client_that_asks_too_often_or_may_not_ask_gets_nothing() -> None:
    async with listening() as port, connected(port) as client:
        client.writer.write(frame(reading(1, 1)) * 2000)
        answers = 0
        try:
            while True:
                await client.answer()
                answers += 1
        except (asyncio.IncompleteReadError, ConnectionResetError):
            pass
        # on a busy machine it earns some again meanwhile
        assert 40 <= answers < 2000
    async with listening(rules=Rules(networks("192.168.1.30"))) as port, connected(port) as client:
        client.writer.write(frame(reading(1, 1)))
        assert await ended(client)


@in_event_loop
async def test_two_hundred_clients_are_answered_at_once() -> None:
    async with listening() as port:
        opened = [
            await asyncio.open_connection(LOOPBACK, port, local_addr=(f"127.0.1.{number}", 0))
            for number in range(1, 201)
        ]
        clients = [ModbusClient(reader, writer) for reader, writer in opened]
        assert await asyncio.gather(*(client.registers(5, 2) for client in clients)) == [b"\0\5\0\6"] * 200
        for client in clients:
            client.writer.close()


@in_event_loop
async def test_a_silent_client_and_one_that_never_ends_its_request_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening() as port:
        monkeypatch.setattr(modbus_listener, "IDLE_S", 0.05)
        async with connected(port) as client:
            assert await ended(client)
        monkeypatch.setattr(modbus_listener, "IDLE_S", 60.0)
        monkeypatch.setattr(modbus_listener, "REQUEST_S", 0.05)
        async with connected(port) as client:
            client.writer.write(frame(reading(1, 1))[:-1])
            assert await ended(client)
