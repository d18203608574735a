"""Blocking calls that nobody waits for."""

import asyncio
import subprocess
import sys
import threading

import pytest

from answering import until
from iskra_server.base.threads import in_daemon_thread


def test_the_result_or_exception_of_the_call_is_returned() -> None:
    async def run() -> int:
        with pytest.raises(ZeroDivisionError):
            await in_daemon_thread(lambda: 1 // 0)
        return await in_daemon_thread(threading.active_count)

    assert asyncio.run(run()) >= 2


def test_neither_cancellation_nor_exit_waits_for_a_call_that_hangs() -> None:
    program = (
        "import asyncio, threading\n"
        "from iskra_server.base.threads import in_daemon_thread\n"
        "async def run():\n"
        "    try:\n"
        "        async with asyncio.timeout(0.05):\n"
        "            await in_daemon_thread(threading.Event().wait)\n"
        "    except TimeoutError:\n"
        "        print('left')\n"
        "asyncio.run(run())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("left\n", "")


def test_a_result_that_comes_after_the_loop_was_closed_is_dropped() -> None:
    go_on, has_ended = threading.Event(), threading.Event()

    def call() -> None:
        go_on.wait(60)
        has_ended.set()

    async def run() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await in_daemon_thread(call)

    asyncio.run(run())
    go_on.set()
    assert has_ended.wait(60)


def test_a_late_result_is_discarded_by_the_given_function() -> None:
    go_on, late = threading.Event(), list[str]()

    def call() -> str:
        go_on.wait(60)
        return "opened"

    async def run() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await in_daemon_thread(call, discard=late.append)
        go_on.set()
        await until(lambda: late)

    asyncio.run(run())
    assert late == ["opened"]
