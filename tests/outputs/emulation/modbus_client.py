"""Modbus TCP by hand, as the specification has it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from struct import pack, unpack

LOOPBACK = "127.0.0.1"


def frame(request: bytes, *, unit: int = 1, transaction: int = 7, protocol: int = 0) -> bytes:
    return pack(">HHHB", transaction, protocol, 1 + len(request), unit) + request


def reading(address: int, count: int, *, function: int = 3) -> bytes:
    """A request for registers."""
    return pack(">BHH", function, address, count)


class ModbusClient:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, request: bytes, *, unit: int = 1, transaction: int = 7) -> bytes:
        """The answer, without its header."""
        self.writer.write(frame(request, unit=unit, transaction=transaction))
        answer = await self.answer(transaction)
        assert answer[0] == unit
        return answer[1:]

    async def answer(self, transaction: int = 7) -> bytes:
        number, protocol, length = unpack(">HHH", await self.reader.readexactly(6))
        assert (number, protocol) == (transaction, 0)
        return await self.reader.readexactly(length)

    async def registers(self, address: int, count: int, *, unit: int = 1, function: int = 3) -> bytes:
        answer = await self.ask(reading(address, count, function=function), unit=unit)
        assert answer[:2] == bytes((function, 2 * count)), answer
        return answer[2:]


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[ModbusClient]:
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        yield ModbusClient(reader, writer)
    finally:
        writer.close()
