"""Work that is asked to end ends well."""

import asyncio
import os
import signal

import pytest

from iskra_server.cli.ui import loop


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_work_and_lets_it_tidy_up(number: signal.Signals) -> None:
    steps: list[str] = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), number)
            await asyncio.sleep(60)
        finally:
            steps.append("tidied up")

    loop.run(work())
    assert steps == ["tidied up"]


def test_work_that_ends_by_itself_is_done_and_its_errors_are_passed_on() -> None:
    async def fails() -> None:
        raise LookupError

    loop.run(asyncio.sleep(0))
    with pytest.raises(LookupError):
        loop.run(fails())
