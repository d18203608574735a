import asyncio
from collections.abc import Callable

import pytest

import d0meter
from iskra_server.simulator.d0_wire import D0Wire
from iskra_server.sources.errors import SourceError
from iskra_server.sources.polled import poll_d0
from iskra_server.sources.serial import open_serial
from iskra_server.sources.watched_line import WatchedLine
from sources.ptys import Pty, until


async def lost(line: WatchedLine, results: list[object]) -> SourceError:
    """Reads until the line is given up."""
    try:
        while True:
            await line.read()
            results += line.results() or ()
    except SourceError as error:
        return error
    finally:
        await line.close()


@pytest.mark.slow
def test_a_meter_that_answers_stays_and_one_that_has_gone_is_given_up() -> None:
    async def main() -> None:
        wire, results = D0Wire([d0meter.meter(reaction_s=0.02, gap_s=0.4)], rate=10.0), []  # type: ignore[var-annotated]
        async with d0meter.d0_pty(wire) as path:
            line = WatchedLine(poll_d0(await open_serial(path), interval_s=1.0), patience_s=8.0)
            task = asyncio.create_task(lost(line, results))
            await until(lambda: len(results) >= 2)
            wire.is_deaf = True
            error = await asyncio.wait_for(task, 60.0)
        assert (error.problem, error.details) == ("silence", {"port": path})

    asyncio.run(main())


def test_a_meter_that_sends_by_itself_is_not_asked_for_long(plug: Callable[[], Pty]) -> None:
    async def main() -> None:
        port = plug()
        line = WatchedLine(poll_d0(await open_serial(port.path)))
        task = asyncio.create_task(lost(line, []))
        await asyncio.to_thread(port.received, 5)
        async with asyncio.timeout(60):
            while not task.done():
                port.send(bytes(range(0x80, 0xA8)))
                await asyncio.sleep(0.1)
        error = await task
        assert (error.problem, error.details["port"]) == ("noise", port.path)

    asyncio.run(main())


@pytest.mark.slow
def test_echoes_alone_are_no_other_meter() -> None:
    async def main() -> None:
        wire = D0Wire([d0meter.meter()], is_echoed=True, is_deaf=True)
        async with d0meter.d0_pty(wire) as path:
            line = WatchedLine(poll_d0(await open_serial(path)), patience_s=4.0)
            error = await asyncio.wait_for(lost(line, []), 60.0)
        assert error.problem == "silence"
        assert len(wire.written) >= 1

    asyncio.run(main())
