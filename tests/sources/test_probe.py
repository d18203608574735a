import asyncio
from collections.abc import Callable

from iskra_server.sources.probe import PortProbe
from iskra_server.sources.serial import open_serial
from iskra_server.sources.source import LineSettings
from sources.ptys import Pty


def test_only_bytes_at_9600_are_judged_and_silence_is_no_time(plug: Callable[[], Pty]) -> None:
    async def main() -> None:
        line = await open_serial(plug().path)
        probe = PortProbe(line)
        probe.begin(LineSettings())
        await asyncio.sleep(0.1)
        probe.add(b"abc")
        await asyncio.sleep(0.05)
        probe.begin(LineSettings(115_200))
        seconds = probe.received().seconds
        assert 0.05 <= seconds < 0.1
        probe.add(b"other")
        await asyncio.sleep(0.1)
        received = probe.received()
        assert (received.data, received.count, received.seconds) == (b"abc", 3, seconds)
        assert probe.total == 8
        probe.begin(LineSettings())
        probe.add(b"def")
        assert probe.received().data == b"abcdef"
        await line.close()

    asyncio.run(main())
