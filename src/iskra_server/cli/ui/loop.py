"""Runs work without an end of its own. Ctrl+C and SIGTERM (`timeout 60 iskra-server record ...`) end it normally."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run(work: Coroutine[object, object, None]) -> None:
    """Run until the work ends, or cancel it at a signal; it may clean up."""
    asyncio.run(_until_signal(work))


async def _until_signal(work: Coroutine[object, object, None]) -> None:
    task = asyncio.ensure_future(work)
    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task
