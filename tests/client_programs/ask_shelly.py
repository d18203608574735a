"""aioshelly, the library of Home Assistant's Shelly integration: HOST PORT MAC, and how many notifications to wait for.

It does what the integration does: asks what the device is, connects, reads everything, waits for what is sent unasked,
polls, and tells the device to connect to it. Warnings of the library go to stderr.
"""

import asyncio
import json
import logging
import sys
from typing import Any

import aiohttp  # type: ignore[import-not-found]
from aioshelly.common import ConnectionOptions, get_info  # type: ignore[import-not-found]
from aioshelly.rpc_device import RpcDevice, RpcUpdateType  # type: ignore[import-not-found]

WITHIN_S = 60.0


async def ask(host: str, port: int, mac: str, count: int) -> dict[str, Any]:
    sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def updated(device: RpcDevice, kind: RpcUpdateType) -> None:
        if kind is RpcUpdateType.STATUS:
            sent.put_nowait(json.loads(json.dumps(device.status)))

    async with asyncio.timeout(WITHIN_S), aiohttp.ClientSession() as session:
        info = await get_info(session, host, mac, port)
        options = ConnectionOptions(host, device_mac=mac, port=port)
        device = await RpcDevice.create(session, None, options)
        device.subscribe_updates(updated)
        await device.initialize()
        try:
            first = json.loads(json.dumps(device.status))
            notified = [await sent.get() for _ in range(count)]
            await device.poll()
            return {
                "info": info,
                "gen": device.gen,
                "model": device.model,
                "name": device.name,
                "is_firmware_supported": device.firmware_supported,
                "config": device.config,
                "status": first,
                "notified": notified,
                "polled": device.status,
                "methods": await device.methods_list(),
                "scripts": await device.script_list(),
                "has_restarted": await device.update_outbound_websocket("ws://192.168.1.30:8123/api/shelly/ws"),
                "websocket": await device.ws_getconfig(),
            }
        finally:
            await device.shutdown()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    print(json.dumps(asyncio.run(ask(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])))))
