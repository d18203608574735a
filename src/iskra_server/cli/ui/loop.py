"""Runs what has no end of its own. Ctrl-C and SIGTERM (`timeout 60 iskra-server record ...`) are a good end."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run(work: Coroutine[object, object, None]) -> None:
    """Until the work ends or is asked to end; it sees that as a cancellation and may tidy up."""
    asyncio.run(_until_asked(work))


async def _until_asked(work: Coroutine[object, object, None]) -> None:
    task = asyncio.ensure_future(work)
    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task
