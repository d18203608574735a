"""A serial port by its address: what its options fix is not searched."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

import d0meter
from iskra_server.base.address import Address
from iskra_server.simulator.d0_wire import D0Wire
from iskra_server.sources.port_memory import PortMemory, learned
from iskra_server.sources.port_source import port_source
from iskra_server.sources.ports import stable_name
from iskra_server.sources.reconnect import Reconnecting
from sources.ptys import listening, until
from sources.speaking import SpeakingPort


def source_of(path: str, options: str = "", memory: PortMemory | None = None) -> Reconnecting:
    return port_source(Address(path + options), memory or PortMemory())


@pytest.mark.parametrize(
    ("options", "baud"), [("?baud=115200", 115_200), ("?format=7E1", 9600), ("?baud=2400&format=8E1", 2400)]
)
def test_settings_of_the_address_are_kept_and_every_byte_is_passed_on(
    speaker: Callable[..., SpeakingPort], options: str, baud: int
) -> None:
    port = speaker(b"")
    source = source_of(port.path, options=options)

    async def main() -> None:
        async with listening(source) as heard:
            await until(lambda: source.state.is_open)
            port.send(b"noise")
            await until(lambda: heard.data == b"noise")
            assert port.baud == baud

    asyncio.run(main())


@pytest.mark.parametrize("address", ["", "?address=63000199"])
def test_a_meter_of_the_address_is_asked_at_once_and_its_settings_are_remembered(tmp_path: Path, address: str) -> None:
    async def main() -> None:
        wire = D0Wire([d0meter.meter(reaction_s=0.02, gap_s=0.4, address="63000199")], rate=10.0)
        memory = PortMemory(tmp_path)
        async with d0meter.d0_pty(wire) as path:
            source = source_of(path, f"?protocol=d0{address.replace('?', '&')}", memory)
            assert source.state.protocol == "d0"
            async with listening(source) as heard:
                await until(lambda: any(chunk.results for chunk in heard.chunks))
                await until(lambda: learned(memory.recall(stable_name(path) + address)))

    asyncio.run(main())
