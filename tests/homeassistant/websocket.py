"""Run by Home Assistant's own Python, which has aiohttp: its WebSocket, a line of JSON on stdin for a line on stdout.

The first line is the token, every other one a command. What arrives is read all the time: a client that does not
answer its pings is closed out.
"""

import asyncio
import json
import sys
from typing import Any

import aiohttp  # type: ignore[import-not-found]


async def talk(url: str) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(url, max_msg_size=0) as socket:
        await socket.receive_json()
        await socket.send_json({"type": "auth", "access_token": sys.stdin.readline().strip()})
        greeting = await socket.receive_json()
        assert greeting["type"] == "auth_ok", greeting
        printing = asyncio.create_task(answers(socket))
        number = 0
        while line := await asyncio.to_thread(sys.stdin.readline):
            number += 1
            await socket.send_json({"id": number, **json.loads(line)})
        printing.cancel()


async def answers(socket: Any) -> None:
    async for message in socket:
        print(message.data, flush=True)


asyncio.run(talk(sys.argv[1]))
