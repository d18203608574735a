"""The library of everHome, the maker of EcoTracker: HOST PORT. Prints what it reads; null where it cannot.

It asks over a connection of its own each time, and then over one that is kept open.
"""

import asyncio
import json
import logging
import sys
from typing import Any

import aiohttp  # type: ignore[import-not-found]
from ecotracker import EcoTracker  # type: ignore[import-not-found]


async def ask(host: str, port: int) -> list[Any]:
    async with aiohttp.ClientSession() as session:
        meter = EcoTracker(host, port, session)
        alone = meter.get_all_data() if meter.update() else None
        kept = [meter.get_all_data() if await meter.async_update() else None for _ in range(3)]
        return [alone, *kept]


if __name__ == "__main__":
    # it logs what it cannot read
    logging.getLogger("ecotracker").addHandler(logging.NullHandler())
    print(json.dumps(asyncio.run(ask(sys.argv[1], int(sys.argv[2])))))
