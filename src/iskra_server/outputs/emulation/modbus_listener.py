"""Modbus TCP: devices whose registers are read, several at one port.

    header        transaction (2), protocol 0 (2), length of what follows (2), unit (1)
    request       function 3 or 4, address (2), number of registers (2)
    answer        function, number of bytes (1), two bytes for each register
    exception     function + 0x80, code (1)

    a request     complete within REQUEST_S; what is no Modbus TCP ends the connection, as it has no end
    between two   IDLE_S
    at once       one at a time of each connection: what a client sends before its answer waits in the socket

Big endian. pymodbus takes 11 MB, has no limits, and answers only one of several requests that arrive together.
"""

import asyncio
from collections.abc import Sequence
from struct import Struct

from iskra_server.outputs.emulation.device import EmulatedDevice
from iskra_server.outputs.emulation.grid import GridReading
from iskra_server.outputs.emulation.tcp_listener import TcpListener

REQUEST_S = 10.0
IDLE_S = 120.0
# registers in one answer (Modbus Application Protocol, 6.3)
MAX_REGISTERS = 125
# of what follows the length: unit and a PDU of up to 253 bytes
_MIN_LENGTH, _MAX_LENGTH = 2, 254
_HEADER, _READ = Struct(">HHHB"), Struct(">HH")
_READ_HOLDING, _READ_INPUT = 3, 4

# exception codes (7)
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, NO_ANSWER_OF_TARGET = 1, 2, 3, 0x0B


class ModbusError(Exception):
    """The device answers with an exception of this code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"Modbus exception {code:#04x}")
        self.code = code


class ModbusDevice(EmulatedDevice):
    """`blocks` are its registers; `input_registers`: function 4 reads them, too; `unit` None is any.

    `power` is the register of the total power.
    """

    blocks: tuple[range, ...]
    power: int
    input_registers = False
    unit: int | None = None

    def has_unit(self, unit: int) -> bool:
        return self.unit is None or self.unit == unit

    async def reading_for(self, addresses: range, client: str) -> GridReading:
        """What these registers show. Only the power waits, as configured: a client reads others one after the other.

        Raises ModbusError.
        """
        reading = (
            await self.clients.reading_for(client)
            if self.power in addresses
            else self.clients.newest_reading_for(client)
        )
        if reading is None:
            raise ModbusError(NO_ANSWER_OF_TARGET)
        return reading

    async def read(self, addresses: range, client: str) -> bytes:
        """Registers of one of its blocks, two bytes each. Raises ModbusError."""
        raise NotImplementedError


class ModbusListener(TcpListener[ModbusDevice]):
    """The devices of one port: the unit and the address decide which of them answers."""

    def __init__(self, host: str, port: int, devices: Sequence[ModbusDevice]) -> None:
        super().__init__(host, port, devices, _HEADER.size + _MAX_LENGTH)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: str) -> None:
        while True:
            self.mark_idle()
            async with asyncio.timeout(IDLE_S):
                first = await reader.readexactly(1)
            async with asyncio.timeout(REQUEST_S):
                transaction, protocol, length, unit = _HEADER.unpack(first + await reader.readexactly(_HEADER.size - 1))
                if protocol or not _MIN_LENGTH <= length <= _MAX_LENGTH:
                    return
                request = await reader.readexactly(length - 1)
            self.mark_busy()
            device = self._device(unit, request)
            if not device.clients.may_ask(client):
                return
            answer = await _answer(device, unit, request, client)
            writer.write(_HEADER.pack(transaction, 0, 1 + len(answer), unit) + answer)
            async with asyncio.timeout(REQUEST_S):
                await writer.drain()

    def _device(self, unit: int, request: bytes) -> ModbusDevice:
        """That with the register; else one with the unit, or any, to say what is wrong."""
        address = int.from_bytes(request[1:3])
        at_unit = [device for device in self.devices if device.has_unit(unit)] or self.devices
        with_register = (device for device in at_unit if any(address in block for block in device.blocks))
        return next(with_register, at_unit[0])


async def _answer(device: ModbusDevice, unit: int, request: bytes, client: str) -> bytes:
    function, content = request[0], request[1:]
    try:
        if not device.has_unit(unit):
            raise ModbusError(NO_ANSWER_OF_TARGET)
        if function != _READ_HOLDING and not (function == _READ_INPUT and device.input_registers):
            raise ModbusError(ILLEGAL_FUNCTION)
        if len(content) != _READ.size:
            raise ModbusError(ILLEGAL_VALUE)
        address, count = _READ.unpack(content)
        if not 1 <= count <= MAX_REGISTERS:
            raise ModbusError(ILLEGAL_VALUE)
        if not any(address in block and address + count - 1 in block for block in device.blocks):
            raise ModbusError(ILLEGAL_ADDRESS)
        registers = await device.read(range(address, address + count), client)
    except ModbusError as error:
        return bytes((function | 0x80, error.code))
    return bytes((function, len(registers))) + registers
