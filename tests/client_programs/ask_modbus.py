"""pymodbus: reads registers at PORT, for each further argument FUNCTION,UNIT,ADDRESS,COUNT.

An answer is a list of numbers, or the code of an exception.
"""

import asyncio
import json
import sys

from pymodbus.client import AsyncModbusTcpClient  # type: ignore[import-not-found]


async def ask(port: int, *requests: str) -> list[list[int] | int]:
    async with AsyncModbusTcpClient("127.0.0.1", port=port, timeout=20) as client:
        answers: list[list[int] | int] = []
        for request in requests:
            function, unit, address, count = map(int, request.split(","))
            read = {3: client.read_holding_registers, 4: client.read_input_registers}[function]
            answer = await read(address, count=count, device_id=unit)
            answers.append(answer.exception_code if answer.isError() else answer.registers)
        return answers


if __name__ == "__main__":
    print(json.dumps(asyncio.run(ask(int(sys.argv[1]), *sys.argv[2:]))))
