"""pysma-plus, of a Home Assistant integration for SMA: hears an energy meter at ADDRESS, and reads it by its SERIAL."""

import asyncio
import json
import sys
from typing import Any

from pysmaplus.device_em import SMAspeedwireEM  # type: ignore[import-not-found]

WITHIN_S = 60.0


async def ask(address: str, serial: str) -> dict[str, Any]:
    device = SMAspeedwireEM()
    device.set_options({"bindingaddr": address})
    async with asyncio.timeout(WITHIN_S):
        await device.new_session()
        try:
            devices = await device.device_list()
            sensors = await device.get_sensors()
            await device.read(sensors, serial)
            return {
                "devices": {number: info.asDict() for number, info in devices.items()},
                "values": {sensor.name: sensor.value for sensor in sensors},
            }
        finally:
            await device.close_session()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(ask(*sys.argv[1:])), default=str))
