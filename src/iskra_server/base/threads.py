"""Calls that may block for ever, such as opening a device or resolving a name, in threads that no exit waits for.

`asyncio.to_thread` is for calls that return: the interpreter joins its threads at exit.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def in_daemon_thread(function: Callable[[], T], discard: Callable[[T], object] = lambda _: None) -> T:
    """The result of `function`. Cancellation returns at once; a later result goes to `discard`."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: BaseException | None) -> None:
        if result.done():
            if value is not None:
                discard(value)
        elif error is None:
            result.set_result(value)  # type: ignore[arg-type]
        else:
            result.set_exception(error)

    def run() -> None:
        value, error = None, None
        try:
            value = function()
        except BaseException as raised:
            error = raised
        # RuntimeError: the loop is closed already
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, value, error)

    threading.Thread(target=run, name="blocking call", daemon=True).start()
    return await result
