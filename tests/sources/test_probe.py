import asyncio
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from iskra_server.sources import probe as probe_module
from iskra_server.sources.probe import PortProbe
from iskra_server.sources.serial import open_serial
from iskra_server.sources.source import LineSettings
from sources.ptys import Pty


def test_only_bytes_at_9600_are_judged_and_silence_is_no_time(
    plug: Callable[[], Pty], monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 100.0
    monkeypatch.setattr(probe_module, "time", SimpleNamespace(monotonic=lambda: now_s))

    async def main() -> None:
        nonlocal now_s
        line = await open_serial(plug().path)
        probe = PortProbe(line)
        probe.begin(LineSettings())
        now_s += 4.0
        probe.add(b"abc")
        now_s += 1.5
        probe.begin(LineSettings(115_200))
        probe.add(b"other")
        now_s += 10.0
        received = probe.received()
        assert (received.data, received.count, received.seconds) == (b"abc", 3, 1.5)
        assert probe.total == 8
        probe.begin(LineSettings())
        probe.add(b"def")
        assert probe.received().data == b"abcdef"
        await line.close()

    asyncio.run(main())
