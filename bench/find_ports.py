"""Six meters of six kinds at six serial ports, plugged in at once: how long until each is read, and what is sent?

    python bench/find_ports.py

The ports are pseudo-terminals in real time; a reader that has set a wrong speed receives what its chip would. Each port
is a source of its own, as in a configuration with six meters. The second run is a restart: what was found is
remembered.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import d0meter
import pushes
import telegrams
import texts
from iskra_server.codecs.decoder import DECODERS
from iskra_server.codecs.dlms import encoder
from iskra_server.codecs.text.parity import with_parity
from iskra_server.meter.reading import Reading
from iskra_server.simulator.d0_wire import D0Wire
from iskra_server.sources import open_source
from iskra_server.sources.port_memory import PortMemory
from iskra_server.sources.source import LineSettings, Source
from sources.speaking import SpeakingPort, speaking

TIMEOUT_S = 150.0
# name, telegram, line, seconds between two telegrams
SPEAKERS = (
    ("SML, eHZ", telegrams.telegram(), LineSettings(9600), 2.0),
    ("P1, M550", texts.p1_telegram(), LineSettings(115_200), 10.0),
    ("DLMS, AM550", encoder.hdlc(pushes.apdu(pushes.ljubljana())), LineSettings(38_400), 5.0),
    ("M-Bus", encoder.mbus(pushes.apdu(pushes.tagged())), LineSettings(2400, "8E1"), 5.0),
    ("D0, pushed", with_parity(texts.d0_readout()), LineSettings(9600), 2.0),
)


async def main() -> None:
    ports = [SpeakingPort(telegram, line, period_s) for _, telegram, line, period_s in SPEAKERS]
    names = [name for name, *_ in SPEAKERS]
    wire = D0Wire([d0meter.meter()])
    with tempfile.TemporaryDirectory() as folder:
        memory = PortMemory(Path(folder))
        async with speaking(*ports), d0meter.d0_pty(wire) as path:
            for run in ("new ports", "after a restart"):
                print(run)
                await find([*names, "D0, polled"], [*(port.path for port in ports), path], memory)
    print(f"sent to the five that send by themselves: {b''.join(port.sent for port in ports)!r}")
    print(f"sent to the one that waits: {b' '.join(written.data for written in wire.written)!r}")


async def find(names: Sequence[str], paths: Sequence[str], memory: PortMemory) -> None:
    began_s = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for name, path in zip(names, paths, strict=True):
            group.create_task(report(name, open_source(path, memory=memory), began_s))


async def report(name: str, source: Source, began_s: float) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        line = await first_reading(source)
    print(f"  {name:12} {time.monotonic() - began_s:6.1f} s   {line}", flush=True)


async def first_reading(source: Source) -> str:
    """What the port was found to be, when its first reading is there."""
    decoder = None
    async with aclosing(source.chunks()) as chunks:
        async for chunk in chunks:
            if decoder is None:
                decoder = DECODERS[source.state.protocol]()
            results = decoder.feed(chunk.data) if chunk.results is None else chunk.results
            if any(isinstance(result, Reading) for result in results):
                return f"{source.state.protocol}, {source.state.line}"
    raise AssertionError("a port never ends")


if __name__ == "__main__":
    asyncio.run(main())
